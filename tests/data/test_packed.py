"""The packed image set comes back as it was written, and nothing else is taken for it."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mimic.data.packed import digest, open_split, read_description, write_packed
from mimic.support.errors import MimicError

CLASSES = ("cat", "dog")
COUNTS = {"train": 5, "validation": 3, "test": 2}


def make_splits():
    random = np.random.default_rng(0)
    return {
        name: (random.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8), np.arange(count) % 2)
        for name, count in COUNTS.items()
    }


@pytest.fixture
def folder(tmp_path):
    write_packed(tmp_path, make_splits(), CLASSES, "images")
    return tmp_path


def test_a_round_trip_changes_nothing(folder):
    for name, (images_NCHW, labels_N) in make_splits().items():
        split = open_split(folder, name)
        assert len(split.labels_N) == COUNTS[name]
        assert split.images_NCHW.dtype == np.uint8 and (split.images_NCHW == images_NCHW).all()
        assert split.labels_N.dtype == np.int64 and (split.labels_N == labels_N).all()


def test_the_description_says_what_was_written(folder):
    description = read_description(folder)
    assert description.source == "images"
    assert (description.classes, description.image_size, description.counts) == (CLASSES, 8, COUNTS)
    assert description.digest == digest(make_splits(), CLASSES)
    assert list(json.loads((folder / "data.json").read_text())) == [
        "digest",
        "source",
        "classes",
        "image_size",
        "counts",
    ]


def test_the_same_data_gives_the_same_bytes(folder, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write_packed(again, make_splits(), CLASSES, "images")
    assert all((again / file.name).read_bytes() == file.read_bytes() for file in folder.iterdir())
    assert len(list(folder.iterdir())) == 4


def test_the_layout_in_memory_does_not_matter(folder, tmp_path_factory):
    strided = {
        name: (np.asfortranarray(images_NCHW), np.repeat(labels_N, 2)[::2])
        for name, (images_NCHW, labels_N) in make_splits().items()
    }
    again = tmp_path_factory.mktemp("again")
    write_packed(again, strided, CLASSES, "images")
    assert read_description(again).digest == read_description(folder).digest
    assert (open_split(again, "train").images_NCHW == make_splits()["train"][0]).all()


def one_pixel(splits):
    splits["test"][0][0, 0, 0, 0] ^= 1


def one_label(splits):
    splits["train"][1][0] ^= 1


def membership(splits):
    (train_images, train_labels), (images, labels) = splits["train"], splits["validation"]
    splits["train"] = (np.concatenate((train_images, images[:1])), np.concatenate((train_labels, labels[:1])))
    splits["validation"] = (images[1:], labels[1:])


def order(splits):
    splits["train"] = tuple(array[::-1] for array in splits["train"])


@pytest.mark.parametrize("change", [one_pixel, one_label, membership, order])
def test_the_digest_notices(change):
    splits = make_splits()
    change(splits)
    assert digest(splits, CLASSES) != digest(make_splits(), CLASSES)


def test_the_digest_notices_the_names_of_the_classes():
    assert digest(make_splits(), ("cat", "do")) != digest(make_splits(), ("ca", "tdo"))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-10])


def remove(path):
    path.unlink()


def write_garbage(path):
    path.write_bytes(b"\x80\x04K\x01." * 20)  # a pickle is garbage like any other


def change_tensors(**changes):
    def change(path):
        tensors = load_file(path) | changes
        save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (truncate, "damaged"),
        (remove, "missing"),
        (write_garbage, "damaged"),
        (
            change_tensors(labels_N=None),
            r"holds images_NCHW \(.*8\]\), but data.json tells",
        ),
        (change_tensors(extra=np.zeros(1)), "holds extra"),
        (change_tensors(images_NCHW=np.zeros((5, 3, 9, 9), np.uint8)), r"\[5, 3, 9, 9\]"),
        (change_tensors(images_NCHW=np.zeros((5, 3, 8, 8), np.float32)), "float32"),
        (
            change_tensors(labels_N=np.zeros(4, np.int64)),
            r"int64 \[4\]\), but .*int64 \[5\]",
        ),
        (change_tensors(labels_N=np.zeros(5, np.int32)), "int32"),
        (change_tensors(labels_N=np.array([0, 1, 2, 0, 0])), "from 0 to 2"),
        (change_tensors(labels_N=np.array([0, 1, -1, 0, 0])), "from -1 to 1"),
    ],
)
def test_a_wrong_file_of_tensors_is_refused(folder, change, expected):
    change(folder / "train.safetensors")
    with pytest.raises(MimicError, match=expected) as caught:
        open_split(folder, "train")
    assert "train.safetensors" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "can not be read"),
        ("{", "content"),
        ('{"digest": "abc"}', "digest"),
        ('"counts"', "content"),
        ({"counts": {"train": 5, "test": 2}}, "counts: .* at least 3 items"),
        ({"counts": COUNTS | {"train": "5"}}, "counts.train"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_description_is_refused(folder, content, expected):
    path = folder / "data.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(
            content if isinstance(content, str) else json.dumps(json.loads(path.read_text()) | content)
        )
    with pytest.raises(MimicError, match=expected) as caught:
        open_split(folder, "train")
    assert "data.json" in str(caught.value) and "\n" not in str(caught.value)
