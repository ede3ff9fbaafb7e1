"""A check that torch leaves out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def check_shapes(fits: bool, logits_NK: "Tensor", targets: "Tensor") -> None:
    """Raise ValueError unless targets fit: torch would broadcast, or take logits for class probabilities."""
    if not fits:
        raise ValueError(f"targets {list(targets.shape)} do not suit logits {list(logits_NK.shape)}")
