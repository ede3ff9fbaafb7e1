"""Run records are read without trusting them."""

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.engine.sidecar import FileRecord, Sidecar
from mimic.support.errors import MimicError
from mimic.tracking.records import (
    Live,
    MeasuredModels,
    ProposedPoints,
    TrainingRecord,
    flatten,
    read_history,
    read_model,
    read_provenance,
)


def sidecar(provenance: dict | None = None, **files: str) -> Sidecar:
    digests = {name: FileRecord(md5=md5, size=1) for name, md5 in files.items()}
    told = {"provenance": provenance or {}, "files": digests, "parameters": {}, "code": {}, "upstream": {}}
    return Sidecar(step="student", name="n", study="toy", key="0" * 64, **told)


def test_a_time_without_a_zone_is_utc():
    ran = read_provenance("job.json", sidecar({"started": "2026-01-02T03:04:05", "seconds": 1.5}))
    assert (ran.started_ms, ran.ended_ms) == (1_767_323_045_000, 1_767_323_046_500)


def test_a_provenance_that_is_none_is_named():
    with pytest.raises(MimicError, match=r"^a/job\.json: seconds: "):
        read_provenance("a/job.json", sidecar({"started": "2026-01-02T03:04:05", "seconds": "long"}))


@pytest.mark.parametrize("model", [Sidecar, TrainingRecord, Live, ProposedPoints, MeasuredModels])
@given(
    content=st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).filter(bool).map(json.dumps).map(str.encode)
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


def test_measures_are_those_on_the_test_images(tmp_path):
    path = tmp_path / "measures.json"
    rows = [
        {
            "kind": "teacher",
            "name": "t1",
            "budget": None,
            "seed": 1,
            "validation_accuracy": 0.9,
            "accuracy": 0.8,
        }
        | {"ece": 0.1, "accuracy_shift_2": 0.7, "seconds": 5.0},
        {"kind": "student", "name": "s2", "status": "diverged", "seconds": 5.0},
    ]
    path.write_text(json.dumps(rows))
    assert read_model(path, MeasuredModels).metrics == {
        "teacher/t1": {"test_accuracy": 80.0, "test/ece": 0.1, "test/accuracy_shift_2": 70.0},
        "student/s2": {},
    }


@pytest.mark.parametrize("content", ["{}", "[1]", '[{"accuracy": NaN}]', '[{"accuracy": [1.0]}]', "\ufffe"])
def test_measures_that_are_none_are_refused(tmp_path, content):
    path = tmp_path / "measures.json"
    path.write_text(content)
    with pytest.raises(MimicError, match="^" + re.escape(f"{path}: ")):
        read_model(path, MeasuredModels)


@pytest.mark.parametrize("net", [None, "c3", [{"kind": "secret"}], [{"kind": "conv"}]])
def test_a_net_that_is_none_is_refused_unrepeated(tmp_path, net):
    path = tmp_path / "live.json"
    live = {"key": "0" * 32, "study": "toy", "step": "student", "name": "n", "parameters": 1}
    path.write_text(json.dumps(live | {"hyperparameters": {"net": net}}))
    with pytest.raises(MimicError, match=r"hyperparameters: .*must be the layers of a net$"):
        read_model(path, Live)


def test_flatten():
    nested = {"a": 0.1, "b": {"c": {"d": None}, "e": "text"}, "f": [1, 2], "g": True}
    assert flatten(nested) == {"a": "0.1", "b.c.d": "null", "b.e": "text", "f": "[1, 2]", "g": "true"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_as_text(value):
    assert math.isclose(float(flatten({"x": value})["x"]), value, rel_tol=0)
