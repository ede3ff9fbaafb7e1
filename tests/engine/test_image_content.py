"""Of the user's images the content is in every key, and neither their place nor their dates."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from mimic.engine import image_content
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.runner import run
from mimic.engine.specs import make_spec
from mimic.support.errors import MimicError

DEMO = yaml.safe_load((Path(__file__).parents[2] / "presets/demo.yaml").read_text())


def paint(folder: Path, seed: int) -> Path:
    """Two classes of a few images each."""
    pixels = np.random.default_rng(seed)
    for split, count in (("train", 6), ("test", 2)):
        for name in ("cat", "dog"):
            (folder / split / name).mkdir(parents=True, exist_ok=True)
            for index in range(count):
                image = Image.fromarray(pixels.integers(0, 256, (16, 16, 3), dtype=np.uint8))
                image.save(folder / split / name / f"{index}.bmp")  # of one size, whatever it shows
    return folder


def keys(path: str) -> dict[str, str]:
    """The keys of the demo's jobs on the images at `path`."""
    data = {"source": "images", "label": "pets", "path": path, "classes": 2, "image_size": 16}
    data |= {"train": 6, "validation": 4, "test": 4, "download": False}
    augmentation = DEMO["augmentation"] | {"window": [12, 16]}
    params = Path("params.yaml")
    params.write_text(yaml.safe_dump(DEMO | {"data": data, "augmentation": augmentation}))
    study, known = open_study(params), Keys()
    return {job.id: known[job] for job in study.jobs()}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_other_pixels_behind_the_same_path_make_everything_stale():
    before = keys(str(paint(Path("pets"), seed=1)))
    assert keys("pets") == before
    dates = Path("pets/train/cat/0.bmp").stat()
    paint(Path("pets"), seed=2)
    os.utime("pets/train/cat/0.bmp", ns=(dates.st_atime_ns, dates.st_mtime_ns))
    after = keys("pets")
    stale = {job for job in before if before[job] != after[job]}
    assert stale == {job for job in before if not job.startswith("proposal/") or "-r02" in job}


def test_one_image_swapped_with_its_size_and_date_kept_is_noticed():
    before = keys(str(paint(Path("pets"), seed=1)))
    paint(Path("others"), seed=2)
    old = Path("pets/train/dog/3.bmp").stat()
    shutil.copy("others/train/dog/3.bmp", "pets/train/dog/3.bmp")
    os.utime("pets/train/dog/3.bmp", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert keys("pets")["teacher/t1"] != before["teacher/t1"]


def test_another_spelling_date_place_or_archive_of_the_same_images_makes_nothing_stale(here):
    before = keys(str(paint(Path("pets"), seed=1)))
    for spelling in ("./pets/", "../" + here.name + "/pets", str(here / "pets")):
        assert keys(spelling) == before
    os.utime("pets/test/cat/0.bmp", (1e9, 1e9))
    assert keys("pets") == before
    shutil.move("pets", "elsewhere")
    assert keys("elsewhere") == before
    Path("wrapped").mkdir()
    shutil.move("elsewhere", "wrapped/pets")
    assert keys(shutil.make_archive("pets", "zip", "wrapped")) == before
    assert keys(shutil.make_archive("pets", "tar", "wrapped")) == before


def test_images_are_read_again_only_when_their_listing_changed(monkeypatch):
    keys(str(paint(Path("pets"), seed=1)))
    monkeypatch.setattr(image_content, "_read", lambda path: pytest.fail("read again"))
    keys("pets")


def test_where_the_images_are_absent_the_packed_set_says_of_which_it_was_made():
    before = keys(str(paint(Path("pets"), seed=1)))
    study = open_study(Path("params.yaml"))
    run([make_spec(study, study.job("data"), Keys())], threads=1)
    shutil.move("pets", "unplugged")
    assert keys("pets") == before
    shutil.rmtree("results")
    assert keys("pets")["data/data"] != before["data/data"]


def test_a_packing_looks_at_images_whose_listing_says_nothing(monkeypatch):
    """As on a disk that keeps no dates, or after a restore that kept them all."""
    monkeypatch.setattr(image_content, "_listing", lambda path: "the same")
    before = keys(str(paint(Path("pets"), seed=1)))
    study = open_study(Path("params.yaml"))
    paint(Path("pets"), seed=2)
    assert keys("pets") == before
    with pytest.raises(MimicError, match="pets: changed since snakemake started; call snakemake again"):
        run([make_spec(study, study.job("data"), Keys())], threads=1)
    assert keys("pets")["data/data"] != before["data/data"]


def test_images_swapped_while_their_job_was_queued_are_refused():
    keys(str(paint(Path("pets"), seed=1)))
    study = open_study(Path("params.yaml"))
    spec = make_spec(study, study.job("data"), Keys())
    paint(Path("pets"), seed=2)
    with pytest.raises(MimicError, match="pets: changed since snakemake started"):
        run([spec], threads=1)
