import json
from functools import partial
from pathlib import Path

import pytest

from mimic.data.image_parameters import Augmentation
from mimic.distill.students import settled, train, train_students, whole_task
from mimic.support.context import Context
from mimic.support.errors import MimicError
from mimic.training.recipe import Student
from mimic.training.schedules.one_cycle import OneCycle

FILES = ("model.safetensors", "validation.safetensors", "history.jsonl", "record.json")


@pytest.fixture
def mlp(student_task):
    return partial(student_task, "mlp1")


@pytest.fixture
def conv(student_task):
    return partial(student_task, "conv2")


def make_context(folder: Path, name: str, task, said=None, **inputs: Path) -> Context:
    (folder / name).mkdir(parents=True, exist_ok=True)
    return Context(
        task=task,
        out=folder / name,
        inputs={f"{step}/{step}": path for step, path in inputs.items()},
        name=name,
        training=folder / "training" / name,
        progress=(lambda line: None) if said is None else said.append,
        identity={"key": name},
    )


def trained(data, folder, tasks, limits=None, said=None):
    """Train students by name; yields the name of each that is done."""
    contexts = [make_context(folder, name, task, said, data=data) for name, task in tasks.items()]
    for context in train_students(contexts, list(tasks.values()), limits):
        assert sorted(path.name for path in context.out.iterdir()) == sorted(FILES)
        yield context.name


def contents(folder: Path) -> dict:
    """Weights and logits as bytes, and the record, without times."""
    record = json.loads((folder / "record.json").read_text())
    del record["seconds"], record["images_per_second"]
    return record, *(folder.joinpath(name).read_bytes() for name in FILES[:2])


def test_a_cohort_leaves_the_files_that_its_members_leave_alone(data, mlp, conv, tmp_path):
    tasks = {"mlp": mlp(), "conv": conv(schedule=OneCycle(epochs=2))}
    assert list(trained(data, tmp_path / "together", tasks)) == ["conv", "mlp"]
    for name, task in tasks.items():
        assert list(trained(data, tmp_path / "alone", {name: task})) == [name]
        assert contents(tmp_path / "together" / name) == contents(tmp_path / "alone" / name)


def test_hopeless_trials_end_early_with_a_result(data, mlp, conv, tmp_path):
    tasks = {"mlp": mlp(), "conv": conv()}
    assert set(trained(data, tmp_path, tasks, limits={1: 0.0, 2: 0.0})) == set(tasks)
    for name in tasks:
        record = contents(tmp_path / name)[0]
        assert (record["status"], record["stop"], record["epochs"]) == ("finished", "hopeless", 1)


def break_member(folder: Path, name: str) -> None:
    """A folder lies where the member's checkpoint belongs."""
    (folder / "training" / name / "checkpoint.safetensors").mkdir(parents=True)


def test_members_that_fail_are_named_when_the_others_have_ended(data, mlp, conv, tmp_path):
    said = []
    break_member(tmp_path, "mlp")
    training = trained(data, tmp_path, {"mlp": mlp(), "conv": conv()}, said=said)
    with pytest.raises(ExceptionGroup, match=r"1 of 2 trainings failed: mlp") as caught:
        list(training)
    assert caught.value.exceptions[0].__notes__ == ["in the training of mlp"]
    assert any(line.startswith("failed: IsADirectoryError") for line in said)
    assert (tmp_path / "conv" / "record.json").exists()


def test_the_failure_of_a_training_alone_is_raised_as_it_is(data, mlp, tmp_path):
    break_member(tmp_path, "mlp")
    with pytest.raises(IsADirectoryError):
        list(trained(data, tmp_path, {"mlp": mlp()}))


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"augmentation": Augmentation(mirror=0.0)},
        {"transfer_epochs": 3},
        {"batch_size": 30},
        {"arm": "logits"},
    ],
)
def test_members_must_agree_on_their_stream(data, mlp, conv, tmp_path, other):
    with pytest.raises(ValueError, match="members differ"):
        list(trained(data, tmp_path, {"mlp": mlp(), "conv": conv(**other)}))


def test_a_student_of_logits_needs_their_shards(data, mlp, tmp_path):
    with pytest.raises(MimicError, match="shard"):
        list(trained(data, tmp_path, {"mlp": mlp(arm="logits")}))


@pytest.fixture
def selection(tmp_path, mlp) -> tuple[Path, Student]:
    """What a search left, and the hyperparameters that it found."""
    found = Student(learning_rate=0.05, momentum=0.5, widths={"fc": 12})
    net = mlp(student=found).model_dump(mode="json")["net"]
    folder = tmp_path / "selection"
    folder.mkdir()
    content = {"best": "t03", "hyperparameters": found.model_dump(mode="json"), "net": net}
    (folder / "selection.json").write_text(json.dumps(content))
    return folder, found


def test_a_student_takes_the_hyperparameters_and_the_net_that_a_search_found(data, mlp, tmp_path, selection):
    folder, found = selection
    task, expected = mlp(), mlp(student=found)
    assert task.net != expected.net
    context = make_context(tmp_path, "mlp", task, data=data, selection=folder)
    assert whole_task(context) == expected
    (done,) = train([context])
    assert contents(done.out)[0]["hyperparameters"] == expected.model_dump(mode="json")


def test_a_students_result_depends_on_what_was_found_alone(data, mlp, tmp_path, selection):
    folder, found = selection
    searched = make_context(tmp_path, "mlp", mlp(), data=data, selection=folder)
    assert settled(searched) == mlp(student=found).model_dump(mode="json")
    assert settled(make_context(tmp_path, "mlp", mlp(), data=data)) is None
