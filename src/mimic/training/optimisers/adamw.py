"""AdamW (Loshchilov and Hutter 2019): a rate of its own for each weight, and weight decay apart from it."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen

if TYPE_CHECKING:
    from torch import Tensor


class AdamW(Frozen):
    """AdamW. `momentum` is its beta1; each step takes learning_rate x weight_decay off every weight."""

    kind: Literal["adamw"] = "adamw"
    beta2: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """decay of the mean of squared gradients"""
    epsilon: Annotated[float, Field(gt=0, le=1)] = 1.0e-8
    """added to their root"""
    copies: ClassVar[int] = 2

    def start(self, weights: "dict[str, Tensor]") -> "dict[str, Tensor]":
        from torch import zeros_like

        state = {f"mean.{name}": zeros_like(weight) for name, weight in weights.items()}
        state |= {f"square.{name}": zeros_like(weight) for name, weight in weights.items()}
        return state | {f"steps.{name}": weight.new_zeros(()) for name, weight in weights.items()}

    def update(
        self,
        weights: "dict[str, Tensor]",
        gradients: "dict[str, Tensor]",
        state: "dict[str, Tensor]",
        rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        from torch.optim.adamw import adamw  # and not torch.optim.AdamW, which loads the compiler

        adamw(
            list(weights.values()),
            list(gradients.values()),
            [state[f"mean.{name}"] for name in weights],
            [state[f"square.{name}"] for name in weights],
            max_exp_avg_sqs=[],
            state_steps=[state[f"steps.{name}"] for name in weights],
            lr=rate,
            beta1=momentum,
            beta2=self.beta2,
            eps=self.epsilon,
            weight_decay=weight_decay,
            amsgrad=False,
            maximize=False,
            fused=True,
        )
