"""`mimic use` writes params.yaml from a preset and loses nothing that a user wrote."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    return tmp_path


def use(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mimic", "use", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ)


def test_a_preset_is_taken_over_whole_with_its_comments(folder):
    assert use(folder, "demo").returncode == 0
    preset = (ROOT / "presets/demo.yaml").read_text()
    assert (folder / "params.yaml").read_text() == preset.replace("=../params.schema", "=params.schema")


@pytest.mark.parametrize(
    ("params", "schema"),
    [("params.yaml", "params.schema.json"), ("studies/mine/a.yaml", "../../params.schema.json")],
)
def test_the_first_line_leads_an_editor_to_the_schema(folder, params, schema):
    assert use(folder, "laptop", "seed=3", "--params", params).returncode == 0
    first = (folder / params).read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={schema}"
    assert use(folder, "demo", "--params", params, "--force").returncode == 0  # the line comes once
    assert (folder / params).read_text().count("$schema") == 1


def test_what_it_writes_every_command_reads(folder):
    use(folder, "demo", "transfer.epochs=8", "teachers.members.t1.weight_decay=2.0e-5")
    content = yaml.safe_load((folder / "params.yaml").read_text())
    assert content["teachers"]["members"]["t1"]["weight_decay"] == 2e-5


def test_values_are_set_and_all_else_stays(folder):
    done = use(folder, "laptop", "data.path=/my images.zip", "transfer.epochs=8")
    assert done.returncode == 0, done.stderr
    text, preset = (folder / "params.yaml").read_text(), (ROOT / "presets/laptop.yaml").read_text()
    content, expected = yaml.safe_load(text), yaml.safe_load(preset)
    expected["data"]["path"], expected["transfer"]["epochs"] = "/my images.zip", 8
    assert content == expected
    comments = [line for line in preset.splitlines() if line.startswith("#")]
    assert all(line in text for line in comments[1:])


def test_changes_of_the_user_are_not_overwritten(folder):
    use(folder, "demo")
    params = folder / "params.yaml"
    mine = params.read_text().replace("seed: 1", "seed: 2", 1)
    params.write_text(mine)
    refused = use(folder, "laptop", "data.path=x.zip")
    assert refused.returncode == 2
    assert "params.yaml: holds changes of your own" in refused.stderr
    assert params.read_text() == mine
    assert use(folder, "laptop", "data.path=x.zip", "--force").returncode == 0


def test_another_place_of_the_data_is_no_change_of_the_user(folder):
    use(folder, "laptop", "data.path=x.zip")
    assert use(folder, "demo").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dmeo"], "dmeo: no such preset; `python -m mimic use PRESET` writes params.yaml from one of demo,"),
        (["demo", "data.pth=x"], "data.pth=x: must be KEY=VALUE with a key of the preset"),
        (["demo", "seed"], "seed: must be KEY=VALUE"),
        (["demo", "seed=["], "seed=[: the value is not valid YAML; quote it"),
        (["demo", "students.schedule.warmup=1e-1"], "students.schedule.warmup: 1e-1 is text to YAML"),
        (["demo", "seed=one"], "seed: must be a valid integer, not 'one'"),
        (["demo", "ensemble.size=9"], "9 members can not be chosen from 3 teachers"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(folder, arguments, named):
    done = use(folder, *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "params.yaml").exists()
