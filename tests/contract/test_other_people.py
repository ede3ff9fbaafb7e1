"""A study in a folder that is another person's, to be read alone, or a group's."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY, GROUP = 65534, 54321
AS_ROOT = os.geteuid() == 0


def as_other(umask: int = 0o022, writes_as_group: bool = False) -> list[str]:
    """What makes of a command one of another person, who may read all, but write by the rights alone."""
    group = GROUP if writes_as_group else NOBODY
    rights = [
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={group}", "--clear-groups", *rights, "--"]
    return [*user, "sh", "-c", f'umask {umask:04o}; exec "$@"', "sh"]


def call(repository, *command: str, prefix=(), **variables: str) -> tuple[int, str]:
    environment = repository.environment | {"PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(
        [*prefix, *command], cwd=repository.folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def open_to_all(folder: Path) -> None:
    """The folders of pytest are for their owner alone."""
    for parent in [folder, *folder.parents]:
        if parent.stat().st_uid == os.getuid() and parent.stat().st_mode & 0o007 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)


@pytest.fixture
def archive(repository):
    """A finished study, one student changed, where whoever calls may read all and write nothing."""
    repository.widen_conv1()
    open_to_all(repository.folder)
    folders = [repository.folder, *(path for path in repository.folder.rglob("*") if not path.is_symlink())]
    for path in folders:
        path.chmod(path.stat().st_mode & ~0o222)
    yield repository
    for path in folders:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.mark.parametrize("home", ["theirs", "none"])
def test_who_may_only_read_sees_all_and_is_refused_in_a_line(archive, tmp_path, home):
    prefix = as_other() if AS_ROOT else []
    (tmp_path / "home").mkdir(mode=0o777)
    (tmp_path / "home").chmod(0o777)
    variables = {"HOME": str(tmp_path / "home") if home == "theirs" else os.devnull, "TMPDIR": "/tmp"}

    def told(*command: str, fails: bool = False) -> str:
        status, output = call(archive, *command, prefix=prefix, **variables)
        assert bool(status) == fails, output
        assert "Traceback" not in output
        return output

    planned = told("snakemake", "-n", "report.html")
    assert "train_students        1" in planned and "teacher " not in planned
    assert "Nothing to be done" in told("snakemake", "-n", "teachers")
    mimic = (sys.executable, "-m", "mimic")
    assert "student        3 jobs, 2 done" in told(*mimic, "check")
    assert "student.widths.c: 8 → 9" in told(*mimic, "why")
    assert "of 16" in told(*mimic, "status") or "16 jobs" in told(*mimic, "status")
    for command in (("snakemake", "report.html"), (*mimic, "report"), (*mimic, "clean")):
        refused = [line for line in told(*command, fails=True).splitlines() if "permission denied to" in line]
        assert refused and refused[0].endswith("; work in a folder of your own")


@pytest.mark.skipif(not AS_ROOT, reason="a second person takes root")
@pytest.mark.parametrize("umask", [0o002, 0o022])
def test_two_persons_of_a_group_go_on_with_one_study(repository, tmp_path, umask):
    """The folder is the group's, with the set-group-ID bit; so is what the first of them made."""
    open_to_all(repository.folder)
    for path in [repository.folder, *repository.folder.rglob("*")]:
        if path.is_symlink():
            continue
        os.chown(path, 0, GROUP)
        path.chmod(path.stat().st_mode | (0o2070 if path.is_dir() else 0o060))
    before = repository.trainings()
    repository.widen_conv1()
    status, output = call(
        repository, "snakemake", "report.html", prefix=as_other(umask, True), HOME=os.devnull, TMPDIR="/tmp"
    )
    assert status == 0, output
    assert repository.trained_since(before) == {"student/conv1-20k-logits-s1"}
    record = repository.folder / "results/small/students/conv1-20k-logits-s1/job.json"
    assert (record.stat().st_uid, record.stat().st_gid) == (NOBODY, GROUP)
    assert stat.S_IMODE(record.stat().st_mode) == 0o666 & ~umask
