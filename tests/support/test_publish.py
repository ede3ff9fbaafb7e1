"""A published file is the old one or the new one, whatever happens in between."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mimic.support.publish import atomic_path, write_json, write_text


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path):
    target = tmp_path / "model"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_refuses_what_json_can_not_say(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "record.json", {"loss": float("nan")})
    assert not (tmp_path / "record.json").exists()


WRITER = """
import sys
from pathlib import Path
from mimic.support.publish import write_text
print("ready", flush=True)
n = 0
while True:
    n += 1
    write_text(Path(sys.argv[1]), f"{n}\\n" * 20_000)
"""


@pytest.mark.parametrize("delay", [0.05, 0.11, 0.23])
def test_kill_9_while_writing_leaves_a_whole_file(tmp_path, delay):
    target = tmp_path / "file"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE)
    writer.stdout.readline()
    while not target.exists():
        time.sleep(0.01)
    time.sleep(delay)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    lines = target.read_text().splitlines()
    assert len(lines) == 20_000
    assert len(set(lines)) == 1
