"""A preset takes over the images that a person has, and its numbers follow where they were left open."""

from pathlib import Path

import pytest

from mimic.__main__ import main
from mimic.config.strict_yaml import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def use(tmp_path, monkeypatch, capsys):
    """`mimic use` and then `check`; returns the study and what `check` said of the images, or refused."""
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[dict, str]:
        assert main(["use", *arguments, "--force"]) == 0
        capsys.readouterr()
        main(["check"])
        return read_yaml(Path("params.yaml")), "".join(capsys.readouterr())

    return run


def images(folder: Path, **pools: int) -> Path:
    """So many files in each of three classes; only their names are looked at."""
    for pool, number in pools.items():
        for name in ("cat", "dog", "eel"):
            (folder / pool / name).mkdir(parents=True)
            for index in range(number):
                (folder / pool / name / f"{index}.png").write_bytes(b"")
    return folder


NUMBERS = ("classes", "train", "validation", "test")


@pytest.mark.parametrize(
    ("pools", "given", "numbers", "split"),
    [
        ({"train": 300, "test": 50}, [], (3, None, 180, None), "720 train, 180 validation, 150 test"),
        ({"train": 300}, [], (3, None, 150, 150), "600 train, 150 validation, 150 test"),
        (
            {"train": 300, "val": 60, "Test": 50},
            [],
            (3, None, 180, None),
            "900 train, 180 validation, 150 test",
        ),
        ({"train": 300, "test": 50}, ["data.validation=90"], (3, None, 90, None), "810 train, 90 validation"),
    ],
)
def test_numbers_are_those_of_the_images(use, tmp_path, pools, given, numbers, split):
    study, told = use("laptop", f"data.path={images(tmp_path / 'mine', **pools)}", *given)
    assert tuple(study["data"][name] for name in NUMBERS) == numbers
    assert study["data"]["label"] == "mine"
    assert split in told


def test_numbers_that_fit_stay(use, tmp_path):
    given = ["data.train=600", "data.validation=100", "data.test=100", "data.classes=3", "data.label=Mine"]
    study, told = use("laptop", f"data.path={images(tmp_path / 'mine', train=300)}", *given)
    assert tuple(study["data"][name] for name in NUMBERS) == (3, 600, 100, 100)
    assert "600 train, 100 validation, 100 test" in told
    assert use("laptop", "data.path=absent.zip")[0]["data"]["validation"] == 10_000
    assert "absent.zip is not here yet" in use("laptop", "data.path=absent.zip")[1]


def test_check_counts_the_images_by_their_names(use, tmp_path):
    place = images(tmp_path / "mine", train=300, test=50)
    told = use("laptop", f"data.path={place}", "data.validation=890", "data.train=20")[1]
    assert "params.yaml: data.train: needs 20 of the train images, but 10 are left" in told
    assert "but data.classes is 7" in use("laptop", f"data.path={place}", "data.classes=7")[1]
    told = use("laptop", f"data.path={place}", "data.train=100", "data.validation=90")[1]
    assert "params.yaml: teachers.batch_size: 256 is more than the 100 images to train on" in told


def test_pixels_keep_their_proportion_to_the_image(use):
    study, _ = use("demo", "data.image_size=64")
    moves = [2, 4, 6, 8, 10, 12, 14, 16]
    assert (study["augmentation"]["window"], study["evaluation"]["translations"]) == ([48, 64], moves)
    study, _ = use("demo", "data.image_size=16")
    assert (study["augmentation"]["window"], study["evaluation"]["translations"]) == ([12, 16], [1, 2, 3, 4])
    study, _ = use("demo", "data.image_size=64", "augmentation.window=[40, 60]")
    assert study["augmentation"]["window"] == [40, 60]
    members = use("laptop", "data.image_size=64")[0]["teachers"]["members"]
    assert [teacher["window"] for teacher in members.values()] == 3 * [[52, 64]]
    assert use("demo", "data.image_size=32")[0] == read_yaml(ROOT / "presets/demo.yaml")
