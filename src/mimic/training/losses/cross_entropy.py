"""The loss on hard labels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen
from mimic.training.shapes import check_shapes

if TYPE_CHECKING:
    from torch import Tensor

    from mimic.nets.build import Net


class CrossEntropy(Frozen):
    """Cross-entropy with hard labels. In nats."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    against: ClassVar[str] = "labels"

    def start(self, net: "Net", targets: "Callable[[int], Tensor]") -> None:
        """Nothing to do."""

    def __call__(self, net: "Net", logits_NK: "Tensor", labels_N: "Tensor") -> "Tensor":
        from torch.nn.functional import cross_entropy

        check_shapes(labels_N.shape == logits_NK.shape[:1], logits_NK, labels_N)
        return cross_entropy(logits_NK, labels_N)
