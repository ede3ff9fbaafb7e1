"""Targets less their class's mean, over one scale; the net's logits stay those of the ensemble's scale."""

import contextlib

import pytest
import torch

from mimic.nets.build import build, initialise, load_weights, save_weights
from mimic.nets.layers import Flatten, Linear, ReLU
from mimic.support.errors import MimicError
from mimic.support.frozen import asked
from mimic.support.interrupt import Interrupted, StopFlag
from mimic.support.parts import called
from mimic.training.fit import fit
from mimic.training.losses.l2 import L2, Targets
from mimic.training.member import Member
from mimic.training.schedules.one_cycle import OneCycle

STANDARDISED = L2(targets=Targets(standardise=True))
MEAN_K, SCALE = torch.tensor([3.0, -1.0, 10.0]), 6.0


def logits(epoch: int) -> torch.Tensor:
    """Of 40 images, far from zero and wide."""
    return MEAN_K + SCALE * torch.randn(40, 3, generator=torch.Generator().manual_seed(epoch))


def standardised(epoch: int) -> torch.Tensor:
    first_NK = logits(0)
    mean_K = first_NK.mean(dim=0)
    return (logits(epoch) - mean_K) / (first_NK - mean_K).square().mean().sqrt()


def net_of(loss, seed=1):
    net = build((Flatten(), Linear(8), ReLU(), Linear(3)), channels=3, image_size=8)
    initialise(net, 1.0, seed)
    loss.start(net, logits)
    return net


def member(tiny, folder, loss, seed=1) -> Member:
    task = tiny.task(loss=loss, learning_rate=0.02, schedule=OneCycle(epochs=3))
    return Member(net_of(loss, seed), task, folder, "key", lambda line: None)


def train(tiny, folder, loss, targets, *companions, seed=1, stop=None):
    """The net and the traces of a training, among others."""
    members, stream = [member(tiny, folder, loss, seed), *companions], tiny.stream(targets)
    ended = dict(fit(members, stop.stream if stop else stream, tiny.validation(), stop or StopFlag()))
    return members[0].net, tiny.traces(members[0].net, ended[members[0]], folder, "key")


def test_the_net_learns_standardised_targets_and_says_logits_of_the_ensemble_s_scale(tiny, tmp_path):
    net, traces = train(tiny, tmp_path / "on", STANDARDISED, logits)
    plain, expected = train(tiny, tmp_path / "off", L2(), standardised)
    assert [e["train_loss"] for e in traces["history"]] == pytest.approx(
        [e["train_loss"] for e in expected["history"]], rel=1e-4
    )
    images = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    first_NK = logits(0)
    scale = (first_NK - first_NK.mean(dim=0)).square().mean().sqrt()
    if traces["outcome"]["best_epoch"] == expected["outcome"]["best_epoch"]:
        torch.testing.assert_close(
            net(images), plain(images) * scale + first_NK.mean(dim=0), rtol=1e-3, atol=1e-3
        )


def test_it_ends_with_the_same_bits_interrupted_and_in_company(tiny, raised_after, tmp_path):
    _, alone = train(tiny, tmp_path / "alone", STANDARDISED, logits)
    with contextlib.suppress(Interrupted):
        stop = raised_after(tiny.stream(logits), 6)
        train(tiny, tmp_path / "cohort", STANDARDISED, logits, stop=stop)
    companion = member(tiny, tmp_path / "other", L2())
    _, together = train(tiny, tmp_path / "cohort", STANDARDISED, logits, companion, seed=9)
    assert together == alone


def test_the_map_is_stored_with_the_weights(tmp_path):
    net, path = net_of(STANDARDISED), tmp_path / "model.safetensors"
    save_weights(net, path)
    again = net_of(L2(), seed=2)
    load_weights(again, path)
    images = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again(images), net(images))
    assert net(images).mean(dim=0).tolist() == pytest.approx(MEAN_K.tolist(), abs=2 * SCALE)


def test_a_net_that_maps_takes_no_weights_of_one_that_does_not(tmp_path):
    save_weights(net_of(L2()), tmp_path / "model.safetensors")
    with pytest.raises(MimicError, match="logit_mean is absent"):
        load_weights(net_of(STANDARDISED), tmp_path / "model.safetensors")


def test_off_it_leaves_no_trace():
    assert asked(L2()) == {"kind": "l2"}
    assert "logit_scale" not in net_of(L2()).state_dict()
    assert called(STANDARDISED) == "squared L2 distance between logits, targets standardise"
    assert called(L2(reduction="mean")) == "squared L2 distance between logits, reduction mean"
