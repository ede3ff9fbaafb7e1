"""The plan as it is printed."""

import json
from types import SimpleNamespace

import pytest

from mimic.commands import plan
from mimic.config.reading import parameter_file
from mimic.support.errors import MimicError


@pytest.fixture
def printed(capsys, monkeypatch, tmp_path, write):
    monkeypatch.chdir(tmp_path)
    write()

    def run(**changes) -> str:
        options = {"hardware": "a100", "jobs": None, "epochs": None, "json": False} | changes
        options.setdefault("params", tmp_path / "params.yaml")
        plan.run(SimpleNamespace(**options))
        return capsys.readouterr().out

    return run


def test_table(printed):
    lines = printed().splitlines()
    assert lines[0] == "Study counted on a100: from a table of assumptions, nothing measured"
    rows = [line.split() for line in lines[2 : lines.index("", 2)] if not line.startswith("-")]
    jobs = {row[0]: row[1] for row in rows}
    assert jobs == {
        "step": "jobs", "data": "1", "teacher": "2", "ensemble": "1", "logits": "2", "student": "3",
        "evaluation": "6", "comparison": "1", "report": "1", "all": "17",
    }  # fmt: skip
    assert all(len(line) <= 100 for line in lines)
    assert any("3 trainings end by patience: each is taken to last 40 %" in line for line in lines)


def test_json_says_the_same(printed):
    found = json.loads(printed(json=True, jobs=2))
    steps = {step["step"]: step for step in found["steps"]}
    assert steps["student"]["jobs"] == 3
    assert steps["teacher"]["files"] == 10
    assert found["total"]["storage"] == sum(step["storage"] for step in steps.values())
    assert found["seconds"] == pytest.approx(
        sum(step["seconds"] for step in steps.values() if step["on_gpu"])
    )
    assert [link["step"] for link in found["longest_chain"]] == [
        "data", "teacher", "ensemble", "logits", "student", "evaluation", "comparison", "report",
    ]  # fmt: skip
    chain = sum(link["seconds"] for link in found["longest_chain"])
    assert chain <= found["wall_seconds"]["2"] <= sum(step["seconds"] for step in steps.values())
    assert found["hardware"]["measured"] is False


def test_cohorts_run_fewer_processes(printed, write):
    alone = json.loads(printed(json=True))
    together = json.loads(printed(json=True, params=write(cohort=2)))
    runs = [{s["step"]: s["processes"] for s in found["steps"]}["student"] for found in (alone, together)]
    assert runs == [3, 2]
    assert together["seconds"] < alone["seconds"]


def test_rounds_of_a_search_follow_one_another(printed, write):
    effort = {"trials": 5, "at_once": 2, "space": {"learning_rate": {"low": 0.01, "high": 0.1}}}
    found = json.loads(printed(json=True, params=write(search={"teachers": effort})))
    steps = {step["step"]: step for step in found["steps"]}
    assert (steps["trial"]["jobs"], steps["trial"]["chain_processes"]) == (5, 3)
    assert [link["step"] for link in found["longest_chain"]].count("proposal") == 3


def test_longer_patience_costs_more_and_at_most_the_bound(printed):
    short, long, full = (json.loads(printed(json=True, epochs=share)) for share in (0.4, 0.8, 1.0))
    assert short["seconds"] < long["seconds"] < full["seconds"]
    assert short["seconds_at_most"] == pytest.approx(full["seconds"])


def test_what_ran_is_said_beside_the_plan(printed, tmp_path):
    assert "Spent so far" not in printed()
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    benchmarks = tmp_path / ".mimic" / "counted" / "benchmarks"
    (benchmarks / "teacher").mkdir(parents=True)
    (benchmarks / "teacher" / "t1.tsv").write_text(f"{head}3600\t1:00:00\t700\t3500\n")
    (benchmarks / "teacher" / "t2.tsv").write_text(f"{head}7200\t2:00:00\t900\t7100\n")
    (benchmarks / "data.tsv").write_text(f"{head}0.5\t0:00:00\t-\t-\n")  # too short to be measured
    assert "data 0 s, 2 x teacher 3.0 h; at most 944 MB of memory" in " ".join(printed().split())
    assert json.loads(printed(json=True))["spent"]["teacher"]["seconds"] == 10_800


def test_this_machine_is_measured(printed):
    found = json.loads(printed(json=True, hardware="here", jobs=1))
    hardware = found["hardware"]
    assert hardware["measured"]
    assert {net["family"] for net in hardware["nets"]} == {"teacher", "mlp1"}
    assert all(net["training_images_per_second"] > 0 for net in hardware["nets"])
    assert hardware["start_seconds"] > 0
    assert found["wall_seconds"].keys() == {"1"}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"hardware": "abacus"}, "--hardware abacus: must be here"),
        ({"jobs": 0}, "--jobs 0: must be from 1"),
        ({"jobs": 90_000, "hardware": "here"}, "--jobs 90000: this machine runs"),
        ({"epochs": 200.0}, "--epochs 200: must be a share of max_epochs"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(printed, changes, message):
    with pytest.raises(MimicError, match=message) as refused:
        printed(**changes)
    assert "\n" not in str(refused.value)


def test_a_missing_preset_is_refused(printed, tmp_path):
    with pytest.raises(MimicError, match=r"presets/paperr\.yaml: no such file"):
        printed(params=parameter_file("paperr"))
