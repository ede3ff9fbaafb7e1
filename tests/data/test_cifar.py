"""CIFAR from its published forms, at hand or fetched; a forged or broken file is never believed.

The archives here hold a few images and are told apart by their own checksums.
"""

import dataclasses
import hashlib
import io
import pickle
import shutil
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

from mimic.data import cifar
from mimic.data.cifar import check_cifar, read_cifar
from mimic.support.errors import MimicError

EACH = 20  # images in a file
NAMES = {"cifar10": [f"kind{k}" for k in range(10)], "cifar100": [f"kind{k:02}" for k in range(100)]}


def make_images(name, file):
    """The images [20, 3, 32, 32] and labels of one file."""
    random = np.random.default_rng(list(f"{name}/{file}".encode()))
    return random.integers(0, 256, (EACH, 3, 32, 32), dtype=np.uint8), random.integers(
        0, len(NAMES[name]), EACH
    )


def binary_files(name):
    version = cifar.VERSIONS[name]
    files = {version.names: ("\n".join(NAMES[name]) + "\n\n").encode()}
    for file in (*version.train, *version.test):
        images_NCHW, labels_N = make_images(name, file)
        coarse = [np.full((EACH, 1), 7)] if version.label_bytes == 2 else []
        records = np.concatenate((*coarse, labels_N[:, None], images_NCHW.reshape(EACH, -1)), axis=1)
        files[file] = records.astype(np.uint8).tobytes()
    return files


def python_files(name):
    """The pickled batches, in torchvision's names; each holds what the binary file beside it holds."""
    dataset, version = torchvision_class(name), cifar.VERSIONS[name]
    files = {dataset.meta["filename"]: pickle.dumps({dataset.meta["key"]: NAMES[name]})}
    batches = [file for file, _ in (*dataset.train_list, *dataset.test_list)]
    for batch, file in zip(batches, (*version.train, *version.test), strict=True):
        images_NCHW, labels_N = make_images(name, file)
        key = "labels" if name == "cifar10" else "fine_labels"
        files[batch] = pickle.dumps({"data": images_NCHW.reshape(EACH, -1), key: labels_N.tolist()})
    return files


def torchvision_class(name):
    datasets = pytest.importorskip("torchvision.datasets")
    return getattr(datasets, cifar.VERSIONS[name].torchvision)


def pack(path, folder, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def unpack(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture(params=["cifar10", "cifar100"])
def name(request, monkeypatch):
    version = cifar.VERSIONS[request.param]
    small = dataclasses.replace(version, counts=(EACH * len(version.train), EACH))
    monkeypatch.setitem(cifar.VERSIONS, request.param, small)
    return request.param


@pytest.fixture
def archive(name, tmp_path, monkeypatch):
    """The published binary archive, outside the folder of the study."""
    version = cifar.VERSIONS[name]
    path = pack(tmp_path / "published.tar.gz", version.folder, binary_files(name))
    monkeypatch.setitem(cifar.VERSIONS, name, dataclasses.replace(version, md5=md5(path.read_bytes())))
    return path


@pytest.fixture
def python_published(name, monkeypatch):
    """The files of the Python version, known to torchvision as the published ones."""
    dataset, files = torchvision_class(name), python_files(name)
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(dataset, part, [[file, md5(files[file])] for file, _ in getattr(dataset, part)])
    monkeypatch.setattr(dataset, "meta", dataset.meta | {"md5": md5(files[dataset.meta["filename"]])})
    return files


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "cifar"
    path.mkdir()
    return path


def expect_published(name, source):
    version = cifar.VERSIONS[name]
    train = [make_images(name, file) for file in version.train]
    assert source.classes == tuple(NAMES[name])
    assert (source.train_images_NCHW == np.concatenate([images for images, _ in train])).all()
    assert (source.train_labels_N == np.concatenate([labels for _, labels in train])).all()
    assert (source.test_images_NCHW == make_images(name, version.test[0])[0]).all()
    assert (source.test_labels_N == make_images(name, version.test[0])[1]).all()
    assert source.train_images_NCHW.dtype == np.uint8 and source.train_labels_N.dtype == np.int64


def refusal(name, folder, download=False):
    with pytest.raises(MimicError) as caught:
        read_cifar(name, folder, download)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_binary_archive_is_read(name, archive, folder):
    shutil.copy(archive, folder / cifar.VERSIONS[name].archive)
    check_cifar(name, folder, download=False)
    expect_published(name, read_cifar(name, folder, download=False))


def test_the_unpacked_binary_folder_is_read_from_above_or_inside(name, folder):
    inside = folder / cifar.VERSIONS[name].folder
    unpack(inside, binary_files(name))
    for place in (folder, inside):
        check_cifar(name, place, download=False)
        expect_published(name, read_cifar(name, place, download=False))


@pytest.mark.parametrize("packed", [True, False])
def test_the_python_version_is_read_with_its_checksums(name, python_published, folder, packed, monkeypatch):
    version = cifar.VERSIONS[name]
    if packed:
        path = pack(folder / version.python_archive, version.python_folder, python_published)
        monkeypatch.setattr(torchvision_class(name), "tgz_md5", md5(path.read_bytes()))
    else:
        unpack(folder / version.python_folder, python_published)
    check_cifar(name, folder, download=False)
    expect_published(name, read_cifar(name, folder, download=False))


class Bomb:
    """A pickle that leaves a trace when it is loaded."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


@pytest.mark.parametrize("which", ["first", "last", "meta"])
def test_a_forged_pickle_is_never_loaded(name, python_published, folder, tmp_path, which):
    dataset = torchvision_class(name)
    file = {
        "first": dataset.train_list[0][0],
        "last": dataset.test_list[-1][0],
        "meta": dataset.meta["filename"],
    }[which]
    forged = python_published | {file: pickle.dumps(Bomb(tmp_path / "trace"))}
    pickle.loads(forged[file]).close()  # noqa: S301 - the trap works
    (tmp_path / "trace").unlink()
    unpack(folder / cifar.VERSIONS[name].python_folder, forged)
    assert "not the published files" in refusal(name, folder)
    assert not (tmp_path / "trace").exists()


def test_a_forged_python_archive_is_never_unpacked(name, folder, tmp_path):
    version = cifar.VERSIONS[name]
    pack(
        folder / version.python_archive,
        version.python_folder,
        {"data_batch_1": pickle.dumps(Bomb(tmp_path / "trace"))},
    )
    assert "not the published file" in refusal(name, folder)
    assert not (tmp_path / "trace").exists()


def test_a_damaged_archive_is_named(name, archive, folder):
    path = folder / cifar.VERSIONS[name].archive
    path.write_bytes(archive.read_bytes()[:-100])
    message = refusal(name, folder)
    assert str(path) in message and "damaged" in message and "remove it" in message


@pytest.mark.parametrize("damage", ["missing", "short", "lacks an image", "label"])
def test_a_damaged_folder_is_named(name, folder, damage):
    version, files = cifar.VERSIONS[name], binary_files(name)
    width = version.label_bytes + 3072
    file = version.train[-1]
    if damage == "missing":
        del files[file]
    elif damage == "label":
        files[file] = bytes([200] * version.label_bytes) + files[file][version.label_bytes :]
    else:
        files[file] = files[file][: -100 if damage == "short" else -width]
    unpack(folder / version.folder, files)
    message = refusal(name, folder)
    assert str(folder / version.folder) in message and "again" in message
    assert damage != "missing" or file in message


def test_nothing_at_hand_is_said_before_and_at_reading(name, folder):
    assert "data.download" in refusal(name, folder)
    with pytest.raises(MimicError, match=r"data\.download"):
        check_cifar(name, folder / "nowhere", download=False)
    check_cifar(name, folder / "nowhere", download=True)
    (folder / "file").write_text("")
    with pytest.raises(MimicError, match="is no folder"):
        check_cifar(name, folder / "file", download=True)


class Mirror:
    """An HTTP server on this machine; `cut` is after how many bytes it hangs up."""

    def __init__(self):
        self.files, self.cut, self.asked = {}, None, []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                content = mirror.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: mirror.cut])

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/mirror"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror(name, archive, monkeypatch):
    server = Mirror()
    server.files[f"/mirror/{cifar.VERSIONS[name].archive}"] = archive.read_bytes()
    monkeypatch.setenv("MIMIC_CIFAR_URL", server.url + "/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.stop()


def test_a_download_is_kept_and_not_repeated(name, mirror, folder):
    told = []
    expect_published(name, read_cifar(name, folder / "new", True, told.append))
    assert [file.name for file in (folder / "new").iterdir()] == [cifar.VERSIONS[name].archive]
    assert mirror.url in told[0]
    mirror.stop()
    expect_published(name, read_cifar(name, folder / "new", download=True))
    assert len(mirror.asked) == 1


def test_nothing_is_fetched_unasked(name, mirror, folder):
    refusal(name, folder)
    assert mirror.asked == []


@pytest.mark.parametrize("trouble", ["forged", "cut", "absent", "down"])
def test_a_failed_download_leaves_nothing_behind(name, mirror, folder, trouble):
    (place,) = mirror.files
    if trouble == "forged":
        mirror.files[place] = pack(folder.parent / "forged", "x", {"data_batch_1.bin": b""}).read_bytes()
    elif trouble == "cut":
        mirror.cut = len(mirror.files[place]) // 2
    elif trouble == "absent":
        mirror.files.clear()
    else:
        mirror.stop()
    message = refusal(name, folder, download=True)
    assert mirror.url in message and "try again" in message
    assert list(folder.iterdir()) == []


def test_a_mirror_that_is_no_address_is_named(name, folder, monkeypatch):
    monkeypatch.setenv("MIMIC_CIFAR_URL", "mirror")
    assert "mirror/cifar" in refusal(name, folder, download=True)


def test_the_published_facts():
    ten, hundred = cifar.VERSIONS["cifar10"], cifar.VERSIONS["cifar100"]
    assert (ten.md5, hundred.md5) == ("c32a1d4ab5d03f1284b67883e8d87530", "03b5dce01913d631647c71ecec9e9cb8")
    for name, version in cifar.VERSIONS.items():
        dataset = torchvision_class(name)
        assert (dataset.filename, dataset.base_folder) == (version.python_archive, version.python_folder)
