"""What a net's first units look for, as pictures."""

import numpy as np
import torch
from torch import Tensor, nn

from mimic.data.image_parameters import CHANNELS
from mimic.nets.whitening import WhiteningConv2d

MOST = 32  # filters of a net that are kept (ours)
GREY = 127.5  # no weight


@torch.no_grad()
def first_filters(net: nn.Sequential, image_size: int) -> np.ndarray | None:
    """The weights of the first units that are followed by a nonlinearity: uint8 [F, 3, S, S], or None.

    Of a convolution they are as wide as its kernel. Of dense layers they are as wide as the image, and a
    linear bottleneck before them is multiplied out: its own rows are known only up to a linear map. Those of
    the largest norm come first, MOST at most, each in grey with its largest weight at black or white.
    """
    weight_FX: Tensor | None = None
    for module in net.modules():
        match module:
            case nn.Conv2d(in_channels=channels, weight=weight_FCHW) if weight_FX is None:
                return _pictures(weight_FCHW) if channels == CHANNELS else None
            case nn.Linear(weight=weight_FH):
                weight_FX = weight_FH if weight_FX is None else weight_FH @ weight_FX
            case nn.ReLU() | nn.Conv2d() | WhiteningConv2d():
                break
    if weight_FX is None:
        return None
    return _pictures(weight_FX.unflatten(1, (CHANNELS, image_size, image_size)))


def _pictures(weight_FCHW: Tensor) -> np.ndarray:
    order_F = weight_FCHW.flatten(1).norm(dim=1).argsort(descending=True, stable=True)
    weight_FCHW = weight_FCHW[order_F[:MOST]]
    tiny = torch.finfo(torch.float32).tiny
    largest_F111 = weight_FCHW.abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(tiny)
    return (GREY + GREY * weight_FCHW / largest_F111).round().byte().cpu().numpy()
