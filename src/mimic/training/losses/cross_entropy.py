"""The loss on hard labels."""

from typing import ClassVar, Literal

from mimic.support.frozen import Frozen
from mimic.training.shapes import check_shapes


class CrossEntropy(Frozen):
    """Cross-entropy with hard labels. In nats."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    against: ClassVar[str] = "labels"

    def start(self, net, targets) -> None:
        """Nothing to do."""

    def __call__(self, net, logits_NK, labels_N):
        from torch.nn.functional import cross_entropy

        check_shapes(labels_N.shape == logits_NK.shape[:1], logits_NK, labels_N)
        return cross_entropy(logits_NK, labels_N)
