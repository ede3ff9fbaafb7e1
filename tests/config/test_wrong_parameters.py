"""Wrong parameters are refused before any job, each with one line that says what would be right."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake.exceptions import WorkflowError

from mimic.config.reading import check_parameters
from mimic.config.strict_yaml import read_yaml
from mimic.support.errors import MimicError
from mimic.workflow import SnakefileStudy

ROOT = Path(__file__).parents[2]
DEMO = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
REMOVE = "(remove the key)"
STUDENT = DEMO["students"]["variants"]["mlp1"]["200k"]

# key, value, what the message must name
CASES = [
    ("stduy", "x", ["stduy", "unknown key"]),
    ("study", REMOVE, ["study", "missing"]),
    ("study", "my study", ["study", "pattern"]),
    ("study", "../elsewhere", ["study", "pattern"]),
    ("data.label", 2024, ["data.label: must be a valid string, not 2024; write it in quotes"]),
    ("data.label", "two\nlines", ["data.label", "one line"]),
    ("data.label", "a bell \a", ["data.label", "one line"]),
    ("teachers.members.t1\nt2", {}, ["teachers.members", "one line"]),
    ("seed", -1, ["seed", "greater than or equal to 0"]),
    ("seed", "one", ["seed", "integer", "'one'"]),
    ("seed", 1.5, ["seed", "integer", "1.5"]),
    ("precision", "fp16", ["precision", "'fp32' or 'bf16'"]),
    ("data", None, ["data", "None"]),
    ("data.source", "imagenet", ["data.source", "'cifar10'"]),
    ("data.pth", "x", ["data.pth", "unknown key"]),
    ("data.validation", 0, ["data.validation", "greater than or equal to 1"]),
    ("data.validation", 5, ["data", "validation", "at least one image of each of the 10 classes"]),
    ("data.train", None, ["data", "synthetic", "null"]),
    ("data.path", "somewhere", ["data", "path must be null"]),
    ("data.source", "images", ["data", "needs a path"]),
    ("data.classes", 7, ["data", "has 10 classes, not 7"]),
    ("data.classes", 1, ["data.classes", "greater than or equal to 2"]),
    ("data.download", True, ["data", "can not be downloaded"]),
    ("data.image_size", 4, ["data.image_size", "greater than or equal to 8"]),
    ("data", {**DEMO["data"], "source": "cifar10", "path": "x", "train": 45_000, "validation": 10_000},
     ["data", "50000"]),
    ("data", {**DEMO["data"], "source": "images", "path": "no/such/folder"}, ["data.path", "no/such/folder"]),
    ("augmentation.mirror", 1.5, ["augmentation.mirror", "less than or equal to 1"]),
    ("augmentation.window", [32, 24], ["augmentation", "window", "least"]),
    ("augmentation.window", [24, 40], ["augmentation.window", "40", "image_size"]),
    ("data.image_size", 64, ["augmentation.window: 32 pixels show a quarter", "[48, 64] would be three"]),
    ("data.image_size", 30, ["augmentation.window: 32 pixels do not fit", "[22, 30] would be three"]),
    ("evaluation.translations", [32], ["evaluation.translations: 32", "up to 4 would do"]),
    ("augmentation.window", [24], ["augmentation.window"]),
    ("augmentation.hsv.Dh", -0.1, ["augmentation.hsv.Dh", "greater than or equal to 0"]),
    ("teachers.batch_size", 0, ["teachers.batch_size"]),
    ("teachers.members", {}, ["teachers.members", "at least 1"]),
    ("teachers.members.t1.filters", [16, 32], ["teachers.members.t1.filters"]),
    ("teachers.members.t1.learning_rate", 0, ["teachers.members.t1.learning_rate", "greater than 0"]),
    ("teachers.members.t1.learning_rate", "fast", ["t1.learning_rate: must be a valid number, not 'fast'"]),
    ("teachers.members.t1.dropout.conv1", 1.0, ["teachers.members.t1.dropout.conv1", "less than 1"]),
    ("teachers.members.t1.momentum", 1, ["teachers.members.t1.momentum", "less than 1"]),
    ("teachers.schedule", {"kind": "cosine", "epochs": 3}, ["teachers.schedule", "one_cycle"]),
    ("teachers.schedule.epochs", 0, ["teachers.schedule", "epochs"]),
    ("teachers.schedule", {"kind": "patience", "epochs": 3}, ["teachers.schedule", "epochs", "unknown key"]),
    ("ensemble.size", 4, ["ensemble.size", "3 teachers"]),
    ("transfer.epochs", 0, ["transfer.epochs"]),
    ("transfer.dtype", "int8", ["transfer.dtype", "float16"]),
    ("students.loss", {"kind": "hinge"}, ["students.loss", "l2"]),
    ("students.loss", {"kind": "kl", "temperature": 0}, ["students.loss", "temperature"]),
    ("students.seeds", 0, ["students.seeds"]),
    ("students.variants", {}, ["students.variants"]),
    ("students.variants.conv9", {"200k": {"learning_rate": 0.1, "momentum": 0.9}}, ["conv9", "'conv4'"]),
    ("students.variants.conv2.200", {"learning_rate": 0.1, "momentum": 0.9}, ["students.variants.conv2.200"]),
    ("students.variants.conv2.200k.widths", {"c1": 20}, ["students.variants.conv2.200k", "c2"]),
    ("students.variants.conv2.200k.widths", {"c1": 20, "c2": 30, "c3": 4}, ["conv2.200k", "c3"]),
    ("students.variants.conv2.200k.widths", {"c1": 400, "c2": 300}, ["conv2.200k"]),
    ("students.variants.mlp1.200k.widths", {"fc": 100_000}, ["mlp1.200k"]),
    ("students.variants.conv2.200k.widths", {"c1": 20.5, "c2": 32}, ["conv2.200k", "20.5"]),
    ("students.variants.conv2.200k.dropout", {"fc9": 0.1}, ["dropout", "fc9", "unknown key"]),
    ("hard_label_twins.variants.conv1.200k.learning_rate", REMOVE, ["learning_rate", "missing"]),
    ("teachers.members.T1", DEMO["teachers"]["members"]["t1"], ["teachers: members.", "in capitals alone"]),
    ("teachers.members.Ensemble", DEMO["teachers"]["members"]["t1"], ["no teacher can be called ensemble"]),
    ("students.variants.mlp1.0.2M", STUDENT, ["mlp1.0.2M", "the budget that is called 200k elsewhere"]),
    ("students.variants.conv8", {"0.20M": STUDENT}, ["conv8.0.20M", "is called 200k elsewhere"]),
    ("students.variants.conv8", {400 * "9" + "M": STUDENT}, ["students.variants.conv8.999", "pattern"]),
    ("students.variants.mlp1.200k.learning_rate", 1e-300, ["mlp1.200k.learning_rate: 1e-300 is beyond"]),
    ("students.variants.mlp2.200k.widths.lfc", 1e300, ["mlp2.200k.widths.lfc: 1e+300 is beyond"]),
    ("students.loss", {"kind": "kl", "temperature": 1e-300}, ["students.loss", "temperature", "0.01"]),
    ("teachers.schedule.epochs", 10**9, ["teachers.schedule: 1000000000 epochs"]),
    ("transfer.epochs", 10**9, ["the study has 200000", "raise transfer.epochs_per_shard"]),
    ("seed", 10**90, ["seed", "less than 9223372036854775808"]),
    ("search.students.trials", 9999, ["search.students", "2500 rounds, more than 99; raise at_once to 101"]),
    ("search.stopping.epochs", [10, 5], ["search.stopping.epochs: must ascend, as [5, 10]"]),
    ("search.stopping.epochs", [5, 5], ["search.stopping.epochs: must ascend, as [5]"]),
    ("search.stopping.epochs", [5, 30], ["search.stopping.epochs: 30 comes too late", "last 30 epochs"]),
    ("students.variants.mlp2.200k.schedule", {"kind": "one_cycle", "epochs": 10},
     ["20 comes too late for the trials of search.students, which last 10 epochs"]),
    ("teachers.batch_size", 4001, ["teachers.batch_size: 4001 is more than the 4000 images to train on"]),
    ("hard_label_twins.batch_size", 5000, ["hard_label_twins.batch_size: 5000 is more"]),
    ("teachers.members.t1.hidden", 10**12, ["teacher/t1", "memory"]),
    ("teachers.members.t1.filters", [16, 32, 10**12], ["teacher/t1", "memory"]),
    ("data.train", 10**12, ["memory, most of it for images"]),
    ("transfer", {"epochs": 10**9, "epochs_per_shard": 10**9, "dtype": "float16"}, ["memory"]),
    ("students.loss", "hinge", ["students.loss: kind must be one of", "'l2'"]),
    ("students.schedule", "one_cycle", ["students.schedule.epochs", "missing"]),
    ("search.algorithm", "grid", ["search.algorithm: kind must be one of", "'gp'", "'sobol'"]),
    ("search.algorithm", {"kind": "grid"}, ["search.algorithm: kind must be one of", "'gp'"]),
    ("search.algorithm", {"kind": "gp", "sigma": 0.1}, ["search.algorithm.sigma", "unknown key"]),
    ("search.algorithm", {"kind": "cmaes", "sigma": 0}, ["search.algorithm.sigma", "greater than 0"]),
    ("search.baseline", "gp", ["search", "another algorithm than gp"]),
    ("evaluation.translations", [0], ["evaluation.translations"]),
    ("report.confidence", 1.0, ["report.confidence", "less than 1"]),
]  # fmt: skip


def test_no_key_that_dvc_asks_for_may_be_absent():
    """DVC itself would fail, after all has run."""
    stages = read_yaml(ROOT / "dvc.yaml")["stages"].values()
    for key in {key for stage in stages for key in stage["params"]}:
        with pytest.raises(MimicError, match=f"params.yaml: {key}: missing; every key must be given"):
            check_parameters(edited(key, REMOVE), "params.yaml")


def edited(key: str, value: object) -> dict:
    """The demo's parameters with one key changed; budgets such as 0.2M are keys, too."""
    content = copy.deepcopy(DEMO)
    *parents, last = re.split(r"\.(?!\d+M)", key)
    place = content
    for parent in parents:
        place = place[parent]
    if value is REMOVE:
        del place[last]
    else:
        place[last] = value
    return content


def open_in_snakemake(params: Path) -> SnakefileStudy:
    """As the Snakefile does in its main process."""
    workflow = SimpleNamespace(is_main_process=True, set_default_input_flags=lambda *flags: None)
    return SnakefileStudy(params, workflow)


@pytest.mark.parametrize(("key", "value", "named"), CASES, ids=[f"{c[0]}={c[1]!r:.30}" for c in CASES])
def test_one_line_names_the_key_and_what_would_be_right(tmp_path, monkeypatch, key, value, named):
    monkeypatch.chdir(tmp_path)
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(edited(key, value)))
    with pytest.raises(WorkflowError) as refusal:
        open_in_snakemake(params)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(str(params))
    for word in named:
        assert word in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("study: [", "line"),
        ("study: a\nstudy: b\n", "given twice"),
        ("- a list", "keys and values"),
        ("", "keys and values"),
        ("study: !!python/object/apply:os.system [true]", "not valid YAML"),
        ("study: \x00", "not valid YAML"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(tmp_path, text, named):
    params = tmp_path / "params.yaml"
    params.write_text(text)
    with pytest.raises(WorkflowError, match=named):
        open_in_snakemake(params)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WorkflowError, match=r"absent\.yaml: no such file"):
        open_in_snakemake(tmp_path / "absent.yaml")


def test_a_folder_whose_name_snakemake_would_fill_in_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "study{1}"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(
        WorkflowError, match=r"study\{1\}: braces are wildcards to Snakemake; rename the folder"
    ):
        open_in_snakemake(Path("params.yaml"))


def test_snakemake_refuses_before_any_job_and_without_a_traceback(tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(edited("ensemble.size", 4)))
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--config",
        f"params={params}",
    ]
    done = subprocess.run([*command, "--cores", "1"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "ensemble.size: 4 members can not be chosen from 3 teachers" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


def test_the_command_line_exits_with_status_2(tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(edited("seed", "one")))
    done = subprocess.run(
        [sys.executable, "-m", "mimic", "teacher", "t1", "--params", params],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "seed: must be a valid integer" in done.stderr
