"""docs/parameters.md and params.schema.json follow from the types, and editors can rely on them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from mimic.config.reading import check_parameters

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))
STUDIES = [*PRESETS, ROOT / "params.yaml", *sorted((ROOT / "tests").rglob("*/*.yaml"))]


@pytest.fixture
def schema(mimic):
    return lambda folder, *options: mimic(folder, "schema", *options)


def wrong(content: dict) -> list[str]:
    """The places that the schema complains of."""
    validator = jsonschema.Draft202012Validator(json.loads((ROOT / "params.schema.json").read_text()))
    return [".".join(map(str, error.path)) for error in validator.iter_errors(content)]


def test_both_files_are_in_step(schema):
    done = schema(ROOT)  # to mend it: python -m mimic schema --fix
    assert done.returncode == 0, done.stdout


def test_files_out_of_step_are_named_and_mended(schema, tmp_path):
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/parameters.md", tmp_path / "docs")
    (tmp_path / "params.schema.json").write_text("{}")
    told = schema(tmp_path)
    assert told.returncode == 1
    assert told.stdout.startswith("params.schema.json: not in step with the types")
    assert schema(tmp_path, "--fix").returncode == 0
    assert (tmp_path / "params.schema.json").read_text() == (ROOT / "params.schema.json").read_text()
    assert schema(tmp_path).returncode == 0


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_study_follows_the_schema(path):
    assert wrong(yaml.safe_load(path.read_text())) == []


def test_the_schema_knows_keys_values_and_bounds():
    demo = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
    assert wrong(demo | {"sede": 2}) == [""]
    assert wrong(demo | {"precision": "fp8"}) == ["precision"]
    assert wrong(demo | {"transfer": {"epochs": 0}}) == ["transfer.epochs"]


@pytest.mark.parametrize(
    ("group", "key", "kind"),
    [("students", "loss", "kl"), ("students", "schedule", "patience"), ("search", "algorithm", "sobol")],
)
def test_a_kind_alone_stands_for_a_part(group, key, kind):
    demo = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
    short, full = (demo | {group: demo[group] | {key: value}} for value in (kind, {"kind": kind}))
    assert wrong(short) == wrong(full) == []
    assert check_parameters(short, "") == check_parameters(full, "")
    assert wrong(demo | {group: demo[group] | {key: "other"}}) == [f"{group}.{key}"]


def test_the_schema_offers_no_kind_alone_that_needs_more():
    demo = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
    assert wrong(demo | {"students": demo["students"] | {"schedule": "one_cycle"}}) == ["students.schedule"]


@pytest.mark.parametrize("path", [*PRESETS, ROOT / "params.yaml"], ids=lambda path: path.name)
def test_a_parameter_file_names_the_schema(path):
    marker, _, place = path.read_text().splitlines()[0].partition("=")
    assert marker == "# yaml-language-server: $schema"
    assert (path.parent / place).resolve() == ROOT / "params.schema.json"


def test_the_page_explains_keys():
    rows = (ROOT / "docs/parameters.md").read_text().splitlines()
    assert "| `image_size` | whole number, ≥ 8, ≤ 256 | `32` | pixels a side |" in rows
    assert (
        "| `precision` | `fp32`, `bf16` | required | of matrix products and convolutions; bf16 where the "
        "hardware multiplies it; weights are fp32 |" in rows
    )


def test_texts_are_there_where_python_strips_docstrings():
    """`python -OO`, which an environment can bring."""
    done = subprocess.run([sys.executable, "-OO", "-m", "mimic", "schema"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done
