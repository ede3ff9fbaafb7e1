"""What a net says of images as they are: un-augmented, without dropout, in large batches."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mimic.data.augment import standardise
from mimic.training.precision import autocast
from mimic.training.recipe import Precision

BATCH = 500  # images at once


@torch.inference_mode()
def predict(net: nn.Module, images_NCHW: Tensor, precision: Precision, device: torch.device) -> Tensor:
    """Logits [N, K] float32, on `device`, of images of grey levels 0..255 (uint8 or float32), on any device.

    The images are standardised here. `net` lies on `device` and is left in the mode it was in.
    """
    training = net.training
    net.eval()
    with autocast(device, precision):  # around all batches: the weights are converted once
        logits = [net(prepared(batch, device)).float() for batch in images_NCHW.split(BATCH)]
    net.train(training)
    return torch.cat(logits)


def prepared(images_NCHW: Tensor, device: torch.device) -> Tensor:
    """Images as every net takes them: float32, each standardised, channels_last."""
    return standardise(images_NCHW.to(device)).contiguous(memory_format=torch.channels_last)


def measure(logits_NK: Tensor, labels_N: Tensor) -> tuple[float, float]:
    """Error (a fraction) and cross-entropy (nats) of logits against hard labels."""
    labels_N = labels_N.to(logits_NK.device)
    wrong = int((logits_NK.argmax(dim=1) != labels_N).sum())
    return wrong / len(labels_N), float(functional.cross_entropy(logits_NK, labels_N))
