"""Models as files, alone and in bundles."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from mimic.data.image_parameters import Augmentation
from mimic.nets.build import initialise
from mimic.nets.families import STUDENTS
from mimic.support.errors import MimicError
from mimic.training.losses.l2 import L2
from mimic.training.models import load_bundle, load_model, make_net, subject_of, write_bundle, write_model
from mimic.training.outcome import Outcome
from mimic.training.recipe import Student, StudentTask
from mimic.training.schedules.one_cycle import OneCycle

SIZE = 8
HISTORY = ({"epoch": 1, "validation_error": 0.5},)
OUTCOME = Outcome("finished", None, "budget", HISTORY, 1, 0.5, 1.2, 60, 1.0, 60.0)


def task(units: int) -> StudentTask:
    widths = {"lfc": 3, "fc": units}
    return StudentTask(
        seed=1,
        precision="fp32",
        augmentation=Augmentation(window=(6, 8)),
        transfer_epochs=1,
        batch_size=10,
        schedule=OneCycle(epochs=1),
        loss=L2(),
        family="mlp1",
        budget="1k",
        arm="logits",
        repetition=1,
        student=Student(learning_rate=0.1, momentum=0.9, input_scale=1.5, widths={"fc": units}),
        net=STUDENTS["mlp1"].layers(widths, 3, {"fc1": 0.0}),
    )


@pytest.fixture
def models(tmp_path):
    """Nets of different widths, one's name the beginning of another's, and their folders."""
    nets, folders = {}, {}
    for units, name in enumerate(("a", "a-1", "b"), start=4):
        net = nets[name] = make_net(task(units), SIZE)
        initialise(net, 1.0, seed=units)
        folders[name] = tmp_path / name
        folders[name].mkdir()
        logits_NK = torch.arange(6.0).reshape(2, 3)
        write_model(folders[name], net, logits_NK, subject_of(task(units), name, SIZE), OUTCOME)
    return nets, folders


def images():
    return torch.randn(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def test_a_model_comes_back_from_its_files(models):
    nets, folders = models
    assert sorted(path.name for path in folders["a"].iterdir()) == [
        "history.jsonl",
        "model.safetensors",
        "record.json",
        "validation.safetensors",
    ]
    record, net = load_model(folders["a"], SIZE)
    assert (record["name"], record["family"], record["epochs"]) == ("a", "mlp1", 1)
    assert not net.training
    assert torch.equal(net(images()), nets["a"](images()))
    assert load_file(folders["a"] / "validation.safetensors")["logits_NK"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_models_of_a_bundle_come_back_by_name(models, tmp_path):
    nets, folders = models
    path = tmp_path / "best.safetensors"
    write_bundle(path, folders)
    records = {name: load_model(folder, SIZE)[0] for name, folder in folders.items()}
    loaded = load_bundle(path, records, SIZE)
    assert list(loaded) == ["a", "a-1", "b"]
    for name, net in loaded.items():
        assert not net.training
        assert torch.equal(net(images()), nets[name](images()))
    assert list(load_bundle(path, {"b": records["b"]}, SIZE)) == ["b"]


def test_a_bundle_depends_on_its_models_alone(models, tmp_path):
    _, folders = models
    chosen = {name: folders[name] for name in ("a", "b")}
    write_bundle(tmp_path / "one", chosen)
    with safe_open(tmp_path / "one", framework="pt") as file:
        assert {name.partition("/")[0] for name in file.keys()} == {"a", "b"}  # noqa: SIM118
    (folders["a-1"] / "model.safetensors").unlink()
    write_bundle(tmp_path / "two", chosen)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_record_that_can_not_be_read_is_named(models):
    _, folders = models
    (folders["b"] / "record.json").write_text("{")
    with pytest.raises(MimicError, match=r"b/record\.json: can not be read"):
        load_model(folders["b"], SIZE)
