"""From data.source to the packed image set."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mimic.data import sources
from mimic.data.image_parameters import Data, DataTask
from mimic.data.labelled import Source
from mimic.data.packed import DataDescription, open_split, read_description
from mimic.data.prepare import prepare
from mimic.data.sources import check_source, read_source
from mimic.support.context import Context
from mimic.support.errors import MimicError

REAL = os.environ.get("MIMIC_CIFAR10_JPEG")


def write_photos(path, each=10):
    """A zip of two classes; class and number of an image can be read off its pixels."""
    with zipfile.ZipFile(path, "w") as archive:
        for label, name in enumerate(("cat", "dog")):
            for number in range(each):
                buffer = io.BytesIO()
                Image.new("RGB", (20, 30), (label * 100, number, 0)).save(buffer, "PNG")
                archive.writestr(f"photos/train/{name}/{number}.png", buffer.getvalue())
    return path


@pytest.fixture
def photos(tmp_path):
    path = write_photos(tmp_path / "photos.zip")
    return Data(
        source="images",
        label="Photos",
        path=str(path),
        classes=2,
        image_size=8,
        train=10,
        validation=6,
        test=4,
    )


def packed(data: Data, folder: Path, seed: int = 1) -> DataDescription:
    """What the step says of the images that it leaves in a folder."""
    prepare(Context(task=DataTask(data=data, seed=seed), out=folder, progress=lambda line: None))
    return read_description(folder)


def test_photos_are_read_split_and_packed(photos, tmp_path):
    description = packed(photos, tmp_path / "data")
    assert description.classes == ("cat", "dog")
    assert description.counts == {"train": 10, "validation": 6, "test": 4}
    seen = set()
    for name, count in description.counts.items():
        split = open_split(tmp_path / "data", name)
        assert split.images_NCHW.shape == (count, 3, 8, 8)
        assert (split.images_NCHW[:, 0, 0, 0] // 100 == split.labels_N).all()
        assert (np.bincount(split.labels_N) == count // 2).all()
        seen |= {tuple(pixel) for pixel in split.images_NCHW[:, :2, 0, 0].tolist()}
    assert len(seen) == 20


def test_the_digest_follows_the_seed_and_not_the_packing(photos, tmp_path):
    with zipfile.ZipFile(photos.path) as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = photos.model_copy(update={"path": str(tmp_path / "unpacked")})
    digests = [
        packed(data, tmp_path / "data", seed).digest
        for data, seed in ((photos, 1), (unpacked, 1), (photos, 2))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_synthetic_images_are_balanced_seeded_and_need_no_files():
    data = Data(train=50, validation=20, test=30)
    check_source(data)
    source, same, other = (read_source(data, seed) for seed in (1, 1, 2))
    assert source.train_images_NCHW.shape == (70, 3, 32, 32) and source.test_images_NCHW.shape == (
        30,
        3,
        32,
        32,
    )
    assert len(source.classes) == 10 and (np.bincount(source.train_labels_N) == 7).all()
    assert (source.train_images_NCHW == same.train_images_NCHW).all()
    assert (source.train_images_NCHW != other.train_images_NCHW).any()
    assert (source.train_images_NCHW[:30] != source.test_images_NCHW).any()


def test_cifar_is_resized_like_the_others(monkeypatch):
    pixels_HWC = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    images_NCHW = np.stack([pixels_HWC.transpose(2, 0, 1)] * 3)
    labels_N = np.zeros(3, dtype=np.int64)
    monkeypatch.setattr(
        sources, "read_cifar", lambda *_: Source(("a",), images_NCHW, labels_N, images_NCHW, labels_N)
    )
    expected = np.asarray(Image.fromarray(pixels_HWC).resize((16, 16), Image.Resampling.LANCZOS)).transpose(
        2, 0, 1
    )
    source = read_source(Data(source="cifar10", path="x", image_size=16), 1)
    assert (source.train_images_NCHW == expected).all() and (source.test_images_NCHW == expected).all()
    assert source.train_images_NCHW.shape == (3, 3, 16, 16)


def test_missing_files_are_noticed_before_any_job(photos, tmp_path):
    check_source(photos)
    missing = photos.model_copy(update={"path": str(tmp_path / "nothing.zip")})
    with pytest.raises(MimicError, match=r"nothing\.zip: no such folder"):
        check_source(missing)
    with pytest.raises(MimicError, match="holds neither cifar-10-binary"):
        check_source(Data(source="cifar10", path=str(tmp_path)))
    check_source(Data(source="cifar10", path=str(tmp_path), download=True))


def test_a_home_folder_is_understood(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    check_source(photos.model_copy(update={"path": "~/photos.zip"}))


@pytest.mark.skipif(REAL is None, reason="MIMIC_CIFAR10_JPEG does not name the zip of CIFAR-10 JPEGs")
def test_the_real_images(tmp_path):
    data = Data(source="images", label="CIFAR-10 (JPEG)", path=REAL)
    check_source(data)
    description = packed(data, tmp_path)
    assert description.counts == {"train": 40_000, "validation": 10_000, "test": 10_000}
    assert description.classes[::9] == ("airplane", "truck")
    for name, each in (("train", 4000), ("validation", 1000), ("test", 1000)):
        assert (np.bincount(open_split(tmp_path, name).labels_N) == each).all()
    with zipfile.ZipFile(Path(REAL)) as archive:
        content = archive.read("test/dog/0007.jpg")
    image_CHW = np.asarray(Image.open(io.BytesIO(content))).transpose(2, 0, 1)
    test = open_split(tmp_path, "test")
    (index,) = np.flatnonzero((test.images_NCHW == image_CHW).all(axis=(1, 2, 3)))
    assert description.classes[test.labels_N[index]] == "dog"
