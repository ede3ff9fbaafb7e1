"""`mimic record` has DVC version whole results of today's parameters, and what is unrecorded is said."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from mimic.dag.study import Study
from mimic.engine import dvc_lock, dvc_rwlock
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.sidecar import FileRecord, Sidecar, file_md5
from mimic.report import vega
from mimic.support.errors import MimicError

ROOT = Path(__file__).parents[2]
STUDENT = Path("results/small/students/conv1-20k-logits-s1")


def make_results(study: Study, keys: Keys) -> None:
    """A result for each job, by its sidecar at least."""
    for job in study.jobs():
        job.folder.mkdir(parents=True, exist_ok=True)
        for name, path in job.outputs.items():
            path.write_text(f"{name} of {job.id}")
        files = {
            name: FileRecord(md5=file_md5(path), size=path.stat().st_size)
            for name, path in job.outputs.items()
        }
        record = Sidecar(
            step=job.step, name=job.name, study=study.name, key=keys[job], parameters={}, code={},
            upstream={}, files=files, provenance={},
        )  # fmt: skip
        job.sidecar.write_text(record.model_dump_json())


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory) -> Iterator[None]:
    """Nothing of the machine's own DVC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_NO_ANALYTICS", "1")
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site")))
        patch.delenv("DVC_STAGE", raising=False)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a study whose results are there but not recorded. Not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "tests/contract/small.yaml", folder / "params.yaml")
    (folder / "src").symlink_to(ROOT / "src")
    with contextlib.chdir(folder):
        make_results(open_study(Path("params.yaml")), Keys())
    return folder


@pytest.fixture(scope="module")
def made_and_recorded(made, tmp_path_factory) -> Path:
    """The same, recorded. Not to be changed."""
    folder = copy(made, tmp_path_factory.mktemp("recorded"))
    for command in (["dvc", "init", "--no-scm", "--quiet"], ["mimic", "record"]):
        subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True)
    return folder


def copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to, symlinks=True, dirs_exist_ok=True))


@pytest.fixture
def study(made, tmp_path, monkeypatch) -> Study:
    """The study not recorded, in the current folder."""
    monkeypatch.chdir(copy(made, tmp_path / "study"))
    return open_study(Path("params.yaml"))


@pytest.fixture
def recorded(made_and_recorded, tmp_path, monkeypatch) -> Study:
    """The study recorded, in the current folder."""
    monkeypatch.chdir(copy(made_and_recorded, tmp_path / "study"))
    return open_study(Path("params.yaml"))


@pytest.fixture
def record(mimic, capfd):
    """Call it here; returns all that it said, its child processes too."""

    def call(fails: bool = False) -> str:
        done = mimic(Path.cwd(), "record")
        said = done.stdout + done.stderr + "".join(capfd.readouterr())
        assert bool(done.returncode) == fails, said
        return said

    return call


def dvc(*arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_recorded_is_clean_to_dvc_and_nothing_is_left_to_say(record, study):
    dvc("init", "--no-scm", "--quiet")
    assert "dvc.lock: holds study small" in record()
    assert "Data and pipelines are up to date" in dvc("status")
    assert vega.FOR_DVC.is_file()  # a page of plots needs no network
    assert dvc_lock.unrecorded(study) is None
    assert dvc_lock.absent(study) is None


def test_a_new_result_is_noticed_and_so_is_one_that_is_not_here(recorded, monkeypatch):
    sidecar = STUDENT / "job.json"
    sidecar.write_text(sidecar.read_text().replace('"provenance":{}', '"provenance":{"started":"now"}'))
    assert "dvc.lock does not hold 1 of the results (student/conv1-20k-logits-s1)" in dvc_lock.unrecorded(
        recorded
    )
    monkeypatch.setenv("DVC_STAGE", "students@small")  # dvc repro records by itself
    assert dvc_lock.unrecorded(recorded) is None
    shutil.rmtree("results/small/students")
    assert "results that are not here (results/small/students): `make pull`" in dvc_lock.absent(recorded)


def test_without_dvc_nobody_is_told_to_record(record, study):
    assert dvc_lock.unrecorded(study) is None
    assert dvc_lock.absent(study) is None


def test_stale_and_missing_results_are_refused_by_name(record, study):
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("{c: 8, fc: 60}", "{c: 9, fc: 60}"))
    (STUDENT.parent / "mlp1-20k-logits-s1/record.json").unlink()
    refusal = record(fails=True)
    assert refusal.count("\n") == 1
    assert "student/conv1-20k-logits-s1" in refusal
    assert "student/mlp1-20k-logits-s1" in refusal
    assert "student/conv1-20k-labels-s1" not in refusal
    assert not dvc_lock.LOCK.exists()


def test_a_damaged_result_is_refused_by_name(record, study):
    model = STUDENT / "model.safetensors"
    model.write_text(model.read_text().swapcase())
    assert f"not recorded: damaged: {model}" in record(fails=True)


def test_results_of_no_job_are_named(record, recorded):
    old = STUDENT.with_name("old")
    shutil.copytree(STUDENT, old)
    assert f"{old}: of no job of the study" in record()


def test_a_note_of_dvc_s_that_a_kill_left_half_written_is_healed(record, recorded):
    note = Path(".dvc/tmp/rwlock")
    note.write_text('{"write": {"/a/b": {"pid": 1, "cm')
    assert f"{note}: left half written by a kill" in record()
    assert "up to date" in dvc("status")


def test_a_note_of_dvc_s_that_is_being_written_is_left_alone(recorded):
    dvc_rwlock.NOTE.write_text("{")
    with FileLock(f"{dvc_rwlock.NOTE}.lock"):
        assert dvc_rwlock.heal() is None
    assert dvc_rwlock.NOTE.exists()


def test_conflicts_in_dvc_lock_are_called_so(recorded):
    lock = dvc_lock.LOCK
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}=======\n{lock.read_text()}>>>>>>> other\n")
    with pytest.raises(MimicError, match="conflicts of a merge; take one side whole, `git checkout --ours"):
        dvc_lock.absent(recorded)


def test_without_git_it_says_what_dvc_needs(record, study):
    assert "no git repository, as in a download without history; `git init` first" in record(fails=True)


def test_results_behind_a_link_are_refused_with_a_way_out(record, recorded, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("disk") / "results"
    shutil.move("results", elsewhere)
    Path("results").symlink_to(elsewhere)
    refusal = record(fails=True)
    assert "results/small: reached by a link out of this folder" in refusal
    assert "`dvc cache dir`" in refusal


def test_it_waits_for_no_running_snakemake(record, study):
    Path(".mimic").mkdir()
    with FileLock(".mimic/run.lock"):
        assert ".mimic/run.lock: a snakemake is at work in this folder" in record(fails=True)
