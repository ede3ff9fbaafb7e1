"""Which trainings the files of a study hold."""

import pytest

from mimic.support.errors import MimicError
from mimic.tracking.runs import read_run
from mimic.tracking.trainings import scan

NAME = "conv2-1M-logits-s1"


def scanned(study):
    return scan(study.results, study.live)


def test_a_study_without_files_has_no_trainings(study):
    files = scanned(study)
    assert (files.trainings, files.complaints) == ([], [])


def test_a_finished_training_hides_a_live_one(study):
    study.start(key="k1")
    study.train(key="k2")
    (training,) = scanned(study).trainings
    assert (str(training), training.finished) == (f"student {NAME}", True)


def test_folders_still_being_written_are_not_seen(study):
    study.train(name=".aside")
    half = study.train(name="half")
    (half / "job.json").unlink()  # the sidecar comes last
    files = scanned(study)
    assert (files.trainings, files.complaints) == ([], [])


def test_a_folder_under_another_name_is_not_believed(study):
    folder = study.train(name="mine")
    folder.rename(folder.with_name("yours"))
    files = scanned(study)
    assert (files.trainings, files.unreadable) == ([], {("student", "yours")})
    assert "belongs to toy/mine, not to toy/yours" in files.complaints[0]


def test_a_record_of_another_is_not_believed(study):
    folder = study.train(name="mine", key="k1")
    other = study.train(name="yours", key="k2")
    text = {file: (other / file).read_text() for file in ("record.json", "history.jsonl")}
    study.publish(folder, "mine", "k1", text)
    training = scanned(study).trainings[0]
    with pytest.raises(MimicError, match="is that of student yours, not of student mine"):
        read_run(training)


def test_a_live_student_is_known_by_its_task(study):
    study.start()
    run = read_run(scanned(study).trainings[0])
    tags = {"mimic.family": "conv2", "mimic.budget": "1M", "mimic.arm": "logits", "mimic.seed": "1"}
    assert tags.items() <= run.tags.items()


def test_a_live_teacher_has_no_budget(study):
    study.start(name="t1", step="teacher")
    run = read_run(scanned(study).trainings[0])
    assert run.tags["mimic.family"] == "teacher"
    assert "mimic.budget" not in run.tags


def test_epochs_are_dated_back_from_the_end(study):
    study.start(epochs=3)
    run = read_run(scanned(study).trainings[0])
    assert run.epoch_ms == {3: run.ended_ms, 2: run.ended_ms - 10_000, 1: run.ended_ms - 20_000}


def test_a_training_that_has_just_begun(study):
    folder = study.start()
    (folder / "history.jsonl").unlink()
    run = read_run(scanned(study).trainings[0])
    assert (run.status, run.epochs) == ("RUNNING", {})


def test_growth_is_seen(study):
    study.start(epochs=1)
    before = scanned(study)
    assert scanned(study) == before
    study.start(epochs=2)
    assert scanned(study) != before
