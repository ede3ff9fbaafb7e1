"""Results travel through remotes, and nothing that a remote holds is believed or run but by its digest."""

import hashlib
import json
import pickle
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

T1 = Path("results/small/teachers/t1")
SHARD = Path("results/small/logits/000")
CONV1 = "student/conv1-20k-logits-s1"


class Bomb:
    """Whoever unpickles it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    """Files below `folder` by GET, HEAD and PUT, as any web server with uploads has them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / self.path.lstrip("/")
            content = file.read_bytes() if file.is_file() else b""
            self.send_response(200 if file.is_file() else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def do_PUT(self) -> None:
            file = folder / self.path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._body())
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"]))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *arguments) -> None:
            pass

    return Handler


@pytest.fixture
def web(tmp_path) -> Iterator[str]:
    """The address of a web server on this machine that takes uploads."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(tmp_path / "web"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/study"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def pushed(by_snakemake, tmp_path_factory):
    """A copy of the finished study whose results lie in a remote beside it. Not to be changed."""
    folder = tmp_path_factory.mktemp("pushed")
    repository = by_snakemake.copy(folder / "study")
    repository.run("dvc", "remote", "add", "--default", "storage", "../remote")
    repository.commit("a remote")
    repository.run("dvc", "push")
    return repository


@pytest.fixture
def clone(pushed, tmp_path):
    """A fresh clone with a copy of the remote, to tamper with."""
    shutil.copytree(pushed.folder.parent / "remote", tmp_path / "remote")
    for path in (tmp_path / "remote").rglob("*"):
        path.chmod(0o755)
    return pushed.clone(tmp_path / "study")


def stored(clone, file: Path) -> Path:
    """Where the remote holds a file of the results; of a folder, its listing."""
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    outs = {Path(out["path"]): out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}
    objects = clone.folder.parent / "remote/files/md5"
    if file in outs:
        return objects / outs[file][:2] / outs[file][2:]
    listing = json.loads(stored(clone, file.parents[1]).read_bytes())
    digests = {entry["relpath"]: entry["md5"] for entry in listing}
    md5 = digests[f"{file.parent.name}/{file.name}"]
    return objects / md5[:2] / md5[2:]


def flipped(content: bytes) -> bytes:
    """One bit at the end changed."""
    return content[:-1] + bytes([content[-1] ^ 1])


def test_a_web_server_is_a_remote(pushed, web, tmp_path):
    pushed = pushed.copy(tmp_path / "study")
    pushed.run("dvc", "remote", "add", "--default", "web", web)
    pushed.run("dvc", "remote", "modify", "web", "method", "PUT")
    pushed.commit("a web server")
    pushed.run("dvc", "push")
    clone = pushed.clone(tmp_path / "clone" / "study")
    clone.mimic("pull")
    clone.assert_nothing_to_do()
    assert clone.trainings() == pushed.trainings()
    (tmp_path / "web/study/files/md5").rename(tmp_path / "gone")
    other = pushed.clone(tmp_path / "other" / "study")
    assert "the remote lacks results/small/data" in other.mimic("pull", fails=True)


@pytest.mark.parametrize(
    "file",
    [T1 / "model.safetensors", SHARD / "logits.safetensors", T1 / "job.json", Path("report.html")],
    ids=lambda file: file.name,
)
def test_a_damaged_file_is_refused_by_name_and_nothing_is_placed(clone, file):
    target = stored(clone, file)
    target.write_bytes(flipped(target.read_bytes()))
    refusal = clone.mimic("pull", fails=True)
    assert f"refused: {file}" in refusal
    assert not (clone.folder / "results/small/teachers").exists()
    assert not (clone.folder / "report.html").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"relpath": "../../../src/mimic/new.py"},
        {"relpath": "t1/new.py", "md5": "../../../../src/mimic/new.py"},
    ],
    ids=["path", "digest"],
)
def test_a_listing_that_reaches_outside_its_folder_is_refused(clone, entry):
    listing = stored(clone, T1.parent)
    entries = json.loads(listing.read_bytes())
    listing.write_text(json.dumps([*entries, entries[0] | entry]))
    planted = clone.folder / "src/mimic/new.py"
    assert "results/small/teachers is damaged or tampered with" in clone.mimic("pull", fails=True)
    assert not planted.exists()


def test_a_tampered_shard_that_plain_dvc_placed_is_refused_by_who_reads_it(clone):
    target = stored(clone, SHARD / "logits.safetensors")
    target.write_bytes(flipped(target.read_bytes()))
    clone.run("dvc", "pull")
    clone.widen_conv1()
    output = clone.run("snakemake", "report.html", fails=True)
    assert f"{SHARD}/logits.safetensors: damaged, its digest is not the one in {SHARD}/job.json" in output
    assert CONV1 in clone.mimic("record", fails=True)


def test_a_pickle_in_place_of_a_model_is_never_loaded(clone, tmp_path):
    """Of the model's size and with its digest in the sidecar: only dvc.lock can tell it from the true one."""
    target, sidecar = stored(clone, T1 / "model.safetensors"), stored(clone, T1 / "job.json")
    bomb = pickle.dumps(Bomb(tmp_path / "exploded")).ljust(target.stat().st_size, b"\0")
    content = json.loads(sidecar.read_bytes())
    content["files"]["model.safetensors"]["md5"] = hashlib.md5(bomb).hexdigest()
    target.write_bytes(bomb)
    sidecar.write_text(json.dumps(content))
    clone.run("dvc", "pull")
    clone.edit("ensemble: {size: 2", "ensemble: {size: 1")
    assert "model.safetensors" in clone.run("snakemake", "report.html", fails=True)
    assert not (tmp_path / "exploded").exists()
    assert f"{T1}/model.safetensors" in clone.mimic("pull", fails=True)


def test_a_sidecar_with_names_that_reach_outside_is_no_result(repository):
    """Sidecars name files; these names are compared with the job's own and never used as paths."""
    sidecar = repository.folder / T1 / "job.json"
    content = json.loads(sidecar.read_bytes())
    content["files"]["../../../../src/mimic/new.py"] = content["files"].pop("model.safetensors")
    sidecar.write_text(json.dumps(content))
    before = repository.trainings()
    repository.run("snakemake", "teachers")
    assert repository.trainings() == before
    assert not (repository.folder / "src/mimic/new.py").exists()
    assert "model.safetensors" in repository.records()["teacher/t1"]["files"]
