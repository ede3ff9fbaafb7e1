"""The small types that parameters are made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FAMILIES = ("mlp1", "mlp2", "mlp3", "mlp4", "mlp5", "conv1", "conv2", "conv3", "conv4")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$", max_length=60)]
Budget = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?[kM]$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
DropoutRate = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


def budget_parameters(budget: str) -> int:
    """The number of parameters that a budget such as `3.16M` or `100k` names."""
    return round(float(budget[:-1]) * {"k": 1e3, "M": 1e6}[budget[-1]])


class Frozen(BaseModel):
    """A group of parameters: unknown keys are errors, nothing is converted, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OneCycle(Frozen):
    """A fixed budget: the learning rate rises linearly, then falls to zero along a cosine. Ours."""

    kind: Literal["one_cycle"] = "one_cycle"
    epochs: Positive
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.2  # share of the steps that the rise takes


class Patience(Frozen):
    """The paper's schedule: the validation error decides when to halve the rate and when to stop."""

    kind: Literal["patience"] = "patience"
    patience: Positive = 10  # epochs without a drop before the rate is halved
    cooldown: Annotated[int, Field(ge=0)] = 8  # epochs after a cut without a further cut
    stop: Positive = 30  # epochs without a drop before training ends
    max_cut: Annotated[float, Field(gt=1)] = 2000.0  # training ends when the rate was cut by more than this
    max_epochs: Positive = 1000  # a bound of ours


Schedule = Annotated[OneCycle | Patience, Field(discriminator="kind")]
