import csv
import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from mimic.report.accuracies import Model
from mimic.report.charts.figure1_rows import figure_1_rows
from mimic.report.numerals import percent, plain
from mimic.report.page import charts, search_charts
from mimic.report.read import read_results


@pytest.fixture(scope="module")
def archive(small_report):
    with zipfile.ZipFile(small_report / "figures.zip") as found:
        yield {name: found.read(name).decode() for name in found.namelist()}


def test_every_figure_has_a_picture_and_its_data(archive):
    pictures, tables = ({n[:-4] for n in archive if n.endswith(end)} for end in (".svg", ".csv"))
    assert pictures == tables
    assert {"figures/figure-1", "figures/figure-2", "figures/student-error", "figures/ensemble"} <= pictures


def test_pictures_need_nothing_of_the_page(archive, small_report):
    for name, text in archive.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(text).tag.endswith("svg")
            assert "var(" not in text
    assert (small_report / "figure1.svg").read_text() == archive["figures/figure-1.svg"]


def test_pictures_have_a_legend_of_what_they_show(archive):
    legends = {name: picture.partition("role-legend")[2] for name, picture in archive.items()}
    for family in ("mlp1", "conv3"):
        assert f">{family}<" in legends["figures/student-error.svg"]
    assert "conv8" not in legends["figures/student-error.svg"]
    assert "short bars: trained on hard labels" in legends["figures/figure-1.svg"]


def test_data_are_those_that_are_drawn(archive):
    rows = list(csv.DictReader(io.StringIO(archive["figures/figure-1.csv"])))
    drawn = {row["family"] for row in rows if row["arm"] == "logits" and row["accuracy"]}
    assert drawn == {"mlp1", "mlp2", "conv1", "conv2", "conv3"}  # conv4 diverged


def test_accuracy_stands_over_what_training_cost(archive):
    rows = list(csv.DictReader(io.StringIO(archive["figures/figure-2.csv"])))
    cost = {row["title"]: float(row["training_flops"]) for row in rows}
    assert cost["ensemble"] > max(cost[name] for name in ("t1", "t2", "t3"))
    assert cost["mlp1 1M"] < cost["conv1 1M"]


def formatted(part) -> Iterator[str]:
    """The fields of a chart that the drawing library would round by itself."""
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from formatted(inner)
    if isinstance(part, dict) and {"field", "format"} <= part.keys():
        yield part["field"]


def test_charts_round_no_number_by_themselves_that_a_text_tells(small_study):
    results = read_results(small_study.context())
    drawn = charts(results) | search_charts(results)
    assert {field for chart in drawn.values() for field in formatted(chart)} == {"value"}  # as proposed


def test_chart_and_table_round_alike(small_study):
    results = read_results(small_study.context())
    rows = [row for row in figure_1_rows(results) if "text" in row]
    table = results.plotted
    assert rows
    for row in rows:
        mean = table.mean(Model(row["family"], row["budget"], row["arm"]))
        assert row["text"] == plain(mean) and row["ours"].startswith(percent(mean))
