"""A user's own images: what is right is read in a fixed order, what is wrong is named in one line."""

import io
import os
import signal
import zipfile
from threading import main_thread

import numpy as np
import pytest
from PIL import Image

from mimic.data.folders import check_folders, read_folders, read_layout
from mimic.support.errors import MimicError

SIZE = 8


def picture(value, form="PNG"):
    """A grey image; its first value tells which one it is, and its last is bright."""
    buffer, image = io.BytesIO(), Image.new("RGB", (SIZE, SIZE), (value, value, value))
    image.putpixel((SIZE - 1, SIZE - 1), (255, 255, 255))
    image.save(buffer, form)
    return buffer.getvalue()


GOOD = {
    "train/dog/b.png": picture(30),
    "train/dog/a.png": picture(20),
    "train/cat/z.bmp": picture(10, "BMP"),
    "test/dog/1.png": picture(50),
    "test/cat/1.png": picture(40),
}


def write(path, files, folders=()):
    """A folder, or a zip if the name says so, in the order given."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in folders:
                archive.mkdir(name)
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    for name in folders:
        (path / name).mkdir(parents=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.fixture(params=["images", "images.zip"])
def place(request, tmp_path):
    return tmp_path / request.param


def read(path, classes=2):
    return read_folders(path, classes, SIZE)


def refusal(path, classes=2):
    with pytest.raises(MimicError) as caught:
        read(path, classes)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


@pytest.mark.parametrize("wrapper", ["", "wrapper/"])
def test_images_come_by_class_name_then_file_name(place, wrapper):
    source = read(write(place, {wrapper + name: content for name, content in GOOD.items()}))
    assert source.classes == ("cat", "dog")
    assert source.train_images_NCHW.shape == (3, 3, SIZE, SIZE)
    assert source.train_images_NCHW[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert source.train_labels_N.tolist() == [0, 1, 1] and source.train_labels_N.dtype == np.int64
    assert source.test_images_NCHW[:, 0, 0, 0].tolist() == [40, 50]
    assert source.test_labels_N.tolist() == [0, 1]


def test_without_a_test_folder_there_is_no_test_set(place):
    source = read(write(place, {name: content for name, content in GOOD.items() if "test" not in name}))
    assert source.test_images_NCHW is None and source.test_labels_N is None


def test_what_lies_beside_train_and_test_is_left_alone(place):
    others = {
        "README.md": b"about",
        "extra/cat/1.png": b"not an image",
        "train/.hidden": b"",
        "train/cat/Thumbs.db": b"x",
    }
    assert len(read(write(place, GOOD | others)).train_labels_N) == 3


def test_many_images_keep_their_order_across_threads(tmp_path):
    files = {f"train/{'ab'[number % 2]}/{number:04}.png": picture(number % 251) for number in range(500)}
    source = read(write(tmp_path / "many.zip", dict(reversed(files.items()))))
    expected = [number % 251 for parity in (0, 1) for number in range(parity, 500, 2)]
    assert source.train_images_NCHW[:, 0, 0, 0].tolist() == expected


def deep(*values):
    """A grey image of 16 bits that begins with some values and is 700 elsewhere."""
    buffer, pixels = io.BytesIO(), np.full(SIZE * SIZE, 700, np.uint16)
    pixels[: len(values)] = values
    Image.fromarray(pixels.reshape(SIZE, SIZE)).save(buffer, "PNG")
    return buffer.getvalue()


def test_sixteen_bits_are_scaled_by_the_range_of_the_set(place):
    """A camera of 12 bits, the brightest value of which is in a test image."""
    files = {"train/cat/1.png": deep(0, 100), "train/dog/1.png": deep(1000), "test/cat/1.png": deep(4000)}
    told = []
    source = read_folders(
        write(place, files | {"test/dog/1.png": picture(90)}), 2, SIZE, lambda text: told.append(text)
    )
    assert source.train_images_NCHW[:, 0, 0, :2].tolist() == [[0, 6], [64, 45]]  # 255 / 4000 a value
    assert source.test_images_NCHW[:, 0, 0, 0].tolist() == [255, 90]
    assert "3 images of 16 bits: values from 0 to 4000 become grey levels from 0 to 255" in told


def flat(value):
    buffer = io.BytesIO()
    Image.new("L", (SIZE, SIZE), value).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("cat", "dog", "told"),
    [
        (flat(0), flat(0), "each image is of one grey level"),
        (flat(10), flat(200), "each image is of one grey level"),
        (picture(7), picture(7), "all images are the same"),
    ],
)
def test_a_set_without_variance_is_refused(place, cat, dog, told):
    assert told in refusal(write(place, {"train/cat/1.png": cat, "train/dog/1.png": dog}))


def test_nearly_constant_images_are_told(place):
    told = []
    read_folders(write(place, GOOD | {"train/dog/c.png": flat(3)}), 2, SIZE, told.append)
    assert "warning: 1 of 6 images are nearly constant, the first 'train/dog/c.png'" in told
    read_folders(place, 2, SIZE, told.append)


def test_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("mimic.data.folders.REPORT_EVERY", 2)
    told = []
    read_folders(write(tmp_path / "a", GOOD), 2, SIZE, told.append)
    assert told[-1] == "5 of 5 images read"


def test_an_interrupt_ends_the_reading(tmp_path, monkeypatch):
    monkeypatch.setattr("mimic.data.folders.REPORT_EVERY", 1)
    monkeypatch.setattr("mimic.data.folders.BATCH", 1)
    files = {f"train/{'ab'[number % 2]}/{number:04}.png": picture(1) for number in range(3000)}
    told = []

    def interrupt(text):
        told.append(text)
        if len(told) == 1:
            signal.pthread_kill(main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        read_folders(write(tmp_path / "many.zip", files), 2, SIZE, interrupt)
    assert 0 < len(told) < len(files)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"train/cat/bad.png": b"not an image"}, ["'train/cat/bad.png'", "unknown format"]),
        ({"train/cat/bad.png": picture(1)[:40]}, ["'train/cat/bad.png'", "damaged"]),
        ({"train/cat/bad.png": b""}, ["'train/cat/bad.png'", "empty"]),
        ({"train/cat/labels.csv": b"a,b"}, ["'train/cat/labels.csv'"]),
        ({f"test/dog/bad{n}.png": b"-" for n in range(5)}, ["'test/dog/bad0.png'", "4 more files"]),
        ({"train/stray.png": picture(1)}, ["'train/stray.png'", "no class folder", "train/<class>/"]),
        ({"test/stray.png": picture(1)}, ["'test/stray.png'", "no class folder", "test/<class>/"]),
        ({"train/cat/deep/1.png": picture(1)}, ["'train/cat/deep", "deeper"]),
        (
            {"train/bird/1.png": picture(1), "test/bird/1.png": picture(1)},
            ["train/ holds 3 classes (bird, cat, dog)", "data.classes is 2"],
        ),
        ({"test/bird/1.png": picture(1)}, ["test/ holds classes that train/ lacks (bird)"]),
        ({"train/c\nt/1.png": picture(1)}, ["can not be printed"]),
    ],
)
def test_what_is_wrong_is_named(place, changes, expected):
    message = refusal(write(place, GOOD | changes), classes=2)
    assert all(part in message for part in expected), message


def test_a_class_without_test_images_is_named(place):
    message = refusal(
        write(place, {name: content for name, content in GOOD.items() if name != "test/cat/1.png"})
    )
    assert "train/ holds classes that test/ lacks (cat)" in message


@pytest.mark.parametrize("folder", ["train/bird", "test/bird"])
def test_an_empty_class_folder_is_named(tmp_path, folder):
    assert f"class folder '{folder}' is empty" in refusal(write(tmp_path / "images", GOOD, [folder]))


def test_train_must_be_there_once_and_with_classes(tmp_path):
    assert "no train/ folder" in refusal(write(tmp_path / "a", {"cat/1.png": picture(1)}))
    assert "0 classes" in refusal(write(tmp_path / "b", {}, ["train"]))
    two = {"one/train/cat/1.png": picture(1), "two/train/cat/1.png": picture(1)}
    assert "(one, two)" in refusal(write(tmp_path / "c", two))


def test_many_classes_are_not_all_listed(tmp_path):
    files = {f"train/c{number:02}/1.png": picture(1) for number in range(30)}
    assert "c09 and 20 more" in refusal(write(tmp_path / "a", files))


def test_a_file_without_permission_is_named(tmp_path):
    path = write(tmp_path / "images", GOOD)
    (path / "train/cat/z.bmp").chmod(0)
    if os.access(path / "train/cat/z.bmp", os.R_OK):
        pytest.skip("this user, root perhaps, reads every file")
    message = refusal(path)
    assert "'train/cat/z.bmp' can not be read (Permission denied)" in message


def test_a_damaged_zip_member_is_named(tmp_path):
    path = write(tmp_path / "images.zip", GOOD)
    path.write_bytes(path.read_bytes().replace(GOOD["train/cat/z.bmp"], GOOD["train/cat/z.bmp"][:-1] + b"!"))
    assert "'train/cat/z.bmp' can not be read (damaged in the archive" in refusal(path)


def test_a_file_that_vanishes_meanwhile_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "images", GOOD)
    layout = read_layout(path)
    (path / "train/cat/z.bmp").unlink()
    monkeypatch.setattr("mimic.data.folders.read_layout", lambda _: layout)
    assert "'train/cat/z.bmp' vanished" in refusal(path)


def test_the_check_reads_names_alone(tmp_path):
    files = {f"wrapper/train/{name}/1.png": b"not an image" for name in ("cat", "dog")}
    assert check_folders(write(tmp_path / "a", files), 2).classes == ("cat", "dog")
    assert check_folders(write(tmp_path / "a.zip", files), 2).classes == ("cat", "dog")
    with pytest.raises(MimicError, match=r"holds 2 classes \(cat, dog\), but data.classes is 3"):
        check_folders(tmp_path / "a", 3)
    with pytest.raises(MimicError, match="no train/ folder"):
        check_folders(write(tmp_path / "b", {"cat/train.png": b""}), 2)
    with pytest.raises(MimicError, match="no such folder or archive"):
        check_folders(tmp_path / "nothing", 2)


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("validation", ["val", "valid", "Validation"])
@pytest.mark.parametrize("test", ["Test", "testing"])
def test_folders_may_have_their_usual_names(tmp_path, train, validation, test):
    files = {
        f"set/{pool}/{name}/{number}.png": picture(number)
        for number, pool in enumerate((train, validation, test))
        for name in ("cat", "dog")
    }
    told = []
    extra = {"set/unlabelled/1.png": b"", "set/notes.txt": b"", "set/Docs/test/a.png": b""}
    source = read_folders(write(tmp_path / "a.zip", files | extra), 2, SIZE, told.append)
    firsts = [
        images_NCHW[:, 0, 0, 0].tolist()
        for images_NCHW in (source.train_images_NCHW, source.validation_images_NCHW, source.test_images_NCHW)
    ]
    assert firsts == [[0, 0], [1, 1], [2, 2]]
    counts = f"2 in {train}/, 2 in {validation}/, 2 in {test}/"
    assert told[0] == f"images: {counts}, of 2 classes; ignored: Docs/, unlabelled/"


def test_two_folders_for_one_purpose_are_refused(place):
    message = refusal(write(place, GOOD | {"Testing/cat/2.png": picture(1)}))
    assert "Testing/ and test/ may both hold the test images; keep one" in message


def test_an_accent_is_one_however_it_is_written_and_a_space_at_the_end_is_none(place):
    composed, decomposed = "K\u00e4se", "Ka\u0308se"
    files = {f"train/{composed}/1.png": picture(1), f"test/{decomposed}/1.png": picture(2)}
    files |= {"train/cat /1.png": picture(3), "test/cat/1.png": picture(4)}
    source = read(write(place, files))
    assert source.classes == (composed, "cat")
    assert source.test_images_NCHW[:, 0, 0, 0].tolist() == [2, 4]
    message = refusal(write(place.with_name("both"), files | {f"train/{decomposed}/1.png": picture(1)}))
    assert "are one class by name; merge or rename them" in message


def test_classes_that_look_alike_are_told(place):
    alike = {name.replace("dog", "Cat"): content for name, content in GOOD.items()}
    told = []
    read_folders(write(place, alike), 2, SIZE, told.append)
    assert "warning: 'Cat' and 'cat' look alike, and are two classes" in told[0]
    files = {"train/cat/1.png": picture(1), "train/dog/1.png": picture(2), "test/Cat/1.png": picture(1)}
    message = refusal(write(place.with_name("apart"), files | {"test/dog/1.png": picture(1)}))
    assert "test/ holds classes that train/ lacks (Cat)" in message and "'cat' looks like it" in message
