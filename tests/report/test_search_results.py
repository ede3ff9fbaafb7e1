import json

import numpy as np
import pandas as pd
import pytest

from mimic.report.accuracies import Model
from mimic.report.charts import progress
from mimic.report.charts.figure1_rows import figure_1_rows
from mimic.report.read import read_results
from mimic.report.search_results import SearchResult
from mimic.report.study_provenance import total_flops, total_seconds, total_trials
from mimic.support.errors import MimicError

NAME = "conv2-1M-logits"


def search(*trials: tuple, name: str = NAME, algorithm: str = "gp") -> SearchResult:
    """Trials as (error, epochs, stop), the first the default; 1 FLOP an epoch."""
    names = [f"{name}-r01-t{number:02d}" for number in range(1, len(trials) + 1)]
    table = pd.DataFrame(trials, columns=["validation_error", "epochs", "stop"], index=names)
    table["training_flops"] = table.epochs.astype(float)
    table["status"] = np.where(table.stop == "diverged", "diverged", "finished")
    best = table.validation_error.idxmin()
    selection = {"algorithm": algorithm, "best": best, "default": names[0], "averaged": [best]}
    selection |= {"family": "conv2", "budget": "1M", "arm": "logits", "space": {}, "point": {}}
    return SearchResult(name, selection, table)


FOUR = ((0.30, 8, "budget"), (0.90, 2, "diverged"), (0.25, 8, "budget"), (0.40, 2, "hopeless"))


def test_the_best_so_far_falls_and_the_gain_is_over_the_default():
    found = search(*FOUR)
    assert found.best_so_far.tolist() == [0.30, 0.30, 0.25, 0.25]
    assert found.gain == pytest.approx(0.05)
    assert (found.diverged, found.stopped_early) == (1, 1)


def test_what_early_stopping_saved_by_hand():
    # 8 + 2 + 8 + 2 epochs were trained; the hopeless trial would have trained 6 more, as the whole ones did.
    assert search(*FOUR).saved == pytest.approx(6 / 26)


def test_what_was_saved_is_unknown_where_no_trial_ran_to_its_end():
    assert search((0.9, 2, "diverged"), (0.4, 2, "hopeless")).saved is None
    assert search((0.3, 8, "budget")).saved == 0


def test_trials_until_an_error_is_reached():
    found = search(*FOUR)
    assert (found.until(0.30), found.until(0.25)) == (1, 3)


def test_a_default_that_diverged_is_told():
    assert search((0.9, 2, "diverged"), (0.4, 8, "budget")).default.status == "diverged"
    assert search(*FOUR).default.status == "finished"


@pytest.mark.parametrize(
    "name, algorithm, baseline",
    [(NAME, "gp", False), (f"{NAME}-random", "random", True), ("teachers-tpe", "tpe", True)],
)
def test_a_baseline_has_its_algorithm_behind_its_name(name, algorithm, baseline):
    assert search(*FOUR, name=name, algorithm=algorithm).is_baseline is baseline


def test_a_diverged_default_does_not_stretch_the_axis_of_the_error():
    found = search((0.9, 2, "diverged"), (0.4, 8, "budget"), (0.3, 8, "budget"))
    assert progress._bounds([found])[1] < 45


@pytest.fixture
def copied(small_study, tmp_path):
    """The small study, which a test may change: its folder and what reads it."""
    study = small_study.copy(tmp_path / "results")
    return study.folder, lambda **changes: read_results(study.with_parameters(**changes).context())


def test_searches_are_read_with_their_baselines(copied):
    _, read = copied
    results = read()
    assert [found.name for found in results.searches] == [NAME]
    assert [found.name for found in results.all_searches] == [NAME, f"{NAME}-random"]
    assert results.searches[0].model == Model("conv2", "1M", "logits")
    assert results.search_comparisons[0].baseline.name == f"{NAME}-random"


def test_trials_are_in_the_order_of_their_numbers_whatever_that_of_the_file(copied):
    folder, read = copied
    path = folder / "students" / "searches" / NAME / "trials.csv"
    before = read().searches[0].trials.validation_error
    pd.read_csv(path).iloc[::-1].to_csv(path, index=False)
    np.testing.assert_array_equal(read().searches[0].trials.validation_error, before)


def test_trials_are_no_models_of_the_study(copied):
    _, read = copied
    results = read()
    assert set(results.models.kind) == {"teacher", "ensemble", "student"}
    assert set(results.searches[0].averaged) < set(results.evaluated.index)
    assert results.accuracies.cells[Model("conv2", "1M", "logits")].seeds == 1


def test_figure_1_shows_the_mean_of_the_best_trials_and_the_best_and_the_worst_of_them(copied):
    _, read = copied
    results = read()
    row = next(row for row in figure_1_rows(results) if row["family"] == "conv2")
    accuracies = 100 * results.evaluated.accuracy[results.searches[0].averaged]
    assert row["accuracy"] == pytest.approx(accuracies.mean(), abs=1e-3)
    assert [row["best"], row["worst"]] == pytest.approx([accuracies.max(), accuracies.min()], abs=1e-3)
    assert row["low"] < row["accuracy"] < row["high"]
    assert "best 5 of 16 trials" in row["ours"]
    other = next(row for row in figure_1_rows(results) if row["family"] == "conv3")
    assert "best" not in other and other["seeds"] == 1


def test_trials_on_a_schedule_of_their_own_stand_for_nothing_in_figure_1(copied, small_study):
    _, read = copied
    parameters = small_study.parameters
    shorter = parameters.students.schedule.model_copy(update={"epochs": 2})
    effort = parameters.search.students.model_copy(update={"schedule": shorter})
    search = parameters.search.model_copy(update={"students": effort})
    results = read(search=search)
    assert results.averaged == {}
    assert results.plotted.mean(Model("conv2", "1M", "logits")) == pytest.approx(
        results.models.accuracy[f"{NAME}-s1"]
    )


def test_the_best_teacher_may_be_a_trial(paper_study):
    results = read_results(paper_study.context())
    teachers = results.evaluated[results.evaluated.family == "teacher"]
    assert set(teachers.kind) == {"teacher", "trial"}
    assert results.best_teacher == teachers.validation_accuracy.idxmax()


@pytest.mark.parametrize("name", ["selection.json", "trials.csv"])
def test_a_file_of_a_search_that_is_missing_is_named(copied, name):
    folder, read = copied
    (folder / "students" / "searches" / NAME / name).unlink()
    with pytest.raises(MimicError, match=f"{NAME}/{name}: no such file"):
        read()


def test_a_hyperparameter_without_a_column_is_named(copied):
    folder, read = copied
    path = folder / "students" / "searches" / NAME / "trials.csv"
    pd.read_csv(path).drop(columns="widths.c1").to_csv(path, index=False)
    with pytest.raises(MimicError, match=r"trials.csv: has no column widths.c1"):
        read()


def test_a_trial_that_was_not_evaluated_is_named(copied):
    folder, read = copied
    selection = json.loads((folder / "students" / "searches" / NAME / "selection.json").read_text())
    path = folder / "comparison" / "models.csv"
    table = pd.read_csv(path)
    table[table.name != selection["averaged"][2]].to_csv(path, index=False)
    with pytest.raises(MimicError, match=f"has no row for {selection['averaged'][2]}"):
        read()


def test_what_trials_cost_counts_as_training(copied):
    _, read = copied
    results = read()
    models = results.models
    trained = models.training_flops[models.kind != "ensemble"].sum()
    # Of each search's 16 trials two ended after a quarter.
    assert total_flops(results) == pytest.approx(trained + 2 * 14.5e15)
    jobs = sum(sidecar.provenance["seconds"] for sidecar in results.sidecars)
    assert total_seconds(results) == pytest.approx(jobs + 2 * 16 * 300)
    assert total_trials(results) == 32
