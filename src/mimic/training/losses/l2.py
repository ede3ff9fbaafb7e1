"""The paper's loss (section 2.1)."""

from typing import ClassVar, Literal

from mimic.support.frozen import Frozen
from mimic.training.shapes import check_shapes


class L2(Frozen):
    """Squared L2 distance between logits. Summed over classes, mean over samples (paper, section 2.1)."""

    kind: Literal["l2"] = "l2"
    against: ClassVar[str] = "logits"

    def start(self, net, targets) -> None:
        """Nothing to do."""

    def __call__(self, net, logits_NK, targets_NK):
        check_shapes(logits_NK.shape == targets_NK.shape, logits_NK, targets_NK)
        return (logits_NK - targets_NK).square().sum(dim=1).mean()
