"""Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013)."""

from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen

if TYPE_CHECKING:
    from torch import Tensor


class SGD(Frozen):
    """SGD with Nesterov momentum. Weight decay adds to the gradient, of weights and biases alike (ours)."""

    kind: Literal["sgd"] = "sgd"
    copies: ClassVar[int] = 1

    def start(self, weights: "dict[str, Tensor]") -> "dict[str, Tensor]":
        """Zeros from the start, so that a state has one shape; the first step makes them the gradients."""
        from torch import zeros_like

        return {f"momentum.{name}": zeros_like(weight) for name, weight in weights.items()}

    def update(
        self,
        weights: "dict[str, Tensor]",
        gradients: "dict[str, Tensor]",
        state: "dict[str, Tensor]",
        rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        # What torch.optim.SGD calls, without the compiler that it loads: seconds and 150 MB for each process.
        from torch.optim.sgd import sgd

        sgd(
            list(weights.values()),
            list(gradients.values()),
            [state[f"momentum.{name}"] for name in weights],
            lr=rate,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=momentum > 0,
            dampening=0.0,
            maximize=False,
            fused=True,
        )
