"""Tasks as they travel: through JSON, and in the record of a model."""

import pytest

from mimic.data.image_parameters import Augmentation
from mimic.nets.families import FAMILIES, STUDENTS, teacher
from mimic.nets.layers import BatchNorm, Conv, Dropout
from mimic.training.losses.kl import KL
from mimic.training.models import subject_of
from mimic.training.outcome import Outcome, summary
from mimic.training.recipe import Student, StudentTask, Teacher, TeacherTask, hyperparameters, task_of
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience

COMMON = {"seed": 1, "precision": "bf16", "augmentation": Augmentation(), "batch_size": 128}
RATES = {"conv1": 0.1, "conv2": 0.0, "conv3": 0.25, "fc1": 0.5, "fc2": 0.4}
DIVERGED = Outcome("diverged", "epoch 1: …", "diverged", (), 0, None, None, 12, 0.1, 120.0)


def layers_of(family):
    names = [*family.given, *filter(None, [family.dependent])]
    return family.layers({name: 4 + place for place, name in enumerate(names)}, 10, RATES)


def student_task(family):
    return StudentTask(
        **COMMON,
        transfer_epochs=3,
        schedule=Patience(),
        loss=KL(),
        family=family,
        budget="1M",
        arm="dropout",
        repetition=2,
        student=Student(learning_rate=0.01, momentum=0.9, widths={"fc": 0.1 + 0.2}),
        net=layers_of(STUDENTS[family]),
    )


def teacher_task(batch_normalisation):
    return TeacherTask(
        **COMMON,
        schedule=OneCycle(epochs=3),
        teacher=Teacher(
            filters=(4, 5, 6), hidden=7, learning_rate=0.1, momentum=0.9, weight_decay=0.0, seed=3
        ),
        net=layers_of(teacher(batch_normalisation)),
    )


TASKS = {
    **{family: student_task(family) for family in FAMILIES},
    "teacher": teacher_task(False),
    "normalised teacher": teacher_task(True),
}


@pytest.fixture(params=TASKS, ids=str)
def task(request):
    return TASKS[request.param]


def test_a_task_comes_back_from_json_with_its_net(task):
    again = type(task).model_validate_json(task.model_dump_json())
    assert again == task
    assert [type(layer) for layer in again.net] == [type(layer) for layer in task.net]


def test_a_models_record_holds_its_whole_task(task):
    record = summary(subject_of(task, "model", 32), DIVERGED)
    assert task_of(record) == task
    assert record["seed"] == (task.teacher.seed if record["kind"] == "teacher" else task.repetition)


def test_layers_keep_what_sets_them_apart():
    net = TeacherTask.model_validate_json(TASKS["normalised teacher"].model_dump_json()).net
    assert net[:3] == (Conv(4, 3, bias=False), BatchNorm(), net[2])
    assert [layer.rate for layer in net if isinstance(layer, Dropout)] == [0.1, 0.25, 0.5, 0.4]


def test_hyperparameters_are_those_of_the_net():
    assert hyperparameters(TASKS["teacher"]) is TASKS["teacher"].teacher
    assert hyperparameters(TASKS["conv2"]) is TASKS["conv2"].student
