import json
import math
import signal
from dataclasses import asdict

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mimic.support.interrupt import Interrupted, StopFlag
from mimic.training import checkpoint
from mimic.training.fit import fit
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.losses.kl import KL
from mimic.training.losses.l2 import L2
from mimic.training.member import CHECKPOINT, HISTORY, Member
from mimic.training.predict import measure, predict
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience


def train(tiny, folder, task=None, net=None, stream=None, stop=None, said=None, key="0123abcd"):
    """The net and the outcome of `fit` with what a test doesn't care about filled in."""
    progress = [] if said is None else said
    member = Member(net or tiny.net(), task or tiny.task(), folder, key, progress.append)
    [(_, result)] = fit([member], stream or tiny.stream(), tiny.validation(), stop or StopFlag())
    if isinstance(result, Exception):
        raise result
    return member.net, result


def logits_of_a_cycle(epoch: int) -> torch.Tensor:
    return torch.linspace(-2, 2, 120).reshape(40, 3).roll(epoch, dims=0)


SETTINGS = {
    "one cycle, dropout, bf16": (
        {"schedule": OneCycle(epochs=4), "precision": "bf16"},
        {"dropout": 0.4},
        {},
    ),
    "patience, batch normalisation, weight decay": (
        {
            "schedule": Patience(patience=1, cooldown=1, stop=3, max_epochs=4),
            "weight_decay": 0.01,
            "learning_rate": 0.3,
        },
        {"batch_normalisation": True},
        {},
    ),
    "logits of a cycle, dropout, no momentum": (
        {"schedule": OneCycle(epochs=4), "loss": L2(), "momentum": 0.0, "learning_rate": 0.01},
        {"dropout": 0.2},
        {"targets": logits_of_a_cycle, "cycle": 3},
    ),
}
LAST_STEP = 4 * 4


@pytest.fixture(scope="module", params=SETTINGS)
def setting(request, tiny, tmp_path_factory):
    """A kind of training, and what it leaves when nothing disturbs it."""
    task, net, stream = SETTINGS[request.param]
    task, folder = tiny.task(**task), tmp_path_factory.mktemp("undisturbed")
    trained = train(tiny, folder, task, tiny.net(**net), tiny.stream(**stream))
    return task, net, stream, tiny.traces(*trained, folder)


@given(steps=st.sets(st.integers(1, LAST_STEP), max_size=3).map(sorted))
@example(steps=list(range(1, LAST_STEP + 1)))
@settings(max_examples=10)
def test_interrupted_anywhere_it_ends_with_the_same_bits(
    tiny, raised_after, setting, tmp_path_factory, steps
):
    task, net_options, stream_options, undisturbed = setting
    folder = tmp_path_factory.mktemp("interrupted")
    for sitting, step in enumerate(steps, start=1):
        stop = raised_after(tiny.stream(**stream_options), step)
        # Each sitting starts from other weights and another generator: all must come from the file.
        torch.manual_seed(sitting)
        net = tiny.net(seed=sitting - 1, **net_options)
        with pytest.raises(Interrupted, match="SIGTERM"):
            train(tiny, folder, task, net, stop.stream, stop)
    net = tiny.net(seed=len(steps), **net_options)
    trained = train(tiny, folder, task, net, tiny.stream(**stream_options))
    assert tiny.traces(*trained, folder) == undisturbed


def test_a_signal_during_validation_lets_the_epoch_end(tiny, tmp_path):
    _, undisturbed = train(tiny, tmp_path / "undisturbed")
    stop, net = StopFlag(), tiny.net()
    net.register_forward_hook(lambda module, *_: None if module.training else stop.set(signal.SIGINT))
    with pytest.raises(Interrupted, match=r"SIGINT in epoch 2/3  step 0/4"):
        train(tiny, tmp_path / "c", net=net, stop=stop)
    assert len((tmp_path / "c" / HISTORY).read_text().splitlines()) == 1
    _, outcome = train(tiny, tmp_path / "c")
    assert tiny.history(outcome) == tiny.history(undisturbed)


def test_updates_are_those_of_nesterov_sgd_written_out(tiny, tmp_path):
    task = tiny.task(schedule=OneCycle(epochs=2, warmup=0.25), weight_decay=0.05, momentum=0.8)
    reference, stream = tiny.net(), tiny.stream()
    weights = dict(reference.named_parameters())
    velocities = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for step in range(8):
        images_NCHW, labels_N = list(stream.batches(step // 4))[step % 4]
        loss = torch.nn.functional.cross_entropy(reference(images_NCHW), labels_N)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        time = (step + 0.5) / 8
        fall = (1 + math.cos(math.pi * (time - 0.25) / 0.75)) / 2
        rate = 0.02 * (time / 0.25 if time < 0.25 else fall)
        with torch.no_grad():
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                decayed = gradient + 0.05 * weight
                velocities[name] = 0.8 * velocities[name] + decayed
                weight -= rate * (decayed + 0.8 * velocities[name])
    train(tiny, tmp_path, task)
    saved = checkpoint.load(tmp_path / CHECKPOINT, "0123abcd", pytest.fail)
    for name, weight in weights.items():
        torch.testing.assert_close(saved.tensors[f"net.{name}"], weight.detach(), atol=1e-5, rtol=1e-4)


def test_the_net_is_left_with_its_best_weights(tiny, tmp_path):
    # So fast that the validation error goes up and down, and the best epoch is not the last.
    task = tiny.task(learning_rate=0.2, schedule=Patience(patience=3, cooldown=0, stop=4, max_epochs=30))
    net, outcome = train(tiny, tmp_path, task)
    errors = [(epoch["validation_error"], epoch["validation_loss"]) for epoch in outcome.history]
    best = min(errors)
    assert outcome.best_epoch == errors.index(best) + 1 < len(errors)
    assert (outcome.validation_accuracy, outcome.validation_loss) == (1 - best[0], best[1])
    assert outcome.stop == "patience"
    validation = tiny.validation()
    logits_NK = predict(net, validation.images_NCHW, "fp32", torch.device("cpu"))
    assert measure(logits_NK, validation.labels_N) == best
    assert not net.training


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns(tiny, tmp_path, precision):
    task = tiny.task(schedule=OneCycle(epochs=20), precision=precision)
    _, outcome = train(tiny, tmp_path, task)
    assert outcome.status == "finished" and outcome.stop == "budget" and outcome.reason is None
    assert outcome.validation_accuracy > 0.9
    losses = [epoch["train_loss"] for epoch in outcome.history]
    assert losses[-1] < losses[0] / 2
    assert outcome.images == 20 * 40


@pytest.mark.parametrize("loss", [L2(), KL(temperature=2.0)])
def test_a_student_approaches_the_logits_that_it_is_shown(tiny, tmp_path, loss):
    _, labels_N = tiny.images(40)
    logits_NK = 4.0 * torch.eye(3)[labels_N]
    task = tiny.task(schedule=OneCycle(epochs=20), loss=loss, learning_rate=0.005)
    _, outcome = train(tiny, tmp_path, task, stream=tiny.stream(lambda epoch: logits_NK))
    assert outcome.status == "finished" and outcome.validation_accuracy > 0.9
    assert outcome.history[-1]["train_loss"] < outcome.history[0]["train_loss"] / 4


def test_the_seed_is_that_of_dropout_and_of_nothing_else(tiny, tmp_path):
    def weights(name, dropout, seed):
        net, _ = train(tiny, tmp_path / name, tiny.task(seed=seed), tiny.net(dropout=dropout))
        return net[0].weight

    assert torch.equal(weights("a", 0.0, 1), weights("b", 0.0, 2))
    assert not torch.equal(weights("c", 0.5, 1), weights("d", 0.5, 2))


def test_a_net_that_diverges_at_once_keeps_its_initial_weights(tiny, tmp_path):
    initial = tiny.net().state_dict()
    task = tiny.task(learning_rate=10.0, momentum=0.99, loss=L2())
    net, outcome = train(tiny, tmp_path, task, stream=tiny.stream(lambda epoch: torch.full((40, 3), 1e3)))
    assert outcome.status == outcome.stop == "diverged"
    assert outcome.reason == "epoch 1: the training loss is not finite"
    assert (outcome.best_epoch, outcome.history) == (0, ())
    assert outcome.validation_accuracy is None and outcome.validation_loss is None
    assert all(torch.equal(weight, initial[name]) for name, weight in net.state_dict().items())
    json.dumps(asdict(outcome), allow_nan=False)


def check_divergence_in_epoch_3(tiny, trained, reason):
    """The outcome says why, and the net holds the better weights of the first two epochs."""
    net, outcome = trained
    assert outcome.status == "diverged"
    assert outcome.reason.startswith(f"epoch 3: {reason}")
    assert len(outcome.history) == 2 and outcome.best_epoch in (1, 2)
    validation = tiny.validation()
    logits_NK = predict(net, validation.images_NCHW, "fp32", torch.device("cpu"))
    assert 1 - measure(logits_NK, validation.labels_N)[0] == outcome.validation_accuracy


SPOILT = {
    "the training loss is not finite": math.nan,
    "the training loss exceeds 10000 times the first step's": 1e4,
}


@pytest.mark.parametrize("reason", SPOILT)
def test_a_loss_that_explodes_later_ends_training(tiny, watched, tmp_path, reason):
    def spoil(epoch, step, images_NCHW, targets):
        return images_NCHW, targets * SPOILT[reason] if (epoch, step) == (2, 3) else targets

    stream = tiny.stream(lambda epoch: torch.eye(3).repeat(14, 1)[:40])
    task = tiny.task(loss=L2(), learning_rate=0.01, schedule=OneCycle(epochs=5))
    trained = train(tiny, tmp_path, task, stream=watched(stream, spoil))
    check_divergence_in_epoch_3(tiny, trained, reason)
    _, again = train(tiny, tmp_path, task, stream=untouchable(tiny, watched))
    assert again == trained[1]


def test_weights_that_are_not_finite_end_training_even_where_relu_hides_them(tiny, watched, tmp_path):
    net = tiny.net()

    def spoil(epoch, *batch):
        if epoch == 2:
            net[0].bias.data[0] = -math.inf  # the filter falls silent, and every loss stays finite
        return batch[1:]

    trained = train(tiny, tmp_path, net=net, stream=watched(tiny.stream(), spoil))
    check_divergence_in_epoch_3(tiny, trained, "the weights or the validation loss are not finite")


def untouchable(tiny, watched):
    return watched(tiny.stream(), lambda *_: pytest.fail("trained again"))


def test_a_finished_training_is_not_done_again(tiny, watched, tmp_path):
    net, outcome = train(tiny, tmp_path)
    again, same = train(tiny, tmp_path, net=tiny.net(seed=9), stream=untouchable(tiny, watched))
    assert same == outcome
    assert torch.equal(again[0].weight, net[0].weight)


def test_another_key_starts_anew_and_says_so(tiny, tmp_path):
    train(tiny, tmp_path, tiny.task(learning_rate=0.01), key="first")
    said = []
    _, outcome = train(tiny, tmp_path, said=said)
    assert "belongs to another training (key first)" in said[0]
    assert outcome.history[0]["epoch"] == 1
    _, undisturbed = train(tiny, tmp_path / "undisturbed")
    assert tiny.history(outcome) == tiny.history(undisturbed)


def test_a_damaged_checkpoint_starts_anew_and_says_so(tiny, tmp_path):
    train(tiny, tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-5])
    said = []
    _, outcome = train(tiny, tmp_path, said=said)
    assert "damaged" in said[0]
    assert len(outcome.history) == 3


@pytest.mark.parametrize("lines", [0, 2])
def test_a_live_history_behind_or_ahead_of_the_checkpoint_is_mended(tiny, raised_after, tmp_path, lines):
    stop = raised_after(tiny.stream(), step=6)
    with pytest.raises(Interrupted):
        train(tiny, tmp_path, stream=stop.stream, stop=stop)
    (tmp_path / HISTORY).write_text('{"epoch": 1}\n' * lines)
    _, outcome = train(tiny, tmp_path)
    epochs = [json.loads(line) for line in (tmp_path / HISTORY).read_text().splitlines()]
    assert epochs == list(outcome.history)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]


def test_history_grows_while_training_goes_on(tiny, watched, tmp_path):
    seen = []

    def look(epoch, step, *batch):
        seen.append((epoch, len((tmp_path / HISTORY).read_text().splitlines())))
        return batch

    train(tiny, tmp_path, stream=watched(tiny.stream(), look))
    assert set(seen) == {(0, 0), (1, 1), (2, 2)}


def test_times_add_up_over_interruptions(tiny, raised_after, tmp_path):
    for step in (3, 6, 9):
        stop = raised_after(tiny.stream(), step)
        with pytest.raises(Interrupted):
            train(tiny, tmp_path, stream=stop.stream, stop=stop)
    _, outcome = train(tiny, tmp_path)
    assert outcome.images == 3 * 40
    assert outcome.seconds == pytest.approx(sum(epoch["seconds"] for epoch in outcome.history), abs=0.002)
    assert outcome.images_per_second > outcome.images / outcome.seconds


def test_it_ends_with_a_line_for_people(tiny, tmp_path):
    said = []
    _, outcome = train(tiny, tmp_path, said=said)
    error = 100 * (1 - outcome.validation_accuracy)
    best = f"best validation error {error:.1f} % in epoch {outcome.best_epoch}"
    assert said[-1] == f"ended after 3 epochs (budget); {best}"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu_it_learns_the_same_and_resumes_to_the_bit(tiny, raised_after, tmp_path, precision):
    gpu = type(tiny)(torch.device("cuda", 0))
    task = tiny.task(schedule=OneCycle(epochs=4), precision=precision)
    net_options = {"dropout": 0.3, "batch_normalisation": True}
    trained = train(gpu, tmp_path / "undisturbed", task, gpu.net(**net_options))
    stop = raised_after(gpu.stream(), step=6)
    with pytest.raises(Interrupted):
        train(gpu, tmp_path / "c", task, gpu.net(**net_options), stop.stream, stop)
    resumed = train(gpu, tmp_path / "c", task, gpu.net(seed=1, **net_options))
    assert tiny.traces(*resumed, tmp_path / "c") == tiny.traces(*trained, tmp_path / "undisturbed")
    exact = tiny.task(schedule=OneCycle(epochs=4), loss=CrossEntropy())
    _, on_processor = train(tiny, tmp_path / "processor", exact)
    _, on_gpu = train(gpu, tmp_path / "gpu", exact)
    losses = [[epoch["train_loss"] for epoch in outcome.history] for outcome in (on_processor, on_gpu)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
