import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from mimic.report import vega

ROOT = Path(__file__).parents[2]
bundle = vega.library.__wrapped__  # what a new process calls


@pytest.fixture
def bundled(monkeypatch) -> list[str]:
    """The snippets that were bundled, each in no time."""
    snippets: list[str] = []

    def javascript_bundle(snippet: str) -> str:
        snippets.append(snippet)
        return f"script {len(snippets)} …"

    monkeypatch.setattr(vega, "vl_convert", SimpleNamespace(javascript_bundle=javascript_bundle))
    return snippets


def test_the_script_is_bundled_once_for_each_version(bundled, monkeypatch, tmp_path):
    monkeypatch.setattr(vega, "user_cache_path", lambda name: tmp_path / name)
    assert bundle() == bundle() == "script 1 …"
    monkeypatch.setattr(vega, "version", lambda package: "another")
    assert bundle() == bundle() == "script 2 …"
    assert len(bundled) == 2


def test_a_home_that_can_not_be_written_to_costs_time_alone(bundled, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(vega, "user_cache_path", lambda name: tmp_path / "file" / name)
    assert (bundle(), bundle()) == ("script 1 …", "script 2 …")


def test_what_is_kept_but_is_no_text_is_made_anew(bundled, monkeypatch, tmp_path):
    monkeypatch.setattr(vega, "user_cache_path", lambda name: tmp_path)
    bundle()
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"\xff")
    assert bundle() == bundle() == "script 2 …"


def test_a_page_of_dvc_plots_needs_no_network(chromium, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vega.leave_for_dvc()
    rows = [{"kind": "student", "name": "conv2", "ece": 0.1, "rev": "HEAD"}]
    chart = VegaRenderer(rows, "models", template=str(ROOT / ".dvc/plots/models.json"), x="ece", y="name")
    page = render_html([chart], tmp_path / "dvc_plots/index.html", ROOT / ".dvc/plots/page.html")
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--virtual-time-budget=8000"]
    drawn = subprocess.run(
        [chromium, *options, *offline, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "<canvas" in drawn or "<svg" in drawn
