"""What students have learnt: tables by hand, and what the page shows of them."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mimic.report import learnt
from mimic.report.charts import confusion
from mimic.report.pictures import sheet
from mimic.report.read import read_results
from mimic.report.results import Predictions


@pytest.fixture(scope="module")
def results(small_study):
    """Four test images. The ensemble is wrong on the last two; so are students, once in the same way."""
    found = read_results(small_study.context())
    ensemble = Predictions(np.array([0, 1, 3, 0]), np.array([1.0, 0.9, 0.8, 0.7]))
    student = Predictions(np.array([0, 2, 3, 1]), np.array([0.95, 0.99, 0.5, 0.5]))
    predictions = dict.fromkeys(found.predictions, student) | {"ensemble": ensemble}
    return replace(found, labels_N=np.array([0, 1, 2, 3]), predictions=predictions)


def of(table: pd.DataFrame, family: str) -> pd.DataFrame:
    return table[(table.family == family) & table.arm.isin(["", "logits"])]


def test_the_ensembles_mistakes_are_told_from_other_mistakes(results):
    table = learnt.fidelity(results)
    assert (table.same_mistakes == 0.5).all()
    assert set(zip(table.family, table.arm, strict=True)) >= {("conv3", "logits"), ("conv3", "labels")}
    models = results.models.set_index("name", drop=False)
    assert of(table, "conv3").kl.item() == models.kl["conv3-1M-logits-s1"]


def test_a_mistake_is_not_shared_where_the_ensemble_makes_none(results):
    right = replace(results.predictions["ensemble"], class_N=results.labels_N)
    of_right = replace(results, predictions=results.predictions | {"ensemble": right})
    assert learnt.fidelity(of_right).same_mistakes.isna().all()


def test_reliability_by_hand(results):
    rows = of(learnt.reliability(results), "conv2").to_dict("records")
    assert [(row["images"], row["accuracy"]) for row in rows] == [(2, 0.0), (2, 0.5)]
    assert [(row["from"], row["to"]) for row in rows] == [
        (pytest.approx(7 / 15), pytest.approx(8 / 15)),
        (pytest.approx(14 / 15), 1),
    ]
    assert rows[1]["confidence"] == pytest.approx(0.97)


def test_confusion_by_hand(results):
    rows = of(learnt.confusion(results), "conv2")
    assert list(zip(rows["class"], rows.predicted, rows.images, rows.share, strict=True)) == [
        ("0", "0", 1, 1.0), ("1", "2", 1, 1.0), ("2", "3", 1, 1.0), ("3", "1", 1, 1.0),
    ]  # fmt: skip


def test_of_many_classes_those_that_are_confused_are_shown(results):
    many = replace(results, data=results.data | {"classes": [f"c{n}" for n in range(40)]})
    shown = confusion.shown_classes(many)
    assert len(shown) == confusion.CLASSES and {"c1", "c2", "c3"} <= set(shown)


def test_robustness_has_every_view(small_report, small_study):
    rows = of(pd.read_csv(small_report / "robustness.csv", keep_default_na=False), "conv2")
    distances = (0, *small_study.parameters.evaluation.translations)
    assert list(rows.pixels) == [*map(str, distances), ""]
    assert list(rows["view"]) == ["moved"] * len(distances) + ["augmented"]


def test_disputes_are_shown_with_both_answers(small_report):
    page = (small_report / "report.html").read_text(encoding="utf-8")
    table = pd.read_csv(small_report / "disputed.csv")
    assert (table.ensemble != table.student).all()
    assert table.groupby("family").size().max() == 8
    assert "conv4" not in set(table.family)  # diverged
    shown = re.findall(
        r'alt="test image (\d+)".*?ensemble</dt><dd[^>]*>(\d).*?student</dt><dd[^>]*>(\d)', page, re.DOTALL
    )
    assert sorted(shown) == sorted(
        (str(row.image), str(row.ensemble), str(row.student)) for row in table.itertuples()
    )


def test_every_family_shows_its_filters(small_report):
    page = (small_report / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r'alt="the first filters of (\w+), 1M"', page)) == {
        "mlp1", "mlp2", "conv1", "conv2", "conv3",
    }  # fmt: skip


def test_a_sheet_is_one_picture_however_large_the_images():
    large = sheet(np.random.default_rng(1).integers(0, 256, (9, 3, 224, 224), np.uint8))
    assert large.startswith("data:image/webp;base64,") and len(large) < 60_000
