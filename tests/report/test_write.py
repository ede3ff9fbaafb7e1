import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from mimic.report.write import write_report

FILES = {
    "report.html",
    "front_page.html",
    "summary.json",
    "claims.json",
    "table1.csv",
    "table2.csv",
    "figure1.csv",
    "figure1.svg",
    "figure2.csv",
    "figure2.svg",
    "figures.zip",
    "curves.csv",
    "searches.csv",
    "fidelity.csv",
    "robustness.csv",
    "reliability.csv",
    "confusion.csv",
    "disputed.csv",
}
LIMIT = 2_900_000  # bytes, with 41 searches and their baselines, and pictures of noise


def html(folder) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def prose(folder) -> str:
    """The page without its scripts and styles."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", html(folder), flags=re.DOTALL)


def test_every_file_is_written(small_report, paper_report):
    assert {path.name for path in small_report.iterdir()} == FILES
    assert {path.name for path in paper_report.iterdir()} == FILES


def test_the_page_stays_small(paper_report):
    assert (paper_report / "report.html").stat().st_size < LIMIT


def test_the_page_refers_to_nothing_outside_itself(paper_report):
    page = html(paper_report)
    assert "default-src 'none'" in page and "unsafe-eval" not in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!#|data:)[^"'\s>]""", prose(paper_report))


def test_the_same_results_make_the_same_files(small_study, small_report, tmp_path):
    write_report(small_study.context(tmp_path))
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (small_report / name).read_bytes()


def test_the_summary_is_the_best_of_each_depth_and_the_means_of_all(small_report):
    summary = json.loads((small_report / "summary.json").read_text())
    assert list(summary) == ["mlp", "conv1", "conv2", "conv3", "teacher", "ensemble", "mimics", "labels"]
    table = pd.read_csv(small_report / "table2.csv").set_index("family")
    ours = 100 * table[table.budget == "1M"].accuracy
    assert summary["conv2"] == pytest.approx(ours["conv2"], abs=0.006)
    assert summary["mlp"] in [pytest.approx(ours[mlp], abs=0.006) for mlp in ("mlp1", "mlp2")]
    assert summary["mimics"] == pytest.approx(ours.mean(), abs=0.006)


def test_metrics_of_the_paper_fit_a_terminal(paper_report, tmp_path):
    metrics = tmp_path / "results/paper/report/summary.json"
    metrics.parent.mkdir(parents=True)
    shutil.copy(paper_report / "summary.json", metrics)
    (tmp_path / "dvc.yaml").write_text("metrics: [results/paper/report/summary.json]\n")
    dvc = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True, text=True)
    dvc([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"])
    shown = dvc([sys.executable, "-m", "dvc", "metrics", "show"]).stdout
    assert "mimics" in shown and max(map(len, shown.splitlines())) <= 120


def test_every_search_is_in_the_table_of_searches(small_report, paper_report):
    assert set(pd.read_csv(small_report / "searches.csv").search) == {
        "conv2-1M-logits",
        "conv2-1M-logits-random",
    }
    assert len(pd.read_csv(paper_report / "searches.csv")) == 2 * 41


def test_a_study_without_searches_says_nothing_of_them(small_study, tmp_path):
    inputs = {job: folder for job, folder in small_study.inputs.items() if not job.startswith("selection/")}
    write_report(replace(small_study, inputs=inputs).context(tmp_path))
    assert 'id="searches"' not in html(tmp_path)
    assert pd.read_csv(tmp_path / "searches.csv").empty


def test_claims_are_answered_with_one_of_three_words(small_report, paper_report):
    for folder in (small_report, paper_report):
        claims = json.loads((folder / "claims.json").read_text())
        assert len(claims) == 8
        assert {claim["status"] for claim in claims} <= {
            "supported",
            "contradicted",
            "undecided",
            "not tested",
        }
        assert all(claim["comparisons"] or claim["status"] == "not tested" for claim in claims)


def test_curves_hold_every_epoch_of_every_model(paper_study, paper_report):
    curves = pd.read_csv(paper_report / "curves.csv")
    models = 18 + 5 * (9 * 4 + 4 + 2)
    assert len(curves) == 60 * models
    assert {"name", "epoch", "train_loss", "validation_error"} <= set(curves.columns)


def test_the_data_are_named_wherever_a_result_is_shown(small_report):
    captions = re.findall(r"<figcaption>.*?</figcaption>", prose(small_report), flags=re.DOTALL)
    numbered = [caption for caption in captions if "<b>Table" in caption or "<b>Figure" in caption]
    assert len(numbered) == 6
    assert all(">synthetic</span>" in caption for caption in numbered)


def test_a_study_on_other_images_says_that_published_numbers_are_for_orientation(small_report):
    page = prose(small_report)
    assert "Published numbers are shown for orientation only." in page
    assert "The images are not the paper’s" in page  # noqa: RUF001


def test_a_diverged_student_is_shown_as_such(small_report):
    assert '<span class="diverged">diverged</span>' in prose(small_report)


def test_text_from_parameters_can_not_become_markup(small_study, tmp_path):
    hostile = "</script><img src=x onerror=alert(1)>"
    data = small_study.parameters.data.model_copy(update={"label": hostile})
    write_report(small_study.with_parameters(data=data).context(tmp_path))
    page = html(tmp_path)
    assert "onerror" in page
    assert hostile not in page and "<img src=x" not in prose(tmp_path)


def test_a_study_in_which_every_student_diverged_still_has_a_report(small_study, tmp_path):
    study = small_study.copy(tmp_path / "study")
    path = study.folder / "comparison" / "models.csv"
    models = pd.read_csv(path)
    models.loc[models.kind == "student", "status"] = "diverged"
    models.to_csv(path, index=False)
    (tmp_path / "out").mkdir()
    write_report(study.context(tmp_path / "out"))
    claims = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert {claim["status"] for claim in claims} == {"undecided", "not tested"}
    assert all(bool(claim["lost"]) == (claim["status"] == "undecided") for claim in claims)
    assert not any(claim["comparisons"] for claim in claims)


@pytest.mark.parametrize(
    "word", ["cpu", "NVIDIA H100", "0123456789ab, with uncommitted edits", "torch 2.14.1"]
)
def test_provenance_is_told(small_report, word):
    assert word.replace("cpu", "AMD EPYC 9654 (8 threads)") in prose(small_report)
