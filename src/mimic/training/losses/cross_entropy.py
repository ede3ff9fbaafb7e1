"""The loss on hard labels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen, option
from mimic.training.shapes import check_shapes

if TYPE_CHECKING:
    from torch import Tensor

    from mimic.nets.build import Net


class CrossEntropy(Frozen):
    """Cross-entropy with hard labels. In nats."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    smoothing: Annotated[float, Field(ge=0, lt=1)] = option(0.0)
    """share of each label that is spread over all classes (Szegedy et al. 2016)"""
    against: ClassVar[str] = "labels"

    def start(self, net: "Net", targets: "Callable[[int], Tensor]") -> None:
        """Nothing to do."""

    def __call__(self, net: "Net", logits_NK: "Tensor", labels_N: "Tensor") -> "Tensor":
        from torch.nn.functional import cross_entropy

        check_shapes(labels_N.shape == logits_NK.shape[:1], logits_NK, labels_N)
        return cross_entropy(logits_NK, labels_N, label_smoothing=self.smoothing)
