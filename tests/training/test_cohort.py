"""Several trainings on one stream: each as it is alone, whatever becomes of the others."""

import gc
import math
import weakref

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mimic.support.interrupt import Interrupted, StopFlag
from mimic.training.fit import fit
from mimic.training.member import HISTORY, Member
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience

PATIENCE = Patience(patience=1, cooldown=1, stop=3, max_epochs=5)
MEMBERS = {
    "mlp": ({"schedule": OneCycle(epochs=2), "momentum": 0.5}, {"mlp": True}),
    "dropout": ({"schedule": OneCycle(epochs=4), "precision": "bf16"}, {"dropout": 0.4}),
    "its twin": ({"schedule": OneCycle(epochs=4), "precision": "bf16", "seed": 2}, {"dropout": 0.4}),
    "patience": ({"schedule": PATIENCE, "learning_rate": 0.3}, {"batch_normalisation": True}),
}
LAST_STEP = 5 * 4


def member(tiny, folder, name, seed=0) -> Member:
    task, net = MEMBERS[name]
    net = tiny.mlp(seed) if "mlp" in net else tiny.net(seed, **net)
    return Member(net, tiny.task(**task), folder / name, name, lambda line: None)


def train(tiny, members, stream=None, stop=None) -> dict:
    """What each member leaves: its traces, or the exception that broke it."""
    results = {}
    for done, result in fit(members, stream or tiny.stream(), tiny.validation(), stop or StopFlag()):
        failed = isinstance(result, Exception)
        results[done.key] = result if failed else tiny.traces(done.net, result, done.folder, done.key)
    return results


@pytest.fixture(scope="module")
def alone(tiny, tmp_path_factory) -> dict:
    """What each member leaves when it is trained alone."""
    folder, results = tmp_path_factory.mktemp("alone"), {}
    for name in MEMBERS:
        results |= train(tiny, [member(tiny, folder, name)])
    return results


steps = st.integers(0, LAST_STEP)


@given(heads=st.tuples(*[steps] * len(MEMBERS)), interruptions=st.sets(steps, max_size=2).map(sorted))
@example(heads=(0, 0, 0, 0), interruptions=[])
@example(heads=(0, 0, 0, 0), interruptions=[3, 8, 10])
@example(heads=(LAST_STEP, 7, 0, 12), interruptions=[9])
@settings(max_examples=12)
def test_each_ends_with_the_bits_of_its_training_alone_from_wherever_it_starts(
    tiny, raised_after, alone, tmp_path_factory, heads, interruptions
):
    folder = tmp_path_factory.mktemp("cohort")

    def interrupted(names, step, seed):
        stop = raised_after(tiny.stream(), step)
        try:
            train(tiny, [member(tiny, folder, name, seed) for name in names], stop.stream, stop)
        except Interrupted:
            torch.manual_seed(seed)  # all must come from the files, not from net or generator

    for name, head in zip(MEMBERS, heads, strict=True):
        if head:
            interrupted([name], head, seed=0)
    for sitting, step in enumerate(interruptions):
        interrupted(MEMBERS, step, seed=sitting)
    seed = 9 if interruptions else 0
    assert train(tiny, [member(tiny, folder, name, seed) for name in MEMBERS]) == alone


def test_each_batch_is_made_once_for_all_and_short_trainings_come_out_first(tiny, watched, tmp_path):
    made = []

    def count(epoch, step, *batch):
        made.append((epoch, step))
        return batch

    members = [member(tiny, tmp_path, name) for name in ("dropout", "its twin", "mlp")]
    ended = fit(members, watched(tiny.stream(), count), tiny.validation(), StopFlag())
    first, _ = next(ended)
    assert first.key == "mlp"
    assert len((tmp_path / "dropout" / HISTORY).read_text().splitlines()) == 2
    assert [other.key for other, _ in ended] == ["dropout", "its twin"]
    assert made == [(epoch, step) for epoch in range(4) for step in range(4)]


def test_a_member_that_diverges_leaves_the_others_whole(tiny, watched, alone, tmp_path):
    members = [member(tiny, tmp_path, name) for name in MEMBERS]

    def spoil(epoch, step, *batch):
        if (epoch, step) == (0, 0):
            members[1].net[0].bias.data.fill_(math.nan)
        return batch

    results = train(tiny, members, watched(tiny.stream(), spoil))
    diverged = results.pop("dropout")
    assert list(results) == ["mlp", "its twin", "patience"]
    assert diverged["outcome"]["reason"] == "epoch 1: the training loss is not finite"
    assert results == {name: alone[name] for name in results}


class Breaks(torch.nn.Module):
    """A layer that changes nothing and runs out of memory at the given step."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def forward(self, images):
        self.left -= self.training
        if self.left == 0:
            self.activations = weakref.ref(activations := images.clone())
            raise torch.OutOfMemoryError(f"no room for {activations.shape}")
        return images


@pytest.mark.parametrize("step", [1, 6, 8])
def test_a_member_that_fails_leaves_the_others_whole_and_lets_go_of_its_memory(tiny, alone, tmp_path, step):
    members = [member(tiny, tmp_path, name) for name in MEMBERS]
    members[2].net.append(Breaks(step))
    results = train(tiny, members)
    failure = results.pop("its twin")
    assert isinstance(failure, torch.OutOfMemoryError)
    gc.collect()
    assert members[2].net[-1].activations() is None
    assert results == {name: alone[name] for name in results} and len(results) == 3
    # Called again, it goes on from its last epoch; the others are found to be done.
    assert train(tiny, [member(tiny, tmp_path, name) for name in MEMBERS]) == alone


def test_a_member_that_can_not_even_start_fails_alone(tiny, alone, tmp_path):
    members = [member(tiny, tmp_path, name) for name in ("mlp", "dropout")]
    (tmp_path / "mlp").write_text("a file where its folder should be")
    results = train(tiny, members)
    assert isinstance(results["mlp"], OSError)
    assert results["dropout"] == alone["dropout"]


def test_what_the_stream_raises_ends_them_all(tiny, tmp_path):
    def targets(epoch):
        raise OSError(f"no shard holds epoch {epoch}")

    with pytest.raises(OSError, match="no shard holds epoch 0"):
        train(tiny, [member(tiny, tmp_path, name) for name in MEMBERS], tiny.stream(targets))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu_each_ends_with_the_bits_of_its_training_alone(tiny, tmp_path):
    gpu, alone = type(tiny)(torch.device("cuda", 0)), {}
    for name in MEMBERS:
        alone |= train(gpu, [member(gpu, tmp_path / "alone", name)])
    assert train(gpu, [member(gpu, tmp_path / "together", name) for name in MEMBERS]) == alone
