"""The paper's loss (section 2.1)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen, option
from mimic.training.shapes import check_shapes

if TYPE_CHECKING:
    from torch import Tensor

    from mimic.nets.build import Net


class Targets(Frozen):
    """What is made of the ensemble's logits."""

    standardise: bool = option(False)
    """less their class's mean, over one scale: those of the first epoch. Undone at prediction (ours)"""


class L2(Frozen):
    """Squared L2 distance between logits. Mean over samples (paper, section 2.1)."""

    kind: Literal["l2"] = "l2"
    reduction: Literal["sum", "mean"] = option("sum")
    """over classes. The paper is silent; its learning rates suit the mean"""
    targets: Targets = option(Targets())
    against: ClassVar[str] = "logits"

    def start(self, net: "Net", targets: "Callable[[int], Tensor]") -> None:
        """Standardised targets are learnt by a net whose last layer is, and which maps its logits back."""
        if self.targets.standardise:
            first_NK = targets(0).double()
            mean_K = first_NK.mean(dim=0)
            scale = (first_NK - mean_K).square().mean().sqrt()
            net.map_logits(scale.float(), mean_K.float())

    def __call__(self, net: "Net", logits_NK: "Tensor", targets_NK: "Tensor") -> "Tensor":
        check_shapes(logits_NK.shape == targets_NK.shape, logits_NK, targets_NK)
        squared_NK = (logits_NK - targets_NK).square()
        distance = squared_NK.mean() if self.reduction == "mean" else squared_NK.sum(dim=1).mean()
        return distance / net.logit_scale.square() if self.targets.standardise else distance
