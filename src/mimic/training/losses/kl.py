"""Distillation by softened distributions (Hinton et al. 2015)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen
from mimic.training.shapes import check_shapes

if TYPE_CHECKING:
    from torch import Tensor

    from mimic.nets.build import Net


class KL(Frozen):
    """Kullback-Leibler divergence from softened targets. Times T squared, in nats (Hinton et al. 2015)."""

    kind: Literal["kl"] = "kl"
    temperature: Annotated[float, Field(ge=0.01, le=100)] = 4.0
    against: ClassVar[str] = "logits"

    def start(self, net: "Net", targets: "Callable[[int], Tensor]") -> None:
        """Nothing to do."""

    def __call__(self, net: "Net", logits_NK: "Tensor", targets_NK: "Tensor") -> "Tensor":
        from torch.nn.functional import kl_div, log_softmax

        check_shapes(logits_NK.shape == targets_NK.shape, logits_NK, targets_NK)
        predicted = log_softmax(logits_NK / self.temperature, dim=1)
        wanted = log_softmax(targets_NK / self.temperature, dim=1)
        return self.temperature**2 * kl_div(predicted, wanted, reduction="batchmean", log_target=True)
