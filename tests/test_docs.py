"""What the documentation draws from the code is in step with it; its links are seen to by `make lint`."""

import runpy
from pathlib import Path

import pytest
import yaml

import mimic

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def picture() -> dict:
    return runpy.run_path(str(DOCS / "architecture_picture.py"))


def test_the_picture_of_the_architecture_shows_the_imports_of_today(picture):
    drawn = picture["draw"](picture["imports"]())
    assert drawn == (DOCS / "architecture.svg").read_text(encoding="utf-8"), "`make docs` draws it anew"


def test_an_import_that_others_imply_has_no_arrow(picture):
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert picture["without_implied"](graph) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert picture["draw"](graph).count('class="arrow"') == 2


def test_the_citation_names_the_version():
    assert yaml.safe_load((DOCS.parent / "CITATION.cff").read_text())["version"] == mimic.__version__
