"""Colour augmentation: hue, saturation and value of whole images (paper, appendix)."""

import torch

_TINY = 1e-30  # keeps 0 / 0 at 0: black has no saturation, grey has hue 0 (red), as in Python's colorsys


def change_hsv(
    images_NCHW: torch.Tensor,
    hue_shift_N: torch.Tensor,
    saturation_factor_N: torch.Tensor,
    saturation_shift_N: torch.Tensor,
    value_factor_N: torch.Tensor,
    value_shift_N: torch.Tensor,
) -> torch.Tensor:
    """RGB images (float32, 0..255) with hue shifted, and saturation and value multiplied, then shifted.

    Hue is counted in turns and wraps; saturation and value are counted from 0 to 1 and clipped. Multiplying
    before shifting is ours: the paper gives no order.
    """

    def each_image(change_N: torch.Tensor) -> torch.Tensor:
        return change_N.to(images_NCHW.dtype)[:, None, None]

    red, green, blue = images_NCHW.unbind(1)
    value, least = images_NCHW.amax(1), images_NCHW.amin(1)
    chroma = value - least
    # Twice faster than the usual case for each largest channel: the distance from red, signed by the side.
    distance_from_red = (value - red + green + blue - 2 * least) / (6 * chroma).clamp_min_(_TINY)
    hue = torch.copysign(distance_from_red, green - blue)
    saturation = chroma / value.clamp_min(_TINY)

    hue += each_image(hue_shift_N)
    saturation = (
        saturation.mul_(each_image(saturation_factor_N)).add_(each_image(saturation_shift_N)).clamp_(0, 1)
    )
    value = value.mul_(each_image(value_factor_N)).add_(each_image(255 * value_shift_N)).clamp_(0, 255)
    return _rgb(hue, saturation, value)


def _rgb(hue_NHW: torch.Tensor, saturation_NHW: torch.Tensor, value_NHW: torch.Tensor) -> torch.Tensor:
    """NCHW from hue in turns, saturation 0..1, and value in the unit of the result."""
    primaries_CHW = torch.tensor([0, 1 / 3, 2 / 3], device=hue_NHW.device)[:, None, None]
    turns = hue_NHW[:, None] - primaries_CHW
    distance = turns.sub_(turns.round()).abs_()  # from the primary, the shorter way round: 0..1/2
    # A channel is at `value` up to 1/6 of a turn from its primary, and falls by the chroma up to 2/6.
    fall = distance.mul_(6).sub_(1).clamp_(0, 1).mul_((saturation_NHW * value_NHW)[:, None])
    return value_NHW[:, None] - fall
