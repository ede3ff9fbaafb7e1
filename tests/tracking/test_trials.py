"""Trials of a search: where their files lie, what they are called, and how one search is found in MLflow."""

import pytest

from mimic.tracking import track
from mimic.tracking.trainings import scan

SEARCH = "conv2-1M-logits"


@pytest.fixture
def send(study, store):
    return lambda: track(study.results, study.live, store.uri, progress=lambda line: None)


def tags_of(run) -> dict[str, str]:
    """The tags that place a run in a search."""
    names = ("step", "search", "round", "trial", "algorithm", "origin", "family", "budget", "arm")
    return {name: run.data.tags[f"mimic.{name}"] for name in names if f"mimic.{name}" in run.data.tags}


def test_a_trial_is_a_run_that_tells_its_place_in_the_search(study, store, send):
    study.propose(round_=2)
    study.try_out(round_=2, index=2, stop="hopeless")
    assert send().runs == {"completed": 1}
    run = store.run()
    assert (run.info.run_name, run.info.status) == (f"{SEARCH}-r02-t02", "FINISHED")
    assert tags_of(run) == {
        "step": "trial",
        "search": SEARCH,
        "round": "2",
        "trial": "2",
        "algorithm": "gp",
        "origin": "gp",
        "family": "conv2",
        "budget": "1M",
        "arm": "logits",
    }
    assert run.data.tags["mimic.stop"] == "hopeless"
    assert run.data.params == {"learning_rate": "0.02"}
    assert store.points(run, "training/loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


@pytest.mark.parametrize(
    ("search", "family", "budget", "arm"),
    [
        (SEARCH, "conv2", "1M", "logits"),
        (f"{SEARCH}-random", "conv2", "1M", "logits"),
        ("teachers", "teacher", None, None),
        ("teachers-random", "teacher", None, None),
    ],
)
def test_a_live_trial_is_known_by_its_name_and_becomes_the_finished_one(
    study, store, send, search, family, budget, arm
):
    study.propose(search)
    kind = "teacher" if family == "teacher" else "student"
    study.start(f"{search}-r01-t01", step="trial", epochs=1, kind=kind)
    assert send().runs == {"live": 1}
    live = store.run()
    assert live.info.status == "RUNNING"
    assert live.data.tags["mimic.origin"] == "default"
    study.try_out(search, kind=kind)
    assert send().runs == {"completed": 1}
    tags = tags_of(store.run())
    assert tags == tags_of(live)
    assert [tags.get(name) for name in ("family", "budget", "arm")] == [family, budget, arm]


def test_one_search_is_one_filter(study, store, send):
    for index in (1, 2):
        study.try_out(index=index, key=f"gp{index}")
        study.try_out(f"{SEARCH}-random", index=index, key=f"random{index}")
    study.train(key="winner")
    send()
    experiments = {run.info.experiment_id for run in store.runs()}
    found = store.client.search_runs(list(experiments), f"tags.\"mimic.search\" = '{SEARCH}'")
    assert {run.info.run_name for run in found} == {f"{SEARCH}-r01-t01", f"{SEARCH}-r01-t02"}


def test_trials_are_beside_the_other_runs_not_among_them(study, store, send):
    study.try_out()
    study.train(key="winner")
    send()
    assert {run.info.run_name for run in store.all_runs("toy")} == {"toy", "conv2-1M-logits-s1"}
    assert {run.info.run_name for run in store.all_runs("toy.search")} == {f"{SEARCH}-r01-t01"}


def test_the_parameters_of_a_trial_are_those_that_were_searched(study, store, send):
    study.propose(
        "teachers", points=[{"learning_rate": 0.01}, {"learning_rate": 0.002, "filters.group1": 64}]
    )
    study.start("teachers-r01-t02", step="trial")
    send()
    study.try_out("teachers", index=2, kind="teacher")
    send()
    assert store.run().data.params == {"learning_rate": "0.002", "filters.group1": "64"}


def test_another_proposal_says_nothing_of_a_trial(study, store, send):
    study.propose(key="p2")
    study.try_out(proposal="p1")
    assert send().complaints == []
    run = store.run()
    assert "mimic.algorithm" not in run.data.tags
    assert run.data.params["student.dropout.fc1"] == "0.25"  # nobody knows what was searched: all are there


def test_a_trial_without_its_proposal_is_mirrored_all_the_same(study, store, send):
    study.try_out()
    assert send().runs == {"completed": 1}
    assert store.run().data.tags["mimic.search"] == SEARCH


def test_a_changed_proposal_is_named(study, store, send):
    folder = study.propose()
    (folder / "proposal.json").write_text('{"algorithm": "mine", "origins": [], "points": []}')
    study.try_out()
    summary = send()
    assert summary.runs == {"refused": 1}
    assert f"{folder / 'proposal.json'}: was changed" in summary.complaints[0]
    study.propose()
    assert send().runs == {"completed": 1}


def test_a_trial_in_another_place_is_not_believed(study):
    folder = study.try_out(index=1)
    folder.rename(folder.with_name("t02"))
    files = scan(study.results, study.live)
    assert (files.trainings, files.unreadable) == ([], {("trial", f"{SEARCH}-r01-t02")})
    assert f"belongs to toy/{SEARCH}-r01-t01, not to toy/{SEARCH}-r01-t02" in files.complaints[0]


def test_test_metrics_reach_a_trial_by_way_of_the_selection(study, store, send):
    first, second = f"{SEARCH}-r01-t01", f"{SEARCH}-r01-t02"
    study.try_out(index=1, key="k1")
    study.try_out(index=2, key="k2")
    send()
    study.select(trials={first: "k1", second: "k2"})
    study.evaluate(SEARCH, 0.75, "s1", step="selection", model=first)  # only the best are evaluated
    assert send().runs == {"updated": 1, "unchanged": 1}
    assert store.run("k1").data.metrics["test_accuracy"] == 75.0
    assert "test_accuracy" not in store.run("k2").data.metrics


@pytest.mark.parametrize("selected", [("s2", "k1"), ("s1", "k3")], ids=["selection", "trial"])
def test_test_metrics_of_another_are_not_taken(study, store, send, selected):
    selection, trial = selected
    name = f"{SEARCH}-r01-t01"
    study.try_out(key="k1")
    study.select(key=selection, trials={name: trial})
    study.evaluate(SEARCH, 0.75, "s1", step="selection", model=name)
    send()
    assert "test_accuracy" not in store.run("k1").data.metrics
