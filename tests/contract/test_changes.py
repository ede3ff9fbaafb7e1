"""What changed runs again, with what depends on it, and nothing else: whichever engine is asked."""

import pytest

CONV1, MLP1 = "student/conv1-20k-logits-s1", "student/mlp1-20k-logits-s1"
STUDENT = {"train_students": 1, "student": 1, "evaluation": 1, "comparison": 1, "report": 1}
TEACHER = STUDENT | {"teacher": 1, "ensemble": 1, "logits": 1, "student": 2, "evaluation": 6}
EVERYTHING = TEACHER | {"teacher": 2, "train_students": 2, "student": 3}
CONV2 = "    conv2:\n      20k: {learning_rate: 0.005, momentum: 0.9, widths: {c1: 8, c2: 12}}\n"


def test_a_student_changed_trains_alone_and_changed_back_not_at_all(repository, engine):
    before, weights = repository.trainings(), repository.weights()
    repository.widen_conv1()
    assert repository.planned() == STUDENT
    repository.make(engine)
    assert repository.trained_since(before) == {CONV1}
    assert repository.records()[CONV1]["parameters"]["student"]["widths"]["c"] == 9
    repository.assert_nothing_to_do()
    repository.edit("{c: 9, fc: 60}", "{c: 8, fc: 60}")
    repository.make(engine)
    assert repository.trainings() == before
    assert repository.weights() == weights
    repository.assert_nothing_to_do()


@pytest.mark.parametrize("engine", ["snakemake"])
def test_a_student_added_trains_alone(repository, engine):
    before = repository.trainings()
    repository.edit("hard_label_twins:\n  batch_size", f"{CONV2}hard_label_twins:\n  batch_size")
    repository.make(engine)
    assert repository.trained_since(before) == {"student/conv2-20k-logits-s1"}
    repository.assert_nothing_to_do()


@pytest.mark.parametrize("engine", ["snakemake"])
def test_a_student_removed_trains_nothing_and_goes_when_asked(repository, engine):
    before = repository.trainings()
    repository.edit("    mlp1:\n      20k: {learning_rate: 0.005, momentum: 0.9, widths: {fc: 100}}\n", "")
    output = repository.make(engine)
    assert repository.trainings() == before
    repository.assert_nothing_to_do()
    old = repository.folder / "results/small/students/mlp1-20k-logits-s1"
    assert old.exists()
    assert f"{old.relative_to(repository.folder)}: of no job of the study" in output
    assert "make record" in repository.mimic("clean", "--yes")
    assert not old.exists()
    repository.make(engine)
    assert repository.trained_since(before) == set()
    repository.assert_nothing_to_do()


@pytest.mark.parametrize("engine", ["dvc"])
def test_a_teacher_changed_runs_all_that_learns_from_it(repository, engine):
    before = repository.trainings()
    repository.edit("weight_decay: 5.0e-4, seed: 2}", "weight_decay: 4.0e-4, seed: 2}")
    assert repository.planned() == TEACHER
    repository.make(engine)
    assert repository.trained_since(before) == {"teacher/teacher", CONV1, MLP1}
    assert repository.records()["teacher/teacher"]["parameters"]["teacher"]["weight_decay"] == 4.0e-4
    repository.assert_nothing_to_do()


def test_code_of_the_report_reruns_the_report_alone(repository):
    code = repository.folder / "src/mimic/report/tables.py"
    code.write_text(code.read_text() + "\n\nSOMETHING = 1\n")
    assert repository.planned() == {"report": 1}


def test_code_of_training_reruns_what_uses_it(repository):
    code = repository.folder / "src/mimic/training/trainer.py"
    code.write_text(code.read_text() + "\n\nSOMETHING = 1\n")
    assert repository.planned() == EVERYTHING


def test_comments_and_layout_rerun_nothing(repository):
    before = repository.records()
    for path in (repository.folder / "src/mimic").rglob("*.py"):
        path.write_text("# a comment\n\n" + path.read_text())
    assert repository.planned() == {}
    repository.run("dvc", "repro")
    assert repository.records() == before
    repository.assert_nothing_to_do()


def test_rounds_of_change_and_checkout_train_each_variant_once(repository):
    """Every commit's results come back, by DVC's hand or ours, and never those of another commit."""
    known = {8: (repository.trainings(), repository.weights())}
    for channels in (9, 10):
        repository.run("git", "checkout", "--quiet", "-b", f"channels-{channels}")
        repository.edit(f"{{c: {channels - 1}, fc: 60}}", f"{{c: {channels}, fc: 60}}")
        repository.make("dvc" if channels == 9 else "snakemake")
        repository.commit(f"{channels} channels")
        known[channels] = repository.trainings(), repository.weights()
    for channels, checkout in ((8, True), (10, False), (9, True), (10, True), (8, False)):
        branch = "master" if channels == 8 else f"channels-{channels}"
        repository.run("git", "checkout", "--quiet", branch)
        if checkout:
            repository.run("dvc", "checkout")
        else:
            repository.run("snakemake", "report.html")
        assert (repository.trainings(), repository.weights()) == known[channels]
        repository.assert_nothing_to_do()


@pytest.mark.parametrize("value", ["5.0e-3", "0.0050"])
def test_another_way_to_write_a_number_is_no_change(repository, value):
    repository.edit("mlp1:\n      20k: {learning_rate: 0.005", f"mlp1:\n      20k: {{learning_rate: {value}")
    repository.assert_nothing_to_do()
