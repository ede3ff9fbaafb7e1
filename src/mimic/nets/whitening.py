"""A first layer that is set from the images: their patches, decorrelated."""

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 5e-4  # added to a variance, so that directions that hardly vary stay small (Jordan 2024)


class WhiteningConv2d(nn.Module):
    """A convolution whose filters are a buffer: stored with the weights, never learnt.

    The filters are the eigenvectors of the covariance of patches, each over its standard deviation; then the
    same with the other sign, since a ReLU follows.
    """

    weight: Tensor

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        directions = channels * kernel**2
        self.register_buffer("weight", torch.zeros(2 * directions, channels, kernel, kernel))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        return functional.conv2d(images_NCHW, self.weight)

    @torch.no_grad()
    def set_from(self, images_NCHW: Tensor) -> None:
        """Set the filters by standardised images."""
        filters, channels, kernel, _ = self.weight.shape
        patches_PD = functional.unfold(images_NCHW.double(), kernel).transpose(1, 2).flatten(0, 1)
        variances_D, directions_DD = torch.linalg.eigh(patches_PD.T @ patches_PD / len(patches_PD))
        rows_DD = directions_DD.T / (variances_D + EPSILON).sqrt()[:, None]
        # An eigenvector's sign is the library's; with the largest entry positive, it is the same everywhere.
        rows_DD = rows_DD * rows_DD.gather(1, rows_DD.abs().argmax(1, keepdim=True)).sign()
        weight = torch.cat([rows_DD, -rows_DD]).view(filters, channels, kernel, kernel)
        self.weight.copy_(weight)
