"""Run records are read without trusting them."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.core.errors import MimicError
from mimic.tracking.records import (
    FileDigest,
    Live,
    Proposal,
    Provenance,
    Result,
    Sidecar,
    flatten,
    read_history,
    read_measures,
    read_model,
)

PROVENANCE = Provenance.model_validate_json('{"started": "2026-01-02T03:04:05", "seconds": 1.5}')


def sidecar(**files: str) -> Sidecar:
    digests = {name: FileDigest(md5=md5, size=1) for name, md5 in files.items()}
    return Sidecar(name="n", study="toy", key="0" * 64, files=digests, provenance=PROVENANCE)


def test_a_time_without_a_zone_is_utc():
    assert (PROVENANCE.started_ms, PROVENANCE.ended_ms) == (1_767_323_045_000, 1_767_323_046_500)


@pytest.mark.parametrize("model", [Sidecar, Result, Live, Proposal])
@given(
    content=st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_is_no_record_is_refused_in_one_line_that_names_the_file(tmp_path_factory, model, content):
    path = tmp_path_factory.getbasetemp() / "record.json"
    path.write_bytes(content)
    with pytest.raises(MimicError) as caught:
        read_model(path, model)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_message_does_not_repeat_what_the_file_holds(tmp_path):
    path = tmp_path / "live.json"
    path.write_text('{"key": "a-secret", "parameters": "a-secret"}')
    with pytest.raises(MimicError) as caught:
        read_model(path, Live)
    assert "secret" not in str(caught.value)


@given(lines=st.lists(st.binary(max_size=60)))
def test_whatever_is_no_history_line_is_left_out(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "history.jsonl"
    good = b'{"epoch": 7, "train_loss": 0.5}'
    path.write_bytes(b"\n".join([*lines, good, b""]))
    epochs, left_out = read_history(path)
    assert epochs[7] == {"train_loss": 0.5}
    assert all(str(path) in line and "\n" not in line for line in left_out)


@pytest.mark.parametrize("epoch", ["0", "-1", "1.5", "NaN", "Infinity", "1e300", "null", "true", '"1"'])
def test_an_epoch_that_is_no_epoch(tmp_path, epoch):
    path = tmp_path / "history.jsonl"
    path.write_text(f'{{"epoch": {epoch}, "train_loss": 1.0}}\n')
    epochs, left_out = read_history(path)
    assert epochs == {}
    assert len(left_out) == 1


def test_what_is_not_finite_is_no_metric(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "train_loss": NaN, "a": Infinity, "b": null, "seconds": 2}\n')
    assert read_history(path) == ({1: {"seconds": 2.0}}, [])


def test_the_first_telling_of_an_epoch_counts_and_order_is_made(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text("".join(f'{{"epoch": {e}, "n": {n}}}\n' for n, e in enumerate([1, 3, 2, 3])))
    assert list(read_history(path)[0].items()) == [(1, {"n": 0.0}), (2, {"n": 2.0}), (3, {"n": 1.0})]


def test_a_published_file_must_be_the_published_one(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "train_loss": 1.0}\n')
    as_published = sidecar(**{"history.jsonl": "ad4ae7c1ebf1f53b1c1b2c4fb34e8a2d"})
    with pytest.raises(MimicError, match=r"history\.jsonl: was changed after its job\.json was written"):
        read_history(path, as_published)


def test_measures_are_the_test_columns_of_trained_models(tmp_path):
    path = tmp_path / "models.csv"
    path.write_text(
        "kind,name,seed,validation_accuracy,accuracy,kl,accuracy_shift_2,seconds\n"
        "teacher,t1,1,0.9,0.8,,0.7,5\n"
        "ensemble,ensemble,,0.9,0.85,0,0.75,\n"
        "student,s1,1,0.9,high,1,1,5\n"
        "student,s2,1,,,,,5\n"
    )
    measures, left_out = read_measures(path, sidecar())
    assert measures == {
        ("teacher", "t1"): {"test_accuracy": 0.8, "test_accuracy_shift_2": 0.7},
        ("student", "s2"): {},
    }
    assert left_out == [f"{path}, line 4: a measure is not a finite number; the line is left out"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xff\xfe", b'kind,name\n"'])
def test_a_table_that_is_none(tmp_path, content):
    path = tmp_path / "models.csv"
    path.write_bytes(content)
    try:
        measures, _ = read_measures(path, sidecar())
    except MimicError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert measures == {}


def test_flatten():
    nested = {"a": 0.1, "b": {"c": {"d": None}, "e": "text"}, "f": [1, 2], "g": True}
    assert flatten(nested) == {"a": "0.1", "b.c.d": "null", "b.e": "text", "f": "[1, 2]", "g": "true"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_as_text(value):
    assert math.isclose(float(flatten({"x": value})["x"]), value, rel_tol=0)
