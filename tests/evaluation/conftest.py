"""Models without a training: nets of fixed weights, as their jobs would have left them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mimic.data.image_parameters import Augmentation, Data, DataTask
from mimic.data.prepare import prepare
from mimic.distill.distillation import Ensemble, EnsembleTask
from mimic.distill.members import choose_members
from mimic.evaluation.compare import compare
from mimic.evaluation.measure import evaluate
from mimic.evaluation.protocol import ComparisonTask, Evaluation, EvaluationTask
from mimic.nets.families import STUDENTS, teacher
from mimic.search.points import net_of
from mimic.search.spaces import Goal
from mimic.support.context import Context
from mimic.training.losses.l2 import L2
from mimic.training.models import make_net, subject_of, write_model
from mimic.training.outcome import Outcome, summary
from mimic.training.recipe import ModelTask, Student, StudentTask, Teacher, TeacherTask
from mimic.training.schedules.one_cycle import OneCycle

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
DIVERGED = replace(OUTCOME, status="diverged", stop="diverged", validation_accuracy=None)
SHARED = {
    "seed": 1,
    "precision": "fp32",
    "augmentation": Augmentation(window=(6, 8)),
    "batch_size": 10,
    "schedule": OneCycle(epochs=1),
}


def net_layers(family, parameters: int, model: Teacher | Student):
    return net_of(Goal(family=family, parameters=parameters, classes=CLASSES, image_size=SIZE), model)


SMALL_TEACHER = Teacher(filters=(2, 2, 2), hidden=4, learning_rate=0.1, momentum=0.9, weight_decay=0.0)
TEACHER = TeacherTask(**SHARED, teacher=SMALL_TEACHER, net=net_layers(teacher(False), 0, SMALL_TEACHER))
SMALL_STUDENT = Student(learning_rate=0.01, momentum=0.9, input_scale=1.1, widths={"fc": 20})
STUDENT = StudentTask(
    **SHARED,
    transfer_epochs=1,
    loss=L2(),
    family="mlp1",
    budget="5k",
    arm="logits",
    repetition=1,
    student=SMALL_STUDENT,
    net=net_layers(STUDENTS["mlp1"], 5000, SMALL_STUDENT),
)
EVALUATION = EvaluationTask(
    seed=1,
    precision="fp32",
    augmentation=SHARED["augmentation"],
    evaluation=Evaluation(translations=(1,)),
)
TRIAL = STUDENT.model_copy(update={"repetition": 0})
# The best first; one name begins like the other.
TRIALS = ["mlp1-5k-logits-r02-t010", "mlp1-5k-logits-r02-t01"]


def net_of_seed(task: ModelTask, seed: int) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_net(task, SIZE).eval()


def write(folder: Path, task: ModelTask, seed: int, outcome: Outcome = OUTCOME) -> Path:
    folder.mkdir(parents=True)
    validation_NK = torch.randn(20, CLASSES, generator=torch.Generator().manual_seed(seed))
    write_model(folder, net_of_seed(task, seed), validation_NK, subject_of(task, folder.name, SIZE), outcome)
    return folder


def trial_nets(task: ModelTask, names: list[str]) -> dict[str, torch.nn.Module]:
    return {name: net_of_seed(task, seed) for seed, name in enumerate(names, start=50)}


def write_selection(folder: Path, task: ModelTask, names: list[str]) -> Path:
    """A selection of trials with the nets of `trial_nets`."""
    records = {name: summary(subject_of(task, name, SIZE), OUTCOME) for name in names}
    folder.mkdir(parents=True)
    (folder / "selection.json").write_text(json.dumps({"averaged": names, "records": records}))
    nets = trial_nets(task, names)
    save_file({f"{n}/{key}": w for n, net in nets.items() for key, w in net.state_dict().items()},
              folder / "best.safetensors")  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, Path]:
    """The folder of each job upstream of the evaluations, by the job."""
    root = tmp_path_factory.mktemp("study")
    for name in ("data", "ensemble"):
        (root / name).mkdir()
    data = Data(image_size=SIZE, train=10, validation=20, test=TEST)
    prepare(Context(DataTask(seed=1, data=data), root / "data"))
    teachers = {f"teacher/{name}": root / "teachers" / name for name in ("t1", "t2")}
    candidates = teachers | {"trial/teachers-r01-t01": root / "teachers" / "teachers-r01-t01"}
    for seed, folder in enumerate(candidates.values()):
        write(folder, TEACHER, seed)
    task = EnsembleTask(ensemble=Ensemble(size=3))
    choose_members(Context(task, root / "ensemble", {"data/data": root / "data"} | candidates))
    return {
        "data/data": root / "data",
        "ensemble/ensemble": root / "ensemble",
        **teachers,
        "student/mlp1-5k-logits-s1": write(root / "students" / "mlp1-5k-logits-s1", STUDENT, 10),
        "student/mlp1-5k-logits-s2": write(root / "students" / "mlp1-5k-logits-s2", STUDENT, 11, DIVERGED),
        "selection/mlp1-5k-logits": write_selection(root / "searches" / "mlp1-5k-logits", TRIAL, TRIALS),
    }


@pytest.fixture(scope="session")
def trials() -> dict[str, torch.nn.Module]:
    """The nets of the search's best trials, the best first."""
    return trial_nets(TRIAL, TRIALS)


@pytest.fixture(scope="session")
def evaluated(models, tmp_path_factory) -> Callable[[str], Path]:
    """Evaluate what a job left; the folder of the evaluation."""
    root, done = tmp_path_factory.mktemp("evaluation"), {}

    def folder(job: str) -> Path:
        if job not in done:
            done[job] = root / job.replace("/", "-")
            done[job].mkdir()
            inputs = {job: models[job], "data/data": models["data/data"]}
            if job != "ensemble/ensemble":
                inputs["evaluation/ensemble"] = folder("ensemble/ensemble")
            evaluate(Context(EVALUATION, done[job], inputs))
        return done[job]

    return folder


@pytest.fixture(scope="session")
def compared(models, evaluated, tmp_path_factory) -> Path:
    """The folder of the comparison of all models."""
    out = tmp_path_factory.mktemp("comparison")
    jobs = [job for job in models if job != "data/data"]
    compare(
        Context(ComparisonTask(), out, {f"evaluation/{job.split('/')[1]}": evaluated(job) for job in jobs})
    )
    return out
