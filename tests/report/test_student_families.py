import pytest

from mimic.nets.families import STUDENTS, deep_mlp, teacher
from mimic.report.charts import palette
from mimic.report.student_families import architecture


def test_the_papers_families_have_the_colours_of_the_ramps_whatever_others_there_are(monkeypatch):
    monkeypatch.setitem(STUDENTS, "mlp6", deep_mlp(6))
    sheet = palette.style_sheet()
    for colours in (*palette.RAMPS["light"].values(), *palette.RAMPS["dark"].values()):
        assert all(colour in sheet for colour in colours)


@pytest.mark.parametrize(
    "family, text",
    [("mlp1", "lfc-fc"), ("mlp4", "lfc-fc⁴"), ("conv1", "c-mp-lfc-fc"), ("conv4", "c-mp-c²-mp-c-mp-fc")],
)
def test_architectures_are_written_as_in_the_paper(family, text):
    assert architecture(STUDENTS[family]) == text


@pytest.mark.parametrize("batch_normalisation", [False, True])
def test_the_teachers_architecture_is_that_of_the_paper(batch_normalisation):
    assert architecture(teacher(batch_normalisation)) == "c²-mp-c²-mp-c⁴-mp-fc²"
