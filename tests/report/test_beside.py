import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from mimic.__main__ import main
from mimic.report.accuracies import Model
from mimic.report.beside import render_beside, rows, side

DEMO = Path(__file__).parents[2] / "presets/demo.yaml"
CONV1 = Model("conv1", "1M", "logits")


@pytest.fixture
def reports(small_report, tmp_path, monkeypatch):
    """A clone with two studies: `demo`, and `other`, whose conv1 is ten points better."""
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "other"):
        shutil.copytree(small_report, tmp_path / "results" / name / "report")
    table = tmp_path / "results/other/report/table2.csv"
    frame = pd.read_csv(table)
    columns = ["accuracy", "accuracy_low", "accuracy_high"]
    frame.loc[(frame.family == "conv1") & (frame.budget == "1M"), columns] += 0.1
    frame.to_csv(table, index=False)
    return tmp_path


def test_models_that_differ_by_more_than_chance_are_told(reports):
    ours, theirs = side("results/demo", "demo"), side("results/other", "demo")
    found = {row.model: row for row in rows(ours, theirs)}
    assert [model for model, row in found.items() if row.differs] == [CONV1]
    assert found[CONV1].difference.mean == pytest.approx(-0.1)
    page = render_beside(ours, theirs)
    assert "1 differs by more than chance" in page and "0 of 8 claims are answered differently" in page
    assert "<script" not in page


def test_a_commit_stands_beside_what_is_there_now(reports):
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for arguments in (["init", "-q"], ["add", "results"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=reports, check=True)
    shutil.copy(reports / "results/other/report/table2.csv", reports / "results/demo/report/table2.csv")
    theirs = side("HEAD", "demo")
    assert theirs.name.startswith("demo at ")
    found = {row.model: row for row in rows(side("results/demo", "demo"), theirs)}
    assert found[CONV1].difference.mean == pytest.approx(0.1)


def test_what_is_neither_a_folder_nor_a_commit_is_named(reports, capsys):
    (reports / "params.yaml").write_text(DEMO.read_text())
    assert main(["report", "--beside", "results/nowhere"]) == 2
    assert "results/nowhere: neither a folder nor a commit" in capsys.readouterr().err


def test_the_command_writes_a_page(reports, capsys):
    (reports / "params.yaml").write_text(DEMO.read_text())
    assert main(["report", "--beside", "results/other"]) == 0
    assert capsys.readouterr().out == "Read results/demo/beside/other.html\n"
    assert "demo beside other" in (reports / "results/demo/beside/other.html").read_text()
