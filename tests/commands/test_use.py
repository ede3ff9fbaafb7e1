"""`mimic use` writes params.yaml from a preset and loses nothing that a user wrote."""

from pathlib import Path

import pytest
import yaml
from dvc.utils.serialize import load_yaml

from mimic.__main__ import main
from mimic.config.reading import read_parameters
from mimic.config.strict_yaml import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    return tmp_path


@pytest.fixture
def use(mimic):
    return lambda folder, *arguments: mimic(folder, "use", *arguments)


def test_a_preset_is_taken_over_whole_with_its_comments(use, folder):
    assert use(folder, "demo").returncode == 0
    preset = (ROOT / "presets/demo.yaml").read_text()
    assert (folder / "params.yaml").read_text() == preset.replace("=../params.schema", "=params.schema")


@pytest.mark.parametrize(
    ("params", "schema"),
    [("params.yaml", "params.schema.json"), ("studies/mine/a.yaml", "../../params.schema.json")],
)
def test_the_first_line_leads_an_editor_to_the_schema(use, folder, params, schema):
    assert use(folder, "laptop", "seed=3", "--params", params).returncode == 0
    first = (folder / params).read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={schema}"
    assert use(folder, "demo", "--params", params, "--force").returncode == 0  # the line comes once
    assert (folder / params).read_text().count("$schema") == 1


def test_what_it_writes_every_command_reads(use, folder):
    use(folder, "demo", "transfer.epochs=8", "teachers.members.t1.weight_decay=2.0e-5")
    content = yaml.safe_load((folder / "params.yaml").read_text())
    assert content["teachers"]["members"]["t1"]["weight_decay"] == 2e-5


def test_values_are_set_and_all_else_stays(use, folder):
    done = use(folder, "laptop", "data.path=/my images.zip", "transfer.epochs=8")
    assert done.returncode == 0, done.stderr
    text, preset = (folder / "params.yaml").read_text(), (ROOT / "presets/laptop.yaml").read_text()
    content, expected = yaml.safe_load(text), yaml.safe_load(preset)
    expected["data"]["path"], expected["transfer"]["epochs"] = "/my images.zip", 8
    assert content == expected
    comments = [line for line in preset.splitlines() if line.startswith("#")]
    assert all(line in text for line in comments[1:])


def test_changes_of_the_user_are_not_overwritten(use, folder):
    use(folder, "demo")
    params = folder / "params.yaml"
    mine = params.read_text().replace("seed: 1", "seed: 2", 1)
    params.write_text(mine)
    refused = use(folder, "laptop", "data.path=x.zip")
    assert refused.returncode == 2
    assert "params.yaml: holds changes of your own" in refused.stderr
    assert params.read_text() == mine
    assert use(folder, "laptop", "data.path=x.zip", "--force").returncode == 0


def test_another_place_of_the_data_is_no_change_of_the_user(use, folder):
    use(folder, "laptop", "data.path=x.zip")
    assert use(folder, "demo").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dmeo"], "dmeo: no such preset; `python -m mimic use PRESET` writes params.yaml from one of demo,"),
        (["demo", "data.pth=x"], "data.pth=x: must be KEY=VALUE with a key of the preset"),
        (["demo", "seed"], "seed: must be KEY=VALUE"),
        (["demo", "seed=["], "seed, line 1: not valid YAML"),
        (["demo", f"seed={5000 * '9'}"], "mimic: seed, line 1: not valid YAML: a number of 5000 characters"),
        (["demo", "seed=one"], "seed: must be a valid integer, not 'one'"),
        (["demo", "ensemble.size=9"], "9 members can not be chosen from 3 teachers"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(use, folder, arguments, named):
    done = use(folder, *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "params.yaml").exists()


@pytest.fixture
def used(folder, monkeypatch):
    """`mimic use` in this process; returns what params.yaml then holds, to whoever reads it."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> dict:
        assert main(["use", *arguments, "--force"]) == 0
        content = read_yaml(Path("params.yaml"))
        text = Path("params.yaml").read_text()
        assert (
            content == load_yaml("params.yaml") == yaml.safe_load(text)
        )  # DVC's YAML is 1.2, the last's 1.1
        return content

    return run


@pytest.mark.parametrize(
    "text",
    ["/data/set #1.zip", "@home", "no", "2024", "1e5", "1:30", "2024-01-01", "a: b", "- a", "{a", "'", '"',
     "*x", "&x", "!x", "%x", "<<", "=", "0x1F", " a ", "Käse", "true", "[1]", "# 1", "yes", "null and void"],
)  # fmt: skip
def test_what_is_typed_for_a_text_is_that_text(used, text):
    data = used("laptop", f"data.path={text}", f"data.label={text}")["data"]
    assert (data["path"], data["label"]) == (text, text)


def test_text_may_be_a_number_or_null(used):
    assert used("demo", "study=2024")["study"] == "2024"
    assert used("demo", "data.label=null")["data"]["label"] == "null"
    assert used("laptop", "data.source=synthetic", "data.path=null")["data"]["path"] is None
    assert used("demo", "search.baseline=")["search"]["baseline"] is None


@pytest.mark.parametrize("typed", ["5.0e-5", "5e-5", "5E-05", "0.00005", ".5e-4"])
def test_a_number_is_written_in_one_form_however_it_is_typed(used, typed):
    key = "students.variants.mlp1.200k.learning_rate"
    assert used("demo", f"{key}={typed}")["students"]["variants"]["mlp1"]["200k"]["learning_rate"] == 5e-5
    assert "200k: {learning_rate: 5.0e-5, momentum: 0.9, " in Path("params.yaml").read_text()


def test_lists_and_groups_stay_on_their_line_and_budgets_with_a_point_are_keys(used):
    key = "students.variants.conv2.3.16M.momentum"
    study = used(
        "paper", "augmentation.window=[20, 32]", "students.loss={kind: kl, temperature: 2}", f"{key}=0.5"
    )
    assert study["students"]["variants"]["conv2"]["3.16M"]["momentum"] == 0.5
    text = Path("params.yaml").read_text()
    assert "  window: [20, 32]        # pixels" in text
    assert "  loss: {kind: kl, temperature: 2}\n" in text
    assert "schedule: null        # null: that of students" in text


def test_options_may_stand_between_values(used):
    study = used("--force", "demo", "seed=3", "--params", "params.yaml", "study=other")
    assert (study["seed"], study["study"]) == (3, "other")


def test_what_dvc_exp_run_writes_mimic_reads(folder, monkeypatch):
    """`--set-param` rewrites the file with Python's numbers: 5e-05."""
    from dvc.utils.hydra import apply_overrides

    monkeypatch.chdir(folder)
    assert main(["use", "demo"]) == 0
    overrides = ["teachers.members.t1.learning_rate=5.0e-5", "study=no", "search.baseline=null"]
    apply_overrides("params.yaml", overrides)
    assert "learning_rate: 5e-05" in Path("params.yaml").read_text()
    parameters = read_parameters(Path("params.yaml"))
    assert parameters.teachers.members["t1"].learning_rate == 5e-5
    assert (parameters.study, parameters.search.baseline) == ("no", None)
    assert main(["use", "params.yaml", "seed=9", "--force"]) == 0
    assert read_parameters(Path("params.yaml")).teachers.members["t1"].learning_rate == 5e-5
