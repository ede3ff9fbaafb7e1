import json

import pandas as pd
import pytest

from mimic.report.accuracies import ENSEMBLE, TEACHER, Model
from mimic.report.read import read_results
from mimic.support.errors import MimicError


@pytest.fixture
def copied(small_study, tmp_path):
    """A small study that a test may damage."""
    return small_study.copy(tmp_path / "results")


def read(copied):
    return read_results(copied.context())


def edit_models(folder, change) -> None:
    path = folder / "comparison" / "models.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)


def test_only_models_of_the_parameters_are_read(copied):
    folder = copied.folder
    before = read(copied)
    edit_models(folder, lambda t: pd.concat([t, t.tail(1).assign(name="mlp5-1M-logits-s1", family="mlp5")]))
    (folder / "students" / "mlp5-1M-logits-s1").mkdir()
    after = read(copied)
    assert list(after.models.index) == list(before.models.index)
    assert set(after.histories.name) == set(before.histories.name)
    assert Model("mlp5", "1M", "logits") not in after.accuracies.cells


def test_accuracies_are_those_of_the_predictions(copied):
    results = read(copied)
    for model, cell in results.accuracies.cells.items():
        if model.arm and cell.seeds:
            assert results.accuracies.mean(model) == pytest.approx(
                results.models.accuracy[f"{model.name}-s1"]
            )


def test_the_best_teacher_is_best_on_validation_images_and_finished(copied):
    folder = copied.folder

    def change(table):
        table.loc[table.name == "t1", ["status", "validation_accuracy"]] = ["diverged", 0.99]
        table.loc[table.name == "t3", ["validation_accuracy", "accuracy"]] = [0.95, 0.10]
        return table

    edit_models(folder, change)
    results = read(copied)
    assert results.best_teacher == "t3"
    assert TEACHER in results.accuracies and ENSEMBLE in results.accuracies


def test_a_diverged_student_has_a_cell_without_seeds(copied):
    cell = read(copied).accuracies.cells[Model("conv4", "1M", "logits")]
    assert (cell.seeds, cell.diverged) == (0, 1)


def test_a_model_that_was_not_evaluated_is_named(copied):
    folder = copied.folder
    edit_models(folder, lambda table: table[table.name != "conv2-1M-logits-s1"])
    with pytest.raises(MimicError, match=r"models.csv: has no row for conv2-1M-logits-s1"):
        read(copied)


def test_a_column_that_is_missing_is_named(copied):
    folder = copied.folder
    edit_models(folder, lambda table: table.drop(columns="kl"))
    with pytest.raises(MimicError, match=r"models.csv: has no column kl"):
        read(copied)


@pytest.mark.parametrize(
    "name",
    [
        "evaluation/conv1-1M-logits-s1/predictions.safetensors",
        "ensemble/ensemble.json",
        "students/conv1-1M-logits-s1/history.jsonl",
    ],
)
def test_a_file_that_is_missing_is_named(copied, name):
    folder = copied.folder
    (folder / name).unlink()
    with pytest.raises(MimicError, match=name):
        read(copied)


def test_a_damaged_sidecar_is_named(copied):
    folder = copied.folder
    (folder / "data" / "job.json").write_text(json.dumps({"step": "data"}))
    with pytest.raises(MimicError, match=r"data/job.json: missing or damaged"):
        read(copied)
