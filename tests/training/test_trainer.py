import pytest
import torch

from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.trainer import Trainer


def test_of_epochs_of_equal_error_the_one_with_the_smaller_loss_is_the_best(tiny):
    task = tiny.task(schedule=OneCycle(epochs=5))
    trainer = Trainer(tiny.net(), task, torch.device("cpu"), steps_per_epoch=4)
    measured = [(0.5, 1.0), (0.4, 1.2), (0.4, 1.1), (0.4, 1.1), (0.6, 0.1)]
    biases = []
    for error, loss in measured:
        for batch in tiny.stream().batches(trainer.epoch):
            trainer.step(*batch)
        trainer.state.epoch_seconds = 1.0
        biases.append(trainer.net[0].bias.detach().clone())
        trainer.end_epoch(error, loss, seconds=0.5)
    assert trainer.state.best_epoch == 3
    trainer.use_best()
    assert torch.equal(trainer.net[0].bias, biases[2])
    assert (trainer.state.seconds, trainer.state.training_seconds) == (7.5, 5.0)
    assert {epoch["seconds"] for epoch in trainer.state.history} == {1.5}
    assert {epoch["images_per_second"] for epoch in trainer.state.history} == {40.0}


@pytest.mark.parametrize(
    ("limits", "epochs"),
    [({}, 4), ({2: 0.4}, 4), ({2: 0.39}, 2), ({1: 0.4}, 1), ({3: 0.4, 4: 0.1}, 4), ({3: 0.3}, 3)],
)
def test_training_is_hopeless_when_even_its_best_error_exceeds_the_limit_of_an_epoch(tiny, limits, epochs):
    task = tiny.task(schedule=OneCycle(epochs=4), limits=limits)
    trainer = Trainer(tiny.net(), task, torch.device("cpu"), steps_per_epoch=4)
    for error in (0.5, 0.4, 0.6, 0.6):
        if trainer.state.stop is None:
            for batch in tiny.stream().batches(trainer.epoch):
                trainer.step(*batch)
            trainer.state.epoch_seconds = 1.0
            trainer.end_epoch(error, 1.0, seconds=0.5)
    assert trainer.epoch == epochs
    assert trainer.state.stop == ("budget" if epochs == 4 else "hopeless")
    assert trainer.state.reason is None
