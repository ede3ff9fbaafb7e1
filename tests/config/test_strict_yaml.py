"""YAML is read as DVC reads it, and no file costs more than a second and a line."""

from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from mimic.config import strict_yaml
from mimic.config.strict_yaml import parse_yaml, read_text, read_yaml
from mimic.support.errors import MimicError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_dvc_reads_the_same(path):
    assert read_yaml(path) == load_yaml(path)
    assert repr(read_yaml(path)["teachers"]) == repr(load_yaml(path)["teachers"])  # the order, too


def test_words_and_numbers_are_those_of_yaml_1_2():
    text = "{a: no, b: 017, c: 1:30, d: 1e3, e: 5e-05, f: 0x1F, g: ~, h: True, i: 1.5}"
    assert parse_yaml(text, "f") == {
        "a": "no", "b": 17, "c": "1:30", "d": 1000.0, "e": 5e-5, "f": 31, "g": None, "h": True, "i": 1.5,
    }  # fmt: skip


def test_merged_keys_yield_to_those_given_and_to_earlier_ones():
    text = "{x: &x {a: 1, b: 1}, y: &y {b: 2, c: 2}, z: {<<: [*x, *y], c: 3}}"
    assert parse_yaml(text, "f")["z"] == {"a": 1, "b": 1, "c": 3}


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2", "f, line 2: not valid YAML: key 'a' is given twice"),
        ("1: a\n1.0: b", "line 2: not valid YAML: key '1.0' is given twice"),
        ("<<: {a: 1}\n<<: {b: 1}", "line 2: not valid YAML: key '<<' is given twice"),
        ("<<: 3", "<< takes a mapping"),
        ("? [a]\n: b", "line 1: not valid YAML: a key must be text"),
        ("{a: b}: c", "a key must be text"),
        ("a: &a [*a]", "an alias stands within what it names"),
        ("a: &a {<<: *a}", "an alias stands within what it names"),
        ("a: *b", "undefined alias"),
        (bomb(9), "line 5: not valid YAML: more than 20000 values, with aliases written out"),
        ("[" * 3000, "more than 50 levels deep"),
        ("- " * 3000, "more than 50 levels deep"),
        ("[" * 60 + "]" * 60, "more than 50 levels deep"),
        ("\n".join(["a0: &a0 []", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 99))]), "50 levels deep"),
        ("a: " + 5000 * "9", "a number of 5000 characters"),
        ("a: 0x" + 5000 * "f", "a number of 5002 characters"),
        ("a: 2020-13-01", "'2020-13-01' is no timestamp"),
        ("a: !!bool x", "'x' is no bool"),
        ("a: !!python/object/apply:os.system [true]", "no such kind of value"),
        ("a: !!set {b}", "no such kind of value"),
        ("a: \x00", "not valid YAML"),
        ("a: [", "not valid YAML"),
        ("--- a\n--- b", "not valid YAML"),
    ],
    ids=lambda text: f"{text:.30}",
)
def test_what_is_refused_is_told_in_one_line(text, told):
    with pytest.raises(MimicError) as refused:
        parse_yaml(text, "f")
    assert str(refused.value).startswith("f") and told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_is_read_no_further_than_any_study_reaches(tmp_path, monkeypatch):
    with pytest.raises(MimicError, match="/dev/zero: holds more than 262144 bytes"):
        read_text(Path("/dev/zero"))
    (tmp_path / "latin").write_bytes(b"\xe4")
    with pytest.raises(MimicError, match="latin: can not be read"):
        read_text(tmp_path / "latin")
    monkeypatch.setattr(strict_yaml, "BYTES", 3)
    (tmp_path / "small").write_text("a: 1")
    with pytest.raises(MimicError, match="small: holds more than 3 bytes"):
        read_text(tmp_path / "small")
