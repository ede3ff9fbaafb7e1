"""From trained teachers to the shards of the transfer set."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation
from mimic.data.packed import open_split, read_description
from mimic.distill.distillation import Ensemble, EnsembleTask, LogitsTask
from mimic.distill.label import label_shard
from mimic.distill.members import choose_members, load_ensemble
from mimic.distill.transfer import TransferTargets, image_identity
from mimic.engine.code import code
from mimic.support.context import Context
from mimic.training.models import load_model
from mimic.training.predict import predict, prepared

CPU = torch.device("cpu")
SIZE = 16
AUGMENTATION = Augmentation(window=(12, 16))


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory, data, teachers):
    """The folder of an ensemble of two, chosen among three of which one diverged; and what was said."""
    out, said = tmp_path_factory.mktemp("ensemble"), []
    choose_members(
        Context(
            task=EnsembleTask(ensemble=Ensemble(size=3)),
            out=out,
            inputs={"data/data": data} | {f"teacher/{name}": folder for name, folder in teachers.items()},
            progress=said.append,
        )
    )
    return out, said


def test_an_ensemble_is_its_members_and_how_they_were_chosen(ensemble, teachers):
    folder, said = ensemble
    content = json.loads((folder / "ensemble.json").read_text())
    assert sorted(content["members"]) == ["one", "two"] == sorted(content["records"])
    assert content["candidates"] == ["one", "two"]
    assert [step["member"] for step in content["trace"]] == content["members"]
    assert content["note"] == "only 2 teachers for 3 members; diverged and not considered: three"
    assert said[0].startswith(f"{', '.join(content['members'])}: validation accuracy ")
    assert said[1:] == [content["note"]]
    with safe_open(folder / "members.safetensors", framework="pt") as file:
        assert {name.partition("/")[0] for name in file.keys()} == {"one", "two"}  # noqa: SIM118


def test_an_ensembles_logits_are_the_mean_of_its_members(ensemble, data, teachers):
    images = torch.from_numpy(open_split(data, "test").images_NCHW)
    net = load_ensemble(ensemble[0], SIZE, CPU)
    members = [load_model(teachers[name], SIZE)[1] for name in ("one", "two")]
    first, second = (predict(member, images, "fp32", CPU) for member in members)
    assert not torch.allclose(first, second)
    torch.testing.assert_close(predict(net, images, "fp32", CPU), (first + second) / 2)


def test_a_mirrored_ensemble_is_the_mean_over_both_views(tmp_path, data, teachers):
    choose_members(
        Context(
            task=EnsembleTask(ensemble=Ensemble(size=1, mirrored=True)),
            out=tmp_path,
            inputs={"data/data": data, "teacher/one": teachers["one"]},
            progress=lambda line: None,
        )
    )
    images = torch.from_numpy(open_split(data, "test").images_NCHW)
    member = load_model(teachers["one"], SIZE)[1]
    expected = (predict(member, images, "fp32", CPU) + predict(member, images.flip(3), "fp32", CPU)) / 2
    found = predict(load_ensemble(tmp_path, SIZE, CPU), images, "fp32", CPU)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def label(ensemble, data, out, first_epoch, epochs):
    """The path of a shard of some epochs."""
    task = LogitsTask(
        seed=1,
        precision="fp32",
        augmentation=AUGMENTATION,
        dtype="float32",
        first_epoch=first_epoch,
        epochs=epochs,
    )
    out.mkdir()
    said = []
    inputs = {"data/data": data, "ensemble/ensemble": ensemble[0]}
    label_shard(Context(task=task, out=out, inputs=inputs, progress=said.append))
    assert len(said) == epochs
    return out / "logits.safetensors"


def test_shards_hold_the_ensembles_logits_on_the_augmented_images_of_their_epochs(ensemble, data, tmp_path):
    shards = [label(ensemble, data, tmp_path / "1", 0, 2), label(ensemble, data, tmp_path / "2", 2, 1)]
    identity = image_identity(read_description(data).digest, AUGMENTATION, 1, SIZE)
    targets = TransferTargets(shards, identity, images=60, epochs=3)
    images, augmenter = torch.from_numpy(open_split(data, "train").images_NCHW), Augmenter(AUGMENTATION, SIZE)
    net = load_ensemble(ensemble[0], SIZE, CPU)
    for epoch in range(3):
        augmented = augmenter(images, augmenter.draws(60, 1, "transfer", "augmentation", epoch))
        targets.check_images(epoch, augmented)
        with torch.inference_mode():
            torch.testing.assert_close(targets.targets(epoch), net(prepared(augmented, CPU)))
    assert not np.allclose(targets.targets(0), targets.targets(1))


def test_no_change_of_the_training_loop_makes_logits_stale():
    loop = {f"mimic.training.{module}" for module in ("fit", "member", "train", "trainer")}
    assert not loop & code("mimic.distill.label").keys()
    assert not loop & code("mimic.distill.members").keys()
    assert loop < code("mimic.training.train").keys()
