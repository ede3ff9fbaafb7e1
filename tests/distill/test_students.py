import json
from pathlib import Path

import numpy as np
import pytest

from mimic.core.errors import MimicError
from mimic.core.parameters import Augmentation, CrossEntropy, Student
from mimic.core.runner import Context
from mimic.core.specs import Spec
from mimic.core.tasks import StudentTask
from mimic.core.types import OneCycle
from mimic.data.packed import write_packed
from mimic.distill.students import train_students

FILES = ("model.safetensors", "validation.safetensors", "history.jsonl", "record.json")
STUDENTS = {
    "mlp": ("mlp1", Student(learning_rate=0.01, momentum=0.9, widths={"fc": 24})),
    "conv": ("conv2", Student(learning_rate=0.02, momentum=0.8, widths={"c1": 4, "c2": 6})),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    splits = {
        split: (random.integers(256, size=(count, 3, 32, 32), dtype=np.uint8), random.integers(3, size=count))
        for split, count in {"train": 60, "validation": 40, "test": 10}.items()
    }
    write_packed(folder, splits, ("a", "b", "c"), "synthetic")
    return folder


def make_task(name, **options) -> StudentTask:
    family, student = STUDENTS[name]
    defaults = {
        "seed": 1,
        "precision": "fp32",
        "augmentation": Augmentation(),
        "transfer_epochs": 2,
        "batch_size": 20,
        "schedule": OneCycle(epochs=3),
        "loss": CrossEntropy(),
        "family": family,
        "budget": "20k",
        "arm": "labels",
        "repetition": 1,
        "student": student,
    }
    return StudentTask(**(defaults | options))


def make_context(folder: Path, name: str, said: list) -> Context:
    spec = Spec(
        **{"study": "toy", "step": "student", "name": name, "key": name, "task": {}, "code": {}},
        **{"upstream": {}, "outputs": {}, "sidecar": folder / "job.json"},
    )
    (folder / name).mkdir(parents=True, exist_ok=True)
    return Context(spec, folder / name, folder / "training" / name, 1, said.append)


def train(data, folder, tasks, limits=None, said=None):
    said = [] if said is None else said
    contexts = [make_context(folder, name, said) for name in tasks]
    for context in train_students(contexts, list(tasks.values()), data, [], limits):
        assert sorted(path.name for path in context.out.iterdir()) == sorted(FILES)
        yield context.spec.name


def contents(folder: Path) -> dict:
    """Weights and logits as bytes, and the record, without times."""
    record = json.loads((folder / "record.json").read_text())
    del record["seconds"], record["images_per_second"]
    return record, *(folder.joinpath(name).read_bytes() for name in FILES[:2])


def test_a_cohort_leaves_the_files_that_its_members_leave_alone(data, tmp_path):
    tasks = {"mlp": make_task("mlp"), "conv": make_task("conv", schedule=OneCycle(epochs=2))}
    assert list(train(data, tmp_path / "together", tasks)) == ["conv", "mlp"]
    for name, task in tasks.items():
        assert list(train(data, tmp_path / "alone", {name: task})) == [name]
        assert contents(tmp_path / "together" / name) == contents(tmp_path / "alone" / name)


def test_hopeless_trials_end_early_with_a_result(data, tmp_path):
    tasks = {"mlp": make_task("mlp"), "conv": make_task("conv")}
    assert list(train(data, tmp_path, tasks, limits=[{}, {1: 0.0, 2: 0.0}])) == ["conv", "mlp"]
    record = contents(tmp_path / "conv")[0]
    assert (record["status"], record["stop"], record["epochs"]) == ("finished", "hopeless", 1)
    assert contents(tmp_path / "mlp")[0]["stop"] == "budget"


def break_member(context: Context) -> None:
    context.training.parent.mkdir(parents=True, exist_ok=True)
    (context.training / "checkpoint.safetensors").mkdir(parents=True)


def test_members_that_fail_are_named_when_the_others_have_ended(data, tmp_path):
    said = []
    break_member(make_context(tmp_path, "mlp", said))
    training = train(data, tmp_path, {"mlp": make_task("mlp"), "conv": make_task("conv")}, said=said)
    with pytest.raises(ExceptionGroup, match=r"1 of 2 trainings failed: mlp") as caught:
        list(training)
    assert caught.value.exceptions[0].__notes__ == ["in the training of mlp"]
    assert any(line.startswith("failed: IsADirectoryError") for line in said)
    assert (tmp_path / "conv" / "record.json").exists()


def test_the_failure_of_a_training_alone_is_raised_as_it_is(data, tmp_path):
    break_member(make_context(tmp_path, "mlp", []))
    with pytest.raises(IsADirectoryError):
        list(train(data, tmp_path, {"mlp": make_task("mlp")}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 2),
        ("augmentation", Augmentation(mirror=0.0)),
        ("transfer_epochs", 3),
        ("batch_size", 30),
        ("arm", "logits"),
    ],
)
def test_members_must_agree_on_their_stream(data, tmp_path, field, value):
    tasks = {"mlp": make_task("mlp"), "conv": make_task("conv", **{field: value})}
    with pytest.raises(
        ValueError, match="members differ in " + ("their targets" if field == "arm" else field)
    ):
        list(train(data, tmp_path, tasks))


def test_a_student_of_logits_needs_their_shards(data, tmp_path):
    with pytest.raises(MimicError, match="shard"):
        list(train(data, tmp_path, {"mlp": make_task("mlp", arm="logits")}))
