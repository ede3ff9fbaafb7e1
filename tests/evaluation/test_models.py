"""Every model in one table: teachers, the ensemble, students and the best trials of a search."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

from mimic.core.parameters import L2, Augmentation, Data, Ensemble, Evaluation, Student, Teacher
from mimic.core.tasks import EvaluationTask, StudentTask, TeacherTask
from mimic.core.types import OneCycle
from mimic.data.prepare import prepare
from mimic.distill.members import choose_members
from mimic.evaluation.models import evaluate_models
from mimic.evaluation.trials import load_trials
from mimic.training.models import make_net, subject_of, write_model
from mimic.training.record import Outcome, summary

CLASSES, SIZE, TEST = 10, 8, 20
OUTCOME = Outcome(
    status="finished",
    reason=None,
    stop="budget",
    history=(),
    best_epoch=1,
    validation_accuracy=0.5,
    validation_loss=1.5,
    images=100,
    seconds=1.0,
    images_per_second=100.0,
)
SHARED = {"seed": 1, "precision": "fp32", "augmentation": Augmentation(window=(6, 8)), "batch_size": 10}
CYCLE = OneCycle(epochs=1)
TEACHER = TeacherTask(
    **SHARED,
    batch_normalisation=False,
    schedule=CYCLE,
    teacher=Teacher(filters=(2, 2, 2), hidden=4, learning_rate=0.1, momentum=0.9, weight_decay=0.0),
)
STUDENT = StudentTask(
    **SHARED,
    schedule=CYCLE,
    transfer_epochs=1,
    loss=L2(),
    family="mlp1",
    budget="5k",
    arm="logits",
    repetition=1,
    student=Student(learning_rate=0.01, momentum=0.9, input_scale=1.1, widths={"fc": 20}),
)


def net_of(task, seed: int):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_net(task, CLASSES, SIZE).eval()


def write(folder: Path, task, seed: int, outcome: Outcome = OUTCOME):
    net = net_of(task, seed)
    folder.mkdir(parents=True)
    validation_NK = torch.randn(20, CLASSES, generator=torch.Generator().manual_seed(seed))
    write_model(folder, net, validation_NK, subject_of(task, folder.name, CLASSES, SIZE), outcome)
    return net


def write_selection(folder: Path, task, names: list[str]) -> dict:
    """A selection of trials whose nets are seeded by their order. The nets by name, best first."""
    nets = {name: net_of(task, seed) for seed, name in enumerate(names, start=50)}
    records = {name: summary(subject_of(task, name, CLASSES, SIZE), OUTCOME) for name in names}
    folder.mkdir(parents=True)
    kind = "teacher" if isinstance(task, TeacherTask) else "student"
    description = {"kind": kind, "averaged": names, "records": records}
    (folder / "selection.json").write_text(json.dumps(description))
    weights = {
        f"{name}/{key}": value for name, net in nets.items() for key, value in net.state_dict().items()
    }
    save_file(weights, folder / "best.safetensors")
    return nets


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """What `evaluate_models` left, and the nets of a search's trials."""
    root = tmp_path_factory.mktemp("study")
    (root / "data").mkdir()
    prepare(Data(image_size=SIZE, train=10, validation=20, test=TEST), 1, root / "data")
    teachers = {name: root / "teachers" / name for name in ("t1", "t2")}
    candidates = {**teachers, "teachers-r01-t01": root / "teachers" / "teachers-r01-t01"}
    for seed, folder in enumerate(candidates.values()):
        write(folder, TEACHER, seed)
    (root / "ensemble").mkdir()
    labels_N = load_file(root / "data" / "validation.safetensors")["labels_N"]
    choose_members(candidates, labels_N, Ensemble(size=3), root / "ensemble", lambda text: None)
    students = {name: root / "students" / name for name in ("mlp1-5k-logits-s1", "mlp1-5k-logits-s2")}
    write(students["mlp1-5k-logits-s1"], STUDENT, 10)
    diverged = replace(OUTCOME, status="diverged", stop="diverged", validation_accuracy=None)
    write(students["mlp1-5k-logits-s2"], STUDENT, 11, diverged)
    trial = STUDENT.model_copy(update={"repetition": 0})
    names = ["mlp1-5k-logits-r02-t01", "mlp1-5k-logits-r01-t04"]
    searches = {"mlp1-5k-logits": root / "students" / "searches" / "mlp1-5k-logits"}
    nets = write_selection(searches["mlp1-5k-logits"], trial, names)
    out = root / "evaluation"
    out.mkdir()
    task = EvaluationTask(seed=1, precision="fp32", evaluation=Evaluation(translations=(1,)))
    evaluate_models(
        task,
        data=root / "data",
        teachers=teachers,
        ensemble=root / "ensemble",
        students=students,
        selections=searches,
        out=out,
        threads=1,
        progress=lambda text: None,
    )
    models = pd.read_csv(out / "models.csv", dtype={"budget": str}).set_index("name")
    return models, load_file(out / "predictions.safetensors"), nets


def test_every_model_has_a_row_and_every_one_that_finished_its_predictions(evaluated):
    models, predictions, nets = evaluated
    kinds = ["ensemble", "teacher", "teacher", "student", "student", "trial", "trial"]
    assert list(models.kind) == kinds
    assert set(predictions) == {"labels_N", *models.index} - {"mlp1-5k-logits-s2"}
    assert list(models.index[-2:]) == list(nets)  # the best first
    assert models.accuracy.isna().sum() == 1  # the student that diverged


def test_accuracies_are_those_of_the_predictions(evaluated):
    models, predictions, _ = evaluated
    for name, logits_NK in predictions.items():
        if name != "labels_N":
            right = (logits_NK.argmax(axis=1) == predictions["labels_N"]).mean()
            assert models.accuracy[name] == pytest.approx(right)


def test_the_ensemble_costs_what_its_members_cost_trials_among_them(evaluated):
    models, _, _ = evaluated
    for column in ("parameters", "multiply_adds", "seconds", "training_flops"):
        assert models[column]["ensemble"] == pytest.approx(3 * models[column]["t1"])


def test_a_trial_is_told_as_what_it_was_trained_as(evaluated):
    models, _, nets = evaluated
    for name in nets:
        row = models.loc[name]
        assert (row.family, row.budget, row.arm, row.seed) == ("mlp1", "5k", "logits", 0)


@pytest.mark.parametrize("task", [TEACHER, STUDENT], ids=["teacher", "student"])
def test_trials_come_back_with_their_own_weights(tmp_path, task):
    names = ["x-r01-t01", "x-r01-t010"]  # one name begins like the other
    nets = write_selection(tmp_path / "x", task, names)
    loaded = list(load_trials(tmp_path / "x", CLASSES, SIZE))
    assert [record["name"] for record, _ in loaded] == names
    images = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    for (record, net), other in zip(loaded, reversed(names), strict=True):
        assert not net.training
        expected = nets[record["name"]](images).detach().numpy()
        np.testing.assert_array_equal(net(images).detach().numpy(), expected)
        assert not np.array_equal(nets[other](images).detach().numpy(), expected)
