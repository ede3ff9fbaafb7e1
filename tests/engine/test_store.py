"""Earlier results come back by key, from the store or from DVC's cache, if their digests are right."""

import errno
import hashlib
import json
from pathlib import Path

import pytest

from mimic.dag.steps import SIDECAR
from mimic.engine import dvc_cache, store
from mimic.engine.sidecar import FileRecord, Sidecar
from mimic.engine.specs import Spec

KEY = "0123456789abcdef"
CONTENT = b"weights"


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def sidecar(files: dict[str, bytes], key: str = KEY) -> Sidecar:
    records = {name: FileRecord(md5=md5(content), size=len(content)) for name, content in files.items()}
    return Sidecar(
        step="student", name="s1", study="tiny", key=key, parameters={}, code={}, upstream={},
        files=records, provenance={},
    )  # fmt: skip


def spec(*names: str) -> Spec:
    folder = Path("results/tiny/students/s1")
    return Spec(
        study="tiny", step="student", name="s1", key=KEY, task={}, asked={}, code={}, upstream={},
        outputs={name: folder / name for name in names}, sidecar=folder / SIDECAR,
    )  # fmt: skip


def put(content: bytes, name: str | None = None, suffix: str = "") -> str:
    """Into DVC's cache, under its digest or as something that it isn't."""
    name = name or md5(content)
    path = dvc_cache.folder() / name[:2] / f"{name[2:]}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


def put_folder(files: dict[str, bytes], record: Sidecar) -> str:
    """A folder `students` with one result, as `dvc commit` leaves it in the cache."""
    contents = files | {SIDECAR: record.model_dump_json().encode()}
    entries = [{"md5": put(content), "relpath": f"s1/{name}"} for name, content in contents.items()]
    return put(json.dumps(entries).encode(), suffix=".dir")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIMIC_RETRAIN", raising=False)
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def out(here) -> Path:
    return here / "out"


@pytest.fixture
def said() -> list[str]:
    return []


def test_what_was_kept_comes_back_and_a_damaged_file_is_named_and_not_used(out, said, here):
    (out / "model").write_bytes(CONTENT)
    store.keep(sidecar({"model": CONTENT}), {"model": out / "model"})
    (here / "new").mkdir()
    assert store.restore(spec("model"), here / "new", lambda: None, said.append) == sidecar(
        {"model": CONTENT}
    )
    assert (here / "new/model").read_bytes() == CONTENT
    (out / "model").write_bytes(b"WEIGHTS")  # through its hard link
    assert store.restore(spec("model"), here / "new", lambda: None, said.append) is None
    assert said == [f".mimic/store/{KEY}/model: damaged, its digest is not the recorded one; not used"]


def test_a_result_comes_back_from_dvc_s_cache(out, said):
    put_folder({"model": CONTENT}, sidecar({"model": CONTENT}))
    assert store.restore(spec("model"), out, lambda: None, said.append) == sidecar({"model": CONTENT})
    assert (out / "model").read_bytes() == CONTENT


def test_one_that_is_pulled_later_is_found_too(out, said):
    put_folder({"model": b"another"}, sidecar({"model": b"another"}, key="a" * 8))
    assert store.restore(spec("model"), out, lambda: None, said.append) is None
    record = sidecar({"model": CONTENT})
    listing = put_folder({"model": CONTENT}, record)
    hidden = dvc_cache.object_path(md5(record.model_dump_json().encode()))
    hidden.rename(hidden.with_name("later"))  # the listing came, the sidecar not yet
    assert store.restore(spec("model"), out, lambda: None, said.append) is None
    hidden.with_name("later").rename(hidden)
    assert store.restore(spec("model"), out, lambda: None, said.append) == record
    dvc_cache.listing_path(listing).unlink()  # known by now
    assert store.restore(spec("model"), out, lambda: None, said.append) == record


def test_where_one_copy_is_damaged_the_other_serves(out, said):
    put_folder({"model": CONTENT, "more": b"1"}, sidecar({"model": CONTENT, "more": b"1"}))
    put_folder({"model": CONTENT, "more": b"2"}, sidecar({"model": CONTENT, "more": b"2"}))
    dvc_cache.object_path(md5(b"1")).write_bytes(b"x")
    record = store.restore(spec("model", "more"), out, lambda: None, said.append)
    assert record == sidecar({"model": CONTENT, "more": b"2"})
    assert (out / "more").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["../../evil", "/evil", "other"])
def test_a_sidecar_with_other_files_than_the_job_s_is_no_result(out, said, here, name):
    files = {name: CONTENT}
    put_folder({"model": CONTENT}, sidecar(files))
    assert store.restore(spec("model"), out, lambda: None, said.append) is None
    assert {path.name for path in here.iterdir()} == {"out", ".dvc", ".mimic"}
    assert list(out.iterdir()) == []


def test_a_digest_that_is_a_path_is_not_followed(out, said, here):
    (here / "secret").write_bytes(CONTENT)
    record = sidecar({"model": CONTENT})
    text = record.model_dump_json().replace(md5(CONTENT), "../../../../../secret")
    entries = [{"md5": put(text.encode()), "relpath": "s1/job.json"}]
    put(json.dumps(entries).encode(), suffix=".dir")
    assert store.restore(spec("model"), out, lambda: None, said.append) is None


@pytest.mark.parametrize("which", ["sidecar", "listing"])
def test_a_content_under_another_s_digest_is_not_believed(out, said, which):
    forged = sidecar({"model": CONTENT}).model_dump_json().encode()
    entry = {"md5": put(CONTENT), "relpath": "s1/model"}
    wrong = "0" * 32
    digest = put(forged, wrong if which == "sidecar" else None)
    listing = json.dumps([entry, {"md5": digest, "relpath": "s1/job.json"}]).encode()
    put(listing, wrong if which == "listing" else None, suffix=".dir")
    assert store.restore(spec("model"), out, lambda: None, said.append) is None


@pytest.mark.parametrize("file", [".dvc/config", ".dvc/config.local", "global/config", "system/config"])
@pytest.mark.parametrize("text", ["[cache]\n    dir = {}\n", "[Cache]\ndir: {}", "[core]\n    remote = r\n"])
def test_the_cache_lies_where_dvc_s_own_reader_of_its_configurations_finds_it(here, monkeypatch, file, text):
    for level in ("global", "system"):
        monkeypatch.setenv(f"DVC_{level.upper()}_CONFIG_DIR", str(here / level))
    (here / file).parent.mkdir()
    (here / ".dvc").mkdir(exist_ok=True)
    (here / file).write_text(text.format(here / "elsewhere"))
    expected = "elsewhere" if text.startswith("[cache]") else ".dvc/cache"  # of others DVC finds nothing
    assert dvc_cache.folder().resolve() == here / expected / "files/md5"


def test_a_relative_cache_is_relative_to_the_file_that_names_it_and_that_of_a_clone_goes_before(
    here, monkeypatch
):
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(here / "global"))
    (here / "global").mkdir()
    (here / ".dvc").mkdir()
    (here / "global/config").write_text("[cache]\n    dir = /nowhere\n")
    (here / ".dvc/config").write_text("[cache]\n    dir = ../elsewhere\n")
    assert dvc_cache.folder().resolve() == here / "elsewhere/files/md5"


def test_a_clean_store_keeps_wanted_keys_and_other_studies(out, here):
    for key, study in ((KEY, "tiny"), ("0" * 8, "tiny"), ("0" * 9, "other")):
        (out / "model").unlink(missing_ok=True)
        (out / "model").write_bytes(CONTENT)
        record = sidecar({"model": CONTENT}, key).model_copy(update={"study": study})
        store.keep(record, {"model": out / "model"})
    store.discard_except({KEY}, "tiny")
    assert {path.name for path in store.STORE.iterdir()} == {KEY, "0" * 9}


def test_a_result_is_kept_before_its_name_is_given_to_another(here):
    at = spec("model")
    at.sidecar.parent.mkdir(parents=True)
    at.outputs["model"].write_bytes(CONTENT)
    store.keep_what_is_there(at.sidecar, at.outputs)  # no sidecar: no result
    assert not store.STORE.exists()
    at.sidecar.write_text(sidecar({"model": CONTENT}, "0" * 8).model_dump_json())
    store.keep_what_is_there(at.sidecar, at.outputs)
    at.outputs["model"].unlink()
    (here / "new").mkdir()
    wanted = at.model_copy(update={"key": "0" * 8})
    assert store.restore(wanted, here / "new", lambda: None, print).key == "0" * 8


def test_a_settled_task_is_found_under_the_key_of_an_earlier_search(out, said):
    (out / "model").write_bytes(CONTENT)
    store.keep(sidecar({"model": CONTENT}), {"model": out / "model"})
    task = {"learning_rate": 0.1}
    store.remember(spec("model"), task)
    grown = spec("model").model_copy(update={"key": "f" * 16, "asked": {"trials": 9}})
    (out / "new").mkdir()
    assert store.restore(grown, out / "new", lambda: {"learning_rate": 0.2}, said.append) is None
    record = store.restore(grown, out / "new", lambda: task, said.append)
    assert (record.key, record.parameters) == (grown.key, grown.asked)


def test_what_finds_no_room_leaves_what_was_there(here, monkeypatch):
    """Where links are not to be had, a copy may fail halfway."""
    Path("model").write_bytes(CONTENT)
    store.keep(sidecar({"model": CONTENT}), {"model": Path("model")})

    def fill_up(source, target):
        Path(target).write_bytes(b"wei")
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr("os.link", fill_up)
    monkeypatch.setattr("shutil.copyfile", fill_up)
    Path("other").write_bytes(b"others")
    with pytest.raises(OSError):
        store.keep(sidecar({"model": b"others"}), {"model": Path("other")})
    assert [(file.name, file.read_bytes()) for file in store.shelf(KEY).glob("*model*")] == [
        ("model", CONTENT)
    ]


def test_a_file_of_two_names_may_be_kept_under_a_third(here):
    """As a result that is published is."""
    Path("model").write_bytes(CONTENT)
    for _ in range(2):
        store.keep(sidecar({"model": CONTENT}), {"model": Path("model")})
        (store.shelf(KEY) / SIDECAR).unlink()  # a kill
    assert [file.name for file in store.shelf(KEY).iterdir()] == ["model"]
    assert Path("model").stat().st_nlink == 2
