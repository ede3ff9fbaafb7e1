"""Models of noise: students to train, and teachers that never were."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mimic.data.image_parameters import Augmentation
from mimic.data.packed import open_split
from mimic.nets.build import initialise
from mimic.nets.families import STUDENTS, teacher
from mimic.search.points import net_of
from mimic.search.spaces import Goal
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.models import make_net, subject_of, write_model
from mimic.training.outcome import Outcome
from mimic.training.predict import predict
from mimic.training.recipe import Student, StudentTask, Teacher, TeacherTask
from mimic.training.schedules.one_cycle import OneCycle

CLASSES, SIZE = 3, 16
COMMON = {
    "seed": 1,
    "precision": "fp32",
    "augmentation": Augmentation(window=(12, 16)),
    "batch_size": 20,
    "schedule": OneCycle(epochs=3),
}
HYPERPARAMETERS = {
    "mlp1": Student(learning_rate=0.01, momentum=0.9, widths={"fc": 24}),
    "conv2": Student(learning_rate=0.02, momentum=0.8, widths={"c1": 4, "c2": 6}),
}


@pytest.fixture(scope="session")
def student_task() -> Callable[..., StudentTask]:
    """The task of a student of a family, on hard labels unless told otherwise."""

    def make(family: str, **options) -> StudentTask:
        student = options.get("student", HYPERPARAMETERS[family])
        goal = Goal(family=STUDENTS[family], parameters=10_000, classes=CLASSES, image_size=SIZE)
        of_students = {
            "transfer_epochs": 2,
            "loss": CrossEntropy(),
            "family": family,
            "budget": "10k",
            "arm": "labels",
            "repetition": 1,
            "student": student,
            "net": net_of(goal, student),
        }
        return StudentTask(**(COMMON | of_students | options))

    return make


@pytest.fixture(scope="session")
def teachers(tmp_path_factory, data) -> dict[str, Path]:
    """Folders of teachers with random weights; the last is said to have diverged."""
    validation = torch.from_numpy(open_split(data, "validation").images_NCHW)
    goal = Goal(family=teacher(True), parameters=0, classes=CLASSES, image_size=SIZE)
    folders = {}
    for seed, name in enumerate(("one", "two", "three"), start=1):
        hyperparameters = Teacher(
            filters=(2, 3, 4),
            hidden=4 + seed,
            learning_rate=0.1,
            momentum=0.9,
            weight_decay=0.0,
            init_scale=3.0,
            seed=seed,
        )
        task = TeacherTask(**COMMON, teacher=hyperparameters, net=net_of(goal, hyperparameters))
        net = make_net(task, SIZE)
        initialise(net, hyperparameters.init_scale, seed)
        outcome = Outcome(
            status="diverged" if name == "three" else "finished",
            reason=None,
            stop="budget",
            history=(),
            best_epoch=1,
            validation_accuracy=0.5,
            validation_loss=1.0,
            images=100,
            seconds=1.0,
            images_per_second=100.0,
        )
        folders[name] = tmp_path_factory.mktemp(name)
        logits_NK = predict(net, validation, "fp32", torch.device("cpu"))
        write_model(folders[name], net, logits_NK, subject_of(task, name, SIZE), outcome)
    return folders
