"""Dates carry no meaning and do no harm; what a job has finished is not Snakemake's to delete."""

import shutil
import subprocess
import time

T2 = "teacher/teacher"


def test_with_results_dated_ahead_a_change_trains_once_and_keeps_what_it_trained(repository):
    """A clock that was ahead, `rsync -a`, a machine restored: the store too has these dates."""
    before = repository.trainings()
    for place in ("results", ".mimic", "report.html"):
        command = ["find", place, "-exec", "touch", "-h", "-d", "+20 minutes", "{}", "+"]
        subprocess.run(command, cwd=repository.folder, check=True)
    repository.edit("weight_decay: 5.0e-4, seed: 2}", "weight_decay: 4.0e-4, seed: 2}")
    assert repository.planned("teachers")["teacher"] == 1
    repository.make("snakemake")
    assert T2 in repository.trained_since(before)
    assert "teacher/t1" not in repository.trained_since(before)
    files = [path for path in (repository.folder / "results").rglob("*") if path.is_file()]
    assert max(path.stat().st_mtime for path in files) <= time.time()
    repository.assert_nothing_to_do()


def test_forced_without_a_store_nothing_is_lost_and_asked_anew_all_is_trained(repository):
    before = repository.trainings()
    shutil.rmtree(repository.folder / ".mimic")
    shutil.rmtree(repository.folder / ".dvc/cache")
    repository.run("snakemake", "--forceall", "students")
    assert repository.trainings() == before
    repository.run("env", "MIMIC_RETRAIN=1", "snakemake", "--forceall", "students")
    assert repository.trained_since(before) == set(before)
