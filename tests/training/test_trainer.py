import torch

from mimic.core.parameters import OneCycle
from mimic.training.trainer import Trainer


def test_trainers_in_lockstep_are_each_as_they_are_alone(tiny):
    stream = tiny.stream()
    tasks = [tiny.task(seed=1), tiny.task(seed=2, learning_rate=0.05, momentum=0.5)]

    def trainers():
        nets = [tiny.net(seed, dropout=0.4) for seed in (1, 2)]
        return [Trainer(net, task, stream.device, 4) for net, task in zip(nets, tasks, strict=True)]

    together, alone = trainers(), trainers()
    for images_NCHW, targets in stream.batches(0):
        for trainer in together:
            trainer.step(images_NCHW, targets)
    for trainer in alone:
        for images_NCHW, targets in stream.batches(0):
            trainer.step(images_NCHW, targets)
    for one, other in zip(together, alone, strict=True):
        assert one.mean_loss() == other.mean_loss()
        assert all(torch.equal(one.tensors[name], other.tensors[name]) for name in other.tensors)


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
