"""Two studies side by side: each keeps its results and its place in dvc.lock."""

import shutil


def test_two_studies_take_turns(repository):
    first, text = repository.trainings(), (repository.folder / "params.yaml").read_text()
    repository.edit("study: small", "study: other")
    repository.widen_conv1()
    repository.make("dvc")
    other = (repository.folder / "report.html").read_bytes()
    repository.assert_nothing_to_do()
    repository.commit("another study")
    (repository.folder / "params.yaml").write_text(text)
    assert repository.planned() == {"report": 1}  # report.html is the other's
    repository.make("dvc")
    repository.assert_nothing_to_do()
    assert repository.trainings() == first
    assert (repository.folder / "report.html").read_bytes() != other
    lock = (repository.folder / "dvc.lock").read_text()
    assert "students@small:" in lock
    assert "students@other:" in lock


def test_gc_of_all_commits_keeps_both(repository):
    repository.edit("study: small", "study: other")
    repository.run("snakemake", "report.html")
    repository.mimic("record")
    repository.commit("another study")
    repository.run("dvc", "gc", "--all-commits", "--force")
    shutil.rmtree(repository.folder / "results")
    repository.run("git", "checkout", "--quiet", "--", "results")  # tables and metrics
    repository.run("dvc", "checkout")
    assert repository.planned() == {}
    repository.run("git", "checkout", "--quiet", "HEAD~1")
    repository.run("dvc", "checkout")
    assert repository.planned() == {}
