from dataclasses import replace

import pytest

from mimic.data.image_parameters import Data
from mimic.nets.layers import Flatten, Linear
from mimic.plan import hardware
from mimic.plan.hardware import TABLE, Pace, named
from mimic.plan.nets import PlannedNet
from mimic.plan.work import Counts
from mimic.support.errors import MimicError
from mimic.training import predict

COUNTS = Counts(Data(image_size=8, train=100, validation=20, test=30))


@pytest.fixture
def works(make_study):
    study = make_study()
    return [COUNTS.work(job) for job in study.jobs("student")]


def test_seconds_by_hand(works):
    """A machine on which only convolutions and products cost, then one on which only epochs' ends do."""
    free = replace(
        named("laptop-2-cores"), start=0, augmentation=0, saving=0, layer=0, flops={"bf16": 1e6, "fp32": 2e6}
    )
    work = replace(works[0], read=0)
    assert free.seconds([work], "fp32") == pytest.approx(work.flops / 2e6)
    saves = replace(free, saving=1e-3, flops={"bf16": 1e30, "fp32": 1e30})
    net, epochs = work.trained, work.epochs
    assert saves.seconds([work], "fp32") == pytest.approx(epochs * 12 * net.parameters * 1e-3)


def test_a_cohort_shares_its_start_and_its_images(works):
    hardware = named("laptop-2-cores")
    alone = sum(hardware.seconds([work], "fp32") for work in works)
    shared = 2 * (hardware.start + hardware.augmentation * 100 * works[0].epochs)
    assert hardware.seconds(works, "fp32") == pytest.approx(alone - shared)


def test_a_cohort_holds_the_weights_of_all(works):
    hardware = named("laptop-2-cores")
    one, _ = hardware.memory(works[:1], "fp32")
    three, _ = hardware.memory(works, "fp32")
    assert three - one == pytest.approx(2 * 4 * 4 * works[0].trained.parameters)


def test_memory_of_a_gpu_is_counted_apart(works):
    host, gpu = named("a100").memory(works, "bf16")
    assert 0 < gpu < host
    assert named("laptop-2-cores").memory(works, "bf16")[1] == 0


@pytest.mark.parametrize("name", TABLE)
def test_more_epochs_take_longer(make_study, name):
    job = make_study().jobs("student")[0]
    shares = (0.4, 0.6, 1.0)
    seconds = [
        TABLE[name].seconds([replace(COUNTS, patience_share=share).work(job)], "bf16") for share in shares
    ]
    assert seconds == sorted(set(seconds))


def test_measured_nets_tell_of_those_between_and_beyond():
    nets = {units: PlannedNet("mlp1", 128, (Flatten(), Linear(units)), 8) for units in (5, 10, 20, 40, 80)}
    measured = (Pace(nets[10], 1.0, 0.1), Pace(nets[40], 2.0, 0.8))
    hardware = replace(named("a100"), paces=measured)
    paces = {units: hardware.image_seconds(net, "bf16", training=True) for units, net in nets.items()}
    assert paces == pytest.approx({5: 0.5, 10: 1.0, 20: 2**0.5, 40: 2.0, 80: 4.0})
    assert hardware.image_seconds(nets[40], "bf16", training=False) == pytest.approx(0.8)


def test_nets_of_a_kind_that_was_not_measured_are_of_the_table():
    mlp, other = (PlannedNet(family, 128, (Flatten(), Linear(10)), 8) for family in ("mlp1", "mlp2"))
    hardware = replace(named("a100"), paces=(Pace(mlp, 1.0, 0.1),))
    assert hardware.image_seconds(other, "bf16", training=True) < 1.0


def test_unknown_hardware_is_refused():
    with pytest.raises(MimicError, match=r"--hardware abacus: must be here .* or one of v100, a100"):
        named("abacus")


def test_images_are_predicted_in_batches_of_the_size_that_is_planned():
    assert hardware.BATCH == predict.BATCH
