"""One net in training: everything that changes, and what a step and an epoch's end do to it."""

import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mimic.data.seeds import torch_seed
from mimic.support.frozen import Decay, Frozen, Momentum, Rate
from mimic.training import precision
from mimic.training.checkpoint import Checkpoint
from mimic.training.losses import Loss
from mimic.training.optimisers import Optimiser
from mimic.training.optimisers.sgd import SGD
from mimic.training.recipe import Decayed, Precision
from mimic.training.schedules import Schedule

CHECK_EVERY = 50  # steps between looks at the loss: each look waits for the device
EXPLOSION = 1e4  # times the first step's loss, and training has diverged (ours)


class FitTask(Frozen):
    """How to train: every parameter that the weights depend on, besides net and stream."""

    learning_rate: Rate  # the greatest
    momentum: Momentum
    weight_decay: Decay = 0.0
    decayed: Decayed = "all"
    optimiser: Optimiser = SGD()
    schedule: Schedule
    loss: Loss
    precision: Precision
    seed: int  # of what torch draws: dropout
    # By epoch: training whose best validation error so far is greater ends there as hopeless.
    limits: Annotated[dict[int, float], Field(default_factory=dict)]


@dataclass
class State:
    """The numbers that change. Epochs and steps count what is done; seconds are of work that survived."""

    step: int = 0  # of the epoch under way, as are the next two
    epoch_images: int = 0
    epoch_seconds: float = 0.0  # in training steps
    images: int = 0  # of finished epochs, as are the next two
    training_seconds: float = 0.0  # in training steps
    seconds: float = 0.0  # with validation
    first_loss: float | None = None
    best_epoch: int = 0  # 0: the initial weights
    best_error: float | None = None
    best_loss: float | None = None
    stop: str | None = None  # why training ended
    reason: str | None = None  # what happened, if it diverged
    history: list[dict[str, Any]] = field(default_factory=list)


class Trainer:
    """One net with its optimiser, its schedule and its best weights so far.

    `tensors` and `state` together are the whole training: copied out at any step and back in, it goes
    on to the same bits. Several trainers can share one stream.
    """

    def __init__(self, net: nn.Module, task: FitTask, device: torch.device, steps_per_epoch: int) -> None:
        self.net = net.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.task = task
        self.device = device
        self.steps_per_epoch = steps_per_epoch
        self.schedule = task.schedule.start(task.learning_rate, steps_per_epoch)
        self.state = State()
        self._parameters: dict[str, Tensor] = dict(net.named_parameters())
        self._optimiser_state = task.optimiser.start(self._parameters)
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)  # over images of the epoch
        self._weights = net.state_dict()  # the live tensors
        self._best = {name: weight.clone() for name, weight in self._weights.items()}
        self.tensors = {
            "loss_sum": self._loss_sum,
            **{f"net.{name}": weight for name, weight in self._weights.items()},
            **{f"best.{name}": weight for name, weight in self._best.items()},
            **self._optimiser_state,
        }

    @property
    def epoch(self) -> int:
        """Finished epochs; the index of the one under way."""
        return len(self.state.history)

    def saved_state(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON."""
        return {"numbers": asdict(self.state), "schedule": self.schedule.state()}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a saved state."""
        for name, tensor in self.tensors.items():
            tensor.copy_(checkpoint.tensors[name])
        self.state = State(**checkpoint.state["numbers"])
        self.schedule.restore(checkpoint.state["schedule"])

    def rate(self, step: int) -> float:
        """The learning rate of a step of the epoch under way."""
        return self.schedule.rate(self.epoch * self.steps_per_epoch + step)

    def step(self, images_NCHW: Tensor, targets: Tensor) -> None:
        """One update of the weights."""
        state = self.state
        # Seeded step by step, dropout is the same from wherever training goes on.
        precision.reseed(self.device, torch_seed(self.task.seed, "dropout", self.epoch, state.step))
        with precision.autocast(self.device, self.task.precision):
            logits_NK = self.net(images_NCHW)
        loss = self.task.loss(self.net, logits_NK.float(), targets)
        loss.backward()
        self._update(self.rate(state.step))
        self._loss_sum.add_(loss.detach(), alpha=len(images_NCHW))
        state.step += 1
        state.epoch_images += len(images_NCHW)

    @torch.no_grad()
    def _update(self, learning_rate: float) -> None:
        task, weights = self.task, self._parameters
        spared = {name: w for name, w in weights.items() if w.ndim < 2 and task.decayed == "matrices"}
        decayed = {name: w for name, w in weights.items() if name not in spared}
        for chosen, decay in ((decayed, task.weight_decay), (spared, 0.0)):
            if chosen:
                gradients = {name: weight.grad for name, weight in chosen.items()}
                task.optimiser.update(
                    chosen, gradients, self._optimiser_state, learning_rate, task.momentum, decay
                )
        for weight in weights.values():
            weight.grad = None

    @property
    def check_is_due(self) -> bool:
        """At the same steps whatever interrupts them: the first of all, some, and the last of an epoch."""
        step = self.state.step
        first = self.epoch == 0 and step == 1
        return first or step % CHECK_EVERY == 0 or step == self.steps_per_epoch

    def check(self) -> None:
        """End a training that has diverged. Waits for the device."""
        loss, first = self.mean_loss(), self.state.first_loss
        if not math.isfinite(loss):
            self._diverge("the training loss is not finite")
        elif first is None:
            self.state.first_loss = loss
        elif loss > EXPLOSION * first:
            self._diverge(f"the training loss exceeds {EXPLOSION:.0f} times the first step's, {first:.3g}")

    def mean_loss(self) -> float:
        """Over the images of the epoch so far."""
        return self._loss_sum.item() / self.state.epoch_images

    def end_epoch(self, validation_error: float, validation_loss: float, seconds: float) -> None:
        """Record a finished epoch, keep its weights if they are the best, and see whether training ends.

        `validation_error` is a fraction and `validation_loss` a cross-entropy; of epochs of equal error
        the one with the smaller loss is the better (ours). `seconds` are those of the validation.
        """
        if not (math.isfinite(validation_loss) and self._weights_are_finite()):
            self._diverge("the weights or the validation loss are not finite")
            return
        state = self.state
        state.history.append(
            {
                "epoch": self.epoch + 1,
                "train_loss": self.mean_loss(),
                "validation_error": validation_error,
                "validation_loss": validation_loss,
                "learning_rate": self.rate(state.step - 1),  # of the last step
                "seconds": round(state.epoch_seconds + seconds, 3),
                "images_per_second": round(state.epoch_images / state.epoch_seconds, 1),
            }
        )
        self._keep_if_best(validation_error, validation_loss)
        state.images += state.epoch_images
        state.training_seconds += state.epoch_seconds
        state.seconds += state.epoch_seconds + seconds
        state.step, state.epoch_images, state.epoch_seconds = 0, 0, 0.0
        self._loss_sum.zero_()
        state.stop = self.schedule.after_epoch(validation_error) or self._hopeless()

    def use_best(self) -> None:
        """Leave the net with its best weights, in evaluation mode."""
        for name, weight in self._weights.items():
            weight.copy_(self._best[name])
        self.net.eval()

    def _keep_if_best(self, error: float, loss: float) -> None:
        state = self.state
        if state.best_epoch and (error, loss) >= (state.best_error, state.best_loss):
            return
        state.best_epoch, state.best_error, state.best_loss = self.epoch, error, loss
        for name, weight in self._weights.items():
            self._best[name].copy_(weight)

    def _hopeless(self) -> str | None:
        return "hopeless" if self.state.best_error > self.task.limits.get(self.epoch, math.inf) else None  # type: ignore[operator]

    def _weights_are_finite(self) -> bool:
        return bool(torch.stack([weight.isfinite().all() for weight in self._weights.values()]).all())

    def _diverge(self, what: str) -> None:
        self.state.stop = "diverged"
        self.state.reason = f"epoch {self.epoch + 1}: {what}"
