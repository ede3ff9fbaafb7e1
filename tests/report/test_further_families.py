"""Families of students that the paper does not have."""

import re

import pandas as pd
import pytest

from mimic.nets.families import STUDENTS, deep_mlp
from mimic.report.charts import palette
from mimic.report.claims import answer_claims
from mimic.report.read import read_results
from mimic.report.tables import table_2
from mimic.report.verdict import key_figures
from mimic.report.write import write_report


@pytest.fixture(scope="module")
def further(make_study, small_parameters):
    """A study with two more families: a deeper MLP, and a convolutional one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STUDENTS, "mlp6", deep_mlp(6))
        patch.setitem(STUDENTS, "wide2", STUDENTS["conv2"].model_copy(update={"name": "wide2"}))
        students = small_parameters.students
        given = {"mlp6": ("mlp2", deep_mlp(6).given, 1.0), "wide2": ("conv2", ("c1", "c2"), 60.0)}
        added = {
            family: {
                "1M": students.variants[like]["1M"].model_copy(
                    update={"widths": dict.fromkeys(widths, number)}
                )
            }
            for family, (like, widths, number) in given.items()
        }
        students = students.model_copy(update={"variants": students.variants | added})
        yield make_study(small_parameters.model_copy(update={"students": students}))


def test_they_stand_in_every_table_and_figure(further, tmp_path):
    write_report(further.context(tmp_path))
    for name in ("table2.csv", "figure1.csv", "curves.csv"):
        assert {"mlp6", "wide2"} <= set(pd.read_csv(tmp_path / name).family), name
    page = (tmp_path / "report.html").read_text()
    assert re.search(r"--mlp6: #[0-9a-f]{6};", page) and "lfc-fc⁶" in page
    assert (
        "Families that the paper does not have answer no claim, but for conv8 in the third: mlp6, wide2."
        in page
    )


def test_they_have_no_published_figure_and_answer_no_claim(further):
    table = read_results(further.context()).accuracies
    assert table_2(table)["rows"]["wide2"][0].published is None
    labels = [c.label for answer in answer_claims(table) for c in answer.comparisons]
    assert labels and not any("mlp6" in label or "wide2" in label for label in labels)


def test_the_best_of_each_depth_may_be_one_of_them(further):
    table = read_results(further.context()).accuracies
    figures = {figure.label: figure.family for figure in key_figures(table)}
    assert figures["2 convolutions"] in ("conv2", "wide2")
    assert list(figures)[:3] == ["no convolution", "1 convolution", "2 convolutions"]


def test_a_family_that_did_not_run_leaves_no_row(monkeypatch, small_study):
    monkeypatch.setitem(STUDENTS, "mlp6", deep_mlp(6))
    rows = table_2(read_results(small_study.context()).accuracies)["rows"]
    assert "mlp5" in rows and "mlp6" not in rows


def test_every_family_has_a_colour_of_its_own(further):
    for line in palette.style_sheet().splitlines():  # by day, by night, on paper
        scheme = dict(re.findall(r"--(\w+): (#\w{6});", line))
        assert list(scheme) == list(STUDENTS) and len(set(scheme.values())) == len(STUDENTS)
