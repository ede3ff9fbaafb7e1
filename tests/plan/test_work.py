"""Counts against hand-computed ones, and against files that the real code writes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mimic.dag.steps import STEPS
from mimic.data.image_parameters import CHANNELS, Data
from mimic.nets.build import build, save_weights
from mimic.plan import work
from mimic.plan.work import Counts, images_of
from mimic.support.errors import MimicError
from mimic.training import checkpoint
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience
from mimic.training.trainer import FitTask, Trainer

COUNTS = Counts(Data(image_size=8, train=100, validation=20, test=30))
# 3x3 convolutions 3-2-2 on 8x8 pixels, 2-3-3 on 4x4, 3-4-4-4-4 on 2x2, then 4-5-5-10 units
TEACHER_MULTIPLY_ADDS = (3456 + 2304) + (864 + 1296) + (432 + 3 * 576) + (20 + 25 + 50)
TEACHER_PARAMETERS = (56 + 38) + (57 + 84) + (112 + 3 * 148) + (25 + 30 + 60)


def test_teacher(make_study):
    job = make_study().job("teacher", "t1")
    found = COUNTS.work(job)
    assert found.trained.parameters == TEACHER_PARAMETERS
    trained, validated, last_look = 6 * 100 * 3, 2 * 20 * 3, 2 * 20
    assert found.flops == TEACHER_MULTIPLY_ADDS * (trained + validated + last_look)
    weights, logits = 4 * (TEACHER_PARAMETERS + 1), 4 * 20 * 10
    assert found.stored == weights + logits + 3 * work.FILE_BYTES  # history, record and sidecar
    assert found.read == 120 * (3 * 8 * 8 + 8) + work.FILE_BYTES
    assert found.files == 5


def test_student(make_study):
    """mlp1 with a bottleneck of b and 10 units has 193 b + 10 (b + 1) + 110 parameters."""
    job = make_study().jobs("student")[0]
    net = COUNTS.work(job).trained
    assert net.parameters == 1947  # b = 9; with 10 it were 2150, farther from 2000
    assert net.multiply_adds == 192 * 9 + 9 * 10 + 10 * 10


def test_shard(make_study):
    full, rest = (COUNTS.work(job) for job in make_study().jobs("logits"))
    members = 2
    assert full.flops == 2 * TEACHER_MULTIPLY_ADDS * members * 2 * 100
    assert full.stored == 2 * 2 * 100 * 10 + work.FILE_BYTES
    assert full.augmented == 200
    assert rest.flops == full.flops / 2


def test_evaluation(make_study):
    study = make_study()
    student = COUNTS.work(study.jobs("student")[0]).trained
    found = [COUNTS.work(job).flops for job in study.jobs("evaluation")]
    looks = 30 * 3  # as they are, moved by one distance, and augmented
    assert sum(found) == 2 * looks * (4 * TEACHER_MULTIPLY_ADDS + 3 * student.multiply_adds)
    assert COUNTS.work(study.job("evaluation", "t1")).flops == (2 * looks * TEACHER_MULTIPLY_ADDS)


def test_data_and_ensemble_are_no_flops(make_study):
    study = make_study()
    for step in ("data", "ensemble", "comparison", "report"):
        assert COUNTS.work(study.job(step)).flops == 0
    packed = COUNTS.work(study.job("data")).stored
    assert packed == 150 * (3 * 8 * 8 + 8) + 2 * work.FILE_BYTES  # data.json and sidecar


def test_batch_normalised_weights_take_what_is_planned(make_study, content, tmp_path):
    study = make_study(teachers={**content["teachers"], "batch_normalisation": True})
    net = COUNTS.work(study.job("teacher", "t1")).trained
    path = tmp_path / "model.safetensors"
    module = build(net.layers, CHANNELS, 8)
    save_weights(module, path)
    header = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    assert path.stat().st_size - header == 4 * net.stored


def test_checkpoint_takes_what_is_planned(make_study, tmp_path):
    net = COUNTS.work(make_study().jobs("student")[0]).trained
    task = FitTask(
        learning_rate=0.1,
        momentum=0.9,
        schedule=OneCycle(epochs=1),
        loss=CrossEntropy(),
        precision="fp32",
        seed=1,
    )
    trainer = Trainer(build(net.layers, CHANNELS, 8), task, torch.device("cpu"), 1)
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, "key", trainer.tensors, trainer.saved_state())
    header = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    assert path.stat().st_size - header == pytest.approx(net.checkpoint, abs=100)


def test_epochs_of_patience():
    schedule = Patience(stop=30, max_epochs=500)
    assert replace(COUNTS, patience_share=0.4).epochs(schedule) == 200
    assert replace(COUNTS, patience_share=0.01).epochs(schedule) == 31  # patience can't end sooner
    assert replace(COUNTS, patience_share=0.01).epochs(Patience(stop=30, max_epochs=20)) == 20
    assert replace(COUNTS, patience_share=0.4).epochs(OneCycle(epochs=7)) == 7


def test_more_epochs_are_more_work(make_study):
    job = make_study().jobs("student")[0]
    works = [replace(COUNTS, patience_share=share).work(job) for share in (0.4, 0.6, 1.0)]
    assert works[0].flops < works[1].flops < works[2].flops


def test_a_trial_costs_what_its_default_costs(make_study):
    effort = {"trials": 5, "at_once": 2, "space": {"learning_rate": {"low": 0.01, "high": 0.1}}}
    study = make_study(search={"teachers": effort})
    default = COUNTS.work(study.job("teacher", "t1"))
    trials = [COUNTS.work(job) for job in study.jobs("trial")]
    assert len(trials) == 5
    assert {trial.flops for trial in trials} == {default.flops}


def test_every_step_has_its_work(make_study):
    effort = {"trials": 2, "at_once": 2, "space": {"learning_rate": {"low": 0.01, "high": 0.1}}}
    jobs = make_study(search={"teachers": effort}).jobs()
    assert {job.step for job in jobs} == set(STEPS)
    for job in jobs:
        found = COUNTS.work(job)
        assert (found.stored > 0) and (found.read > 0) == bool(job.upstream)


def test_sources_of_known_size():
    data = Data(source="cifar10", path="somewhere", validation=10_000)
    assert images_of(data, Path("nowhere")) == data.model_copy(update={"train": 40_000, "test": 10_000})


def test_an_unknown_number_of_images_is_refused(tmp_path):
    data = Data(source="images", path="somewhere", test=10)
    with pytest.raises(MimicError, match=r"data\.train: null leaves the number of images open"):
        images_of(data, tmp_path)
