"""Muon (Jordan et al. 2024): momentum whose matrices are made orthogonal before each step."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen
from mimic.training.optimisers.adamw import AdamW

if TYPE_CHECKING:
    from torch import Tensor

COEFFICIENTS = 3.4445, -4.7750, 2.0315  # of the iteration, steepest at zero (Jordan et al.)
ITERATIONS = 5


class Muon(Frozen):
    """Muon. For hidden matrices and convolutions, flattened to matrices; the output layer, biases and the
    like take AdamW, as Jordan et al. have it.

    Nesterov momentum. A matrix of more rows than columns takes steps larger by the root of their ratio.
    """

    kind: Literal["muon"] = "muon"
    other_rate: Annotated[float, Field(gt=0, le=10)] = 0.1
    """factor on the learning rate of what takes AdamW (ours)"""
    copies: ClassVar[int] = 1

    def start(self, weights: "dict[str, Tensor]") -> "dict[str, Tensor]":
        from torch import zeros_like

        matrices, others = _divided(weights)
        momentum = {f"momentum.{name}": zeros_like(weight) for name, weight in matrices.items()}
        return momentum | AdamW().start(others)

    def update(
        self,
        weights: "dict[str, Tensor]",
        gradients: "dict[str, Tensor]",
        state: "dict[str, Tensor]",
        rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        matrices, others = _divided(weights)
        rest = {name: gradients[name] for name in others}
        AdamW().update(others, rest, state, self.other_rate * rate, momentum, weight_decay)
        for name, weight in matrices.items():
            gradient, mean = gradients[name], state[f"momentum.{name}"]
            mean.lerp_(gradient, 1 - momentum)
            step_RC = orthogonal(gradient.lerp(mean, momentum).flatten(1))
            stretch = max(1, step_RC.shape[0] / step_RC.shape[1]) ** 0.5
            weight.mul_(1 - rate * weight_decay)
            weight.add_(step_RC.reshape(weight.shape), alpha=-rate * stretch)


def _divided(weights: "dict[str, Tensor]") -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """Those that are matrices or become some, but for the last, which gives logits; and the others."""
    names = [name for name, weight in weights.items() if weight.ndim >= 2]
    matrices = {name: weights[name] for name in names[:-1]}
    return matrices, {name: weight for name, weight in weights.items() if name not in matrices}


def orthogonal(matrix_RC: "Tensor") -> "Tensor":
    """Roughly U V^T, where `matrix_RC` is U S V^T: the singular values become 0.7 to 1.2.

    By the quintic iteration of Newton and Schulz, for which bfloat16 is good enough (Jordan et al.).
    """
    from mimic.training.precision import product_dtype

    a, b, c = COEFFICIENTS
    x = matrix_RC.to(product_dtype(matrix_RC.device, "bf16"))
    if is_tall := x.shape[0] > x.shape[1]:
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if is_tall else x).to(matrix_RC.dtype)
