"""What a disk refuses is said in one line that names the file, also where the error doesn't."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mimic.support import disk, publish


@pytest.fixture
def small_files():
    """No file may grow beyond 100 kB: to a program much the same as a full disk."""
    earlier, handler = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, earlier[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
    signal.signal(signal.SIGXFSZ, handler)


def write_model(path: Path) -> None:
    with publish.atomic_path(path) as aside:
        save_file({"weights": torch.zeros(100_000)}, aside)


@pytest.mark.parametrize("write", [write_model, lambda path: publish.write_text(path, "x" * 400_000)])
def test_a_file_without_room_is_named_and_the_earlier_one_stays(tmp_path, small_files, write):
    path = tmp_path / "model.safetensors"
    path.write_text("earlier")
    with pytest.raises(OSError) as caught:
        write(path)
    assert disk.refused(caught.value).startswith(f"{path}: file too large: ")
    assert disk.refused(caught.value).endswith("MB are free on its disk; make room and call again")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_cohort_that_finds_no_room_says_so_once():
    full = OSError(errno.ENOSPC, "", "results/model.safetensors")
    assert disk.refused(ExceptionGroup("2 of 2 failed", [full, full])).startswith(
        "results/model.safetensors: no space"
    )
    assert disk.refused(ExceptionGroup("2 of 2 failed", [full, ValueError("a bug")])) is None
    assert disk.refused(ConnectionRefusedError(errno.ECONNREFUSED, "")) is None


@pytest.fixture
def large_file(tmp_path) -> Path:
    (tmp_path / "whole").write_bytes(bytes(400_000))
    return tmp_path / "whole"


def test_of_a_copy_the_new_file_is_named(large_file, tmp_path, small_files):
    with pytest.raises(OSError) as caught:
        shutil.copyfile(large_file, tmp_path / "copy")
    assert disk.refused(caught.value).startswith(f"{tmp_path / 'copy'}: file too large")


def test_a_folder_to_be_read_alone_is_told_from_a_fault():
    line = disk.refused(PermissionError(errno.EACCES, "", "/proc/1/x"))
    assert line.startswith("/proc/1/x: permission denied")
    assert line.endswith("work in a folder of your own")


def test_in_a_group_s_folder_the_umask_is_named(tmp_path):
    tmp_path.chmod(0o2775)
    line = disk.refused(PermissionError(errno.EACCES, "", str(tmp_path / "made" / "x")))
    assert line.endswith("who shares a folder with a group has to make files with `umask 002`")


def test_files_have_the_rights_that_the_umask_gives(tmp_path):
    """In a folder of a group, with the umask 002, the group may write."""
    code = "from pathlib import Path; from mimic.support.publish import write_text as w; w(Path('file'), '')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, umask=0o002, check=True)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("date", [None, 946_684_800_000_000_000])
def test_another_person_s_file_is_dated_by_a_copy(tmp_path, monkeypatch, date):
    path = tmp_path / "model"
    path.write_text("weights")
    os.utime(path, (1e9, 1e9))
    linked = tmp_path / "theirs"
    os.link(path, linked)

    utime, theirs = os.utime, path.stat().st_ino

    def refuse(file, *of, **times):
        if os.stat(file).st_ino == theirs:
            raise PermissionError(errno.EPERM, "")
        utime(file, *of, **times)

    monkeypatch.setattr("os.utime", refuse)
    publish.renew(path, date)
    assert path.read_text() == "weights"
    assert linked.stat().st_mtime == 1e9
    assert path.stat().st_mtime_ns == date if date else path.stat().st_mtime > 1e9


@pytest.mark.parametrize("arguments", [["completion", "bash"], ["--help"]])
def test_a_reader_that_leaves_gets_no_traceback(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mimic", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.stderr == b""
