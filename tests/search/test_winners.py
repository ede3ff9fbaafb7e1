import json

import pytest

from mimic.search.points import Dimension
from mimic.search.winners import Trial, rank, selection, table
from mimic.support.errors import MimicError
from mimic.training.recipe import Student

DEFAULT = Student(learning_rate=0.002, momentum=0.9, widths={"c1": 48, "c2": 64})
SPACE = (Dimension("learning_rate", 0.001, 0.016, log=True), Dimension("widths.c1", 20, 120, integer=True))


def trial(number, accuracy, loss=1.0, status="finished", **record):
    record = {
        "status": status,
        "stop": "diverged" if status == "diverged" else "budget",
        "kind": "student",
        "family": "conv2",
        "budget": "1M",
        "arm": "logits",
        "validation_accuracy": accuracy,
        "validation_loss": loss,
        "epochs": 5,
        "seconds": 12.5,
        "training_flops": 1e12,
        "parameters": 1_000_003,
        "hyperparameters": {"net": [f"layers of trial {number}"]},
    } | record
    origin = "default" if number == 1 else "sobol"
    point = {"learning_rate": 0.001 * number, "widths.c1": 20 + number}
    return Trial(f"conv2-1M-logits-r01-t{number:02d}", 1, number, origin, point, record)


def choose(trials, averaged=5):
    return selection("conv2-1M-logits", "gp", trials, SPACE, DEFAULT, averaged)


def numbers(trials):
    return [trial.index for trial in trials]


def test_the_best_has_the_least_validation_error():
    assert numbers(rank("s", [trial(1, 0.5), trial(2, 0.7), trial(3, 0.6)])) == [2, 3, 1]


def test_ties_go_to_the_lower_loss_then_to_the_earlier_trial():
    tied = [trial(3, 0.7, loss=0.9), trial(4, 0.7, loss=0.8), trial(2, 0.7, loss=0.9)]
    assert numbers(rank("s", tied)) == [4, 2, 3]


def test_a_trial_that_diverged_is_never_chosen_however_good_it_was_before():
    trials = [trial(1, 0.5), trial(2, 0.9, status="diverged"), trial(3, None, None, status="diverged")]
    assert numbers(rank("s", trials)) == [1]


def test_a_search_without_a_finished_trial_says_so():
    with pytest.raises(MimicError, match="search conv2-1M-logits: all 1 trials diverged"):
        choose([trial(1, None, None, status="diverged")])


def test_the_selection_names_the_best_the_default_and_the_averaged():
    trials = [trial(n, accuracy) for n, accuracy in enumerate((0.5, 0.7, 0.6, 0.8), start=1)]
    content = choose(trials, averaged=3)
    assert content["best"] == "conv2-1M-logits-r01-t04"
    assert content["default"] == "conv2-1M-logits-r01-t01"
    assert [name[-3:] for name in content["averaged"]] == ["t04", "t02", "t03"]
    assert content["records"] == {t.name: t.record for t in (trials[3], trials[1], trials[2])}
    assert content["space"]["widths.c1"] == {"low": 20, "high": 120, "log": False}
    assert (content["kind"], content["family"], content["budget"], content["arm"]) == (
        "student",
        "conv2",
        "1M",
        "logits",
    )


def test_the_winners_hyperparameters_are_complete_and_its_net_is_told():
    content = json.loads(json.dumps(choose([trial(1, 0.5), trial(2, 0.7)])))
    winner = Student.model_validate_json(json.dumps(content["hyperparameters"]))
    assert winner == DEFAULT.model_copy(update={"learning_rate": 0.002, "widths": {"c1": 22, "c2": 64}})
    assert content["net"] == ["layers of trial 2"]


def test_the_table_has_a_row_a_trial_with_its_point():
    first, second = table([trial(1, 0.75), trial(2, 0.6, status="diverged")], chance=0.9)
    assert first == {
        "trial": "conv2-1M-logits-r01-t01",
        "round": 1,
        "index": 1,
        "origin": "default",
        "status": "finished",
        "stop": "budget",
        "validation_error": 0.25,
        "validation_loss": 1.0,
        "epochs": 5,
        "seconds": 12.5,
        "training_flops": 1e12,
        "parameters": 1_000_003,
        "learning_rate": 0.001,
        "widths.c1": 21,
    }
    assert (second["validation_error"], second["validation_loss"]) == (0.9, None)
