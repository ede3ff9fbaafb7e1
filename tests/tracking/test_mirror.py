"""One pass after another over a study's files, into a real SQLite store."""

import json
from pathlib import Path

import pytest

from mimic.tracking import track
from mimic.tracking.experiments import Experiments
from mimic.tracking.mirror import Mirror
from mimic.tracking.mlflow_store import Refused, StoreError


@pytest.fixture
def send(study, store):
    said = []

    def once():
        once.said = said
        return track(study.results, study.live, store.uri, said.append)

    return once


THREE_EPOCHS = [(1, 1.0), (2, 0.5), (3, 1 / 3)]


def test_a_finished_training_is_a_complete_run(study, store, send):
    study.train(epochs=3)
    assert send().runs["completed"] == 1
    run = store.run()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "conv2-1M-logits-s1")
    expected = {"mimic.study": "toy", "mimic.step": "student", "mimic.variant": "conv2-1M-logits-s1"}
    expected |= {"mimic.family": "conv2", "mimic.budget": "1M", "mimic.arm": "logits", "mimic.seed": "1"}
    expected |= {"mimic.commit": "abc123-dirty", "mimic.slurm_job": "77", "mimic.current": "yes"}
    assert expected.items() <= run.data.tags.items()
    expected = {"student.learning_rate": "0.01", "student.dropout.fc1": "0.25", "window": "[3, 4]"}
    expected |= {"family": "conv2", "budget": "1M", "arm": "logits", "repetition": "1"}
    expected |= {"parameters": "1000001", "multiply_adds": "12000000", "training_flops": "1000000000000000"}
    assert run.data.params == expected  # without dozens of layers
    assert run.data.tags["mimic.net"] == "c3-mp-fc4"
    assert run.data.metrics["best_validation_accuracy"] == 80.0
    assert run.data.metrics["training/seconds_in_all"] == 30.0
    assert store.points(run, "training/loss") == THREE_EPOCHS


def test_times_are_those_of_the_training(study, store, send):
    study.train(epochs=3)
    send()
    run = store.run()
    started = 1_767_323_045_000  # 2026-01-02 03:04:05 UTC
    assert (run.info.start_time, run.info.end_time) == (started, started + 60_000)
    points = store.client.get_metric_history(run.info.run_id, "training/loss")
    assert {p.step: p.timestamp - started for p in points} == {1: 40_000, 2: 50_000, 3: 60_000}


def test_sending_again_writes_nothing(study, store, send, tmp_path):
    study.train()
    study.train("teacher", "t1", key="k2")
    study.start("conv3-1M-logits-s1", key="k3")
    study.evaluate("conv2-1M-logits-s1", 0.75, "k1")
    send()
    before = (tmp_path / "mlflow.db").read_bytes()
    summary = send()
    assert summary.runs == {"unchanged": 2, "live": 1}
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_a_live_training_grows_and_is_completed(study, store, send):
    study.start(epochs=1)
    send()
    assert store.run().info.status == "RUNNING"
    study.start(epochs=2)
    send()
    assert store.points(store.run(), "training/loss") == THREE_EPOCHS[:2]
    study.train(epochs=3)  # its live folder is still there
    send()
    run = store.run()
    assert run.info.status == "FINISHED"
    assert store.points(run, "training/loss") == THREE_EPOCHS
    assert store.points(run, "best_validation_accuracy") == [(0, 80.0)]


def test_a_result_may_tell_a_hyperparameter_otherwise_than_its_live_record(study, store, send):
    study.start(epochs=1)
    send()
    study.train(hyperparameters={"window": [3, 5], "momentum": 0.9})
    assert send().runs == {"completed": 1}
    assert store.run().data.params["window"] == "[3, 4]"
    assert store.run().data.params["momentum"] == "0.9"


def test_a_half_written_line_waits(study, store, send):
    folder = study.start(epochs=2)
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 3, "train_lo')
    assert send().complaints == []
    assert store.points(store.run(), "training/loss") == THREE_EPOCHS[:2]


def test_a_resumed_training_does_not_double_its_epochs(study, store, send):
    study.start(epochs=3)
    send()
    study.start(epochs=2)  # killed, and resumed from an older checkpoint
    send()
    study.start(epochs=3)
    send()
    assert store.points(store.run(), "training/loss") == THREE_EPOCHS


def test_more_epochs_than_one_call_takes(study, store, send):
    study.train(epochs=950)
    send()
    steps = [step for step, _ in store.points(store.run(), "training/validation_loss")]
    assert steps == list(range(1, 951))


def test_long_and_many_hyperparameters(study, store, send):
    many = {f"p{i}": i for i in range(250)}
    study.train(hyperparameters=many | {"long": "x" * 7000})
    send()
    parameters = store.run().data.params
    assert many.keys() <= parameters.keys()
    assert parameters["long"] == "x" * 6000


def test_superseded_runs_are_kept_but_not_current(study, store, send):
    study.train(key="k1")
    send()
    study.train(key="k2")
    assert send().runs["superseded"] == 1
    assert store.run("k1").data.tags["mimic.current"] == "no"
    assert store.run("k1").info.status == "FINISHED"
    assert store.run("k2").data.tags["mimic.current"] == "yes"
    study.train(key="k1")  # changed back, and restored
    assert (send().runs["updated"], len(store.runs())) == (1, 2)
    assert store.run("k1").data.tags["mimic.current"] == "yes"
    assert store.run("k2").data.tags["mimic.current"] == "no"


def test_a_superseded_live_run_is_killed_and_may_come_back(study, store, send):
    study.start(key="k1", epochs=1)
    send()
    study.start(key="k2", epochs=1)
    send()
    assert (store.run("k1").info.status, store.run("k2").info.status) == ("KILLED", "RUNNING")
    study.start(key="k1", epochs=2)
    send()
    assert (store.run("k1").info.status, store.run("k2").info.status) == ("RUNNING", "KILLED")
    assert store.points(store.run("k1"), "training/loss") == THREE_EPOCHS[:2]


def test_a_training_whose_files_went_is_not_declared_dead(study, store, send):
    folder = study.start(key="k1")
    study.train("teacher", "t1", key="k2")
    send()
    for file in folder.iterdir():
        file.unlink()
    send()
    assert (store.run("k1").info.status, store.run("k1").data.tags["mimic.current"]) == ("RUNNING", "no")


def test_a_clone_without_results_changes_nothing(study, store, send, tmp_path):
    study.train()
    send()
    elsewhere = tmp_path / "clone" / "results" / "toy"
    assert str(track(elsewhere, tmp_path / "clone" / "live", store.uri)) == "toy: no runs yet"
    assert store.run().data.tags["mimic.current"] == "yes"


def test_a_diverged_training_failed_for_a_reason(study, store, send):
    study.train(status="diverged", reason="loss is not finite", validation_accuracy=None)
    with_nan = study.results / "students" / "conv2-1M-logits-s1" / "history.jsonl"
    text = (
        with_nan.read_text() + '{"epoch": 4, "train_loss": NaN, "validation_loss": null, "seconds": 10.0}\n'
    )
    files = {name: (with_nan.parent / name).read_text() for name in ("record.json",)}
    study.publish(with_nan.parent, "conv2-1M-logits-s1", "k1", files | {"history.jsonl": text})
    assert send().complaints == []
    run = store.run()
    assert (run.info.status, run.data.tags["mimic.reason"]) == ("FAILED", "loss is not finite")
    assert store.points(run, "training/loss") == THREE_EPOCHS
    assert store.points(run, "training/seconds")[-1] == (4, 10.0)
    assert send().runs["unchanged"] == 1


def test_test_metrics_arrive_once_evaluated(study, store, send):
    name = "conv2-1M-logits-s1"
    study.train()
    send()
    study.evaluate(name, 0.75, "k1")
    assert send().runs["updated"] == 1
    run = store.run()
    tested = {metric: value for metric, value in run.data.metrics.items() if metric.startswith("test")}
    assert tested == {"test_accuracy": 75.0, "test/nll": 0.5, "test/accuracy_shift_1": 70.0}
    assert send().runs["unchanged"] == 1
    study.evaluate(name, 0.76, "k1", by="e2")
    send()
    assert store.run().data.metrics["test_accuracy"] == 76.0
    study.evaluate(name, 0.75, "k1")  # restored
    send()
    assert store.run().data.metrics["test_accuracy"] == 75.0
    assert send().runs == {"unchanged": 1}


def test_test_metrics_of_another_training_are_not_taken(study, store, send):
    name = "conv2-1M-logits-s1"
    study.evaluate(name, 0.75, "k1")
    study.train(key="k2")  # trained anew since the evaluation
    send()
    assert "test_accuracy" not in store.run("k2").data.metrics


def test_a_changed_evaluation_is_left_out_and_named_and_the_others_are_not(study, store, send):
    for name in ("a", "b"):
        study.train(name=name, key=name)
        study.evaluate(name, 0.75, name)
    changed = study.results / "evaluation/a/measures.json"
    changed.write_text(changed.read_text().replace("0.75", "0.99"))
    (complaint,) = send().complaints
    assert f"{changed}: was changed" in complaint
    assert "test_accuracy" not in store.run("a").data.metrics
    assert store.run("b").data.metrics["test_accuracy"] == 75.0


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("record.json", "{"),
        ("record.json", '{"status": "finished", "seed": "__import__"}'),
        ("history.jsonl", '{"epoch": 1, "train_loss": 99.0, "validation_loss": 2.0, "seconds": 10.0}\n'),
        ("job.json", "[]"),
    ],
)
def test_a_tampered_record_is_left_out_and_named(study, store, send, file, text):
    bad = study.train("teacher", "bad", key="k2")
    study.train("student", "good", key="k1")
    (bad / file).write_text(text)
    summary = send()
    assert (summary.runs["completed"], len(store.runs())) == (1, 1)
    (complaint,) = summary.complaints
    assert str(bad / file) in complaint
    assert complaint in send.said
    assert "\n" not in complaint


def test_a_run_whose_files_turn_bad_stays_as_it_was(study, store, send):
    folder = study.train()
    study.train("teacher", "t1", key="k2")
    send()
    (folder / "job.json").write_text("{}")
    assert send().runs["superseded"] == 0
    assert store.run("k1").data.tags["mimic.current"] == "yes"


def test_a_bad_line_of_a_live_history_is_left_out_and_named(study, store, send):
    folder = study.start(epochs=1)
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": "2"}\n' + json.dumps({"epoch": 2, "train_loss": 0.5}) + "\n")
    (complaint,) = send().complaints
    assert f"{folder / 'history.jsonl'}, line 2" in complaint
    assert store.points(store.run(), "training/loss") == THREE_EPOCHS[:2]


def test_a_doubled_run_is_mended(study, store, send):
    study.train()
    experiment = Experiments(store.uri, "toy")
    send()
    whole = store.run()
    experiment.create(whole.info.run_name, 1, whole.data.tags)  # as a pass from another machine might do
    send()
    assert store.run().info.run_id == whole.info.run_id


def test_runs_of_others_in_the_experiment_are_left_alone(study, store, send):
    study.train()
    experiment = Experiments(store.uri, "toy")
    experiment.create("mine", 1, {"mimic.step": "note", "note": "by hand"})
    send()
    assert {run.info.run_name for run in store.runs()} == {"mine", "conv2-1M-logits-s1"}


def test_passes_that_remember_send_what_passes_that_ask_for_all_would(study, store, send):
    mirror = Mirror(study.results, study.live, store.uri)

    def same_again() -> None:
        mirror.sync()
        assert not send().runs.keys() - {"unchanged", "live"}  # which asks for all, and finds nothing to do

    study.start("a", key="a1", epochs=1)
    study.start("b", key="b1", epochs=1)
    study.train("student", "c", key="c1")
    same_again()
    study.train("student", "a", key="a1", epochs=2)  # completed
    study.start("b", key="b2", epochs=1)  # superseded while under way
    study.train("student", "c", key="c2")  # trained anew
    study.evaluate("c", 0.75, "c2")
    same_again()
    study.train("student", "c", key="c1")  # restored
    study.start("b", key="b1", epochs=2)  # and under way again
    same_again()
    runs = {key: store.run(key) for key in ("a1", "b1", "b2", "c1", "c2")}
    assert {key: (run.info.status, run.data.tags["mimic.current"]) for key, run in runs.items()} == {
        "a1": ("FINISHED", "yes"),
        "b1": ("RUNNING", "yes"),
        "b2": ("KILLED", "no"),
        "c1": ("FINISHED", "yes"),
        "c2": ("FINISHED", "no"),
    }
    assert store.points(store.run("b1"), "training/loss") == THREE_EPOCHS[:2]


def test_of_many_passes_each_asks_for_what_may_have_changed_alone(study, store, send, monkeypatch):
    asked = []
    ask = Experiments.runs
    monkeypatch.setattr(Experiments, "runs", lambda self, key=None: asked.append(key) or ask(self, key))
    mirror = Mirror(study.results, study.live, store.uri)
    study.train("student", "a", key="a")
    study.train("student", "b", key="b")
    mirror.sync()
    study.start("c", key="c", epochs=1)
    mirror.sync()
    asked.clear()
    study.start("c", key="c", epochs=2)
    mirror.sync()
    assert asked == [store.run("c").data.tags["mimic.key"]]


def test_a_pass_out_of_time_leaves_the_rest_to_the_next(study, store, send):
    study.train("student", "a", key="k1")
    study.train("student", "b", key="k2")
    answers = iter([False, True, True])
    mirror = Mirror(study.results, study.live, store.uri)
    assert mirror.sync(expired=lambda: next(answers)).runs["postponed"] == 1
    assert send().runs["completed"] == 1
    assert len(store.runs()) == 2


def test_a_deleted_experiment_is_said(study, store, send):
    study.train()
    send()
    store.client.delete_experiment(store.run().info.experiment_id)
    with pytest.raises(StoreError, match="experiment toy was deleted"):
        send()


def test_a_run_that_the_store_refuses_is_said_apart_from_a_store_that_is_away(study, store, send):
    study.train()
    send()
    experiment = Experiments(store.uri, "toy")
    (held,) = experiment.runs(store.run("k1").data.tags["mimic.key"])
    with pytest.raises(Refused, match="Changing param values is not allowed"):
        experiment.add(held, {}, {"window": "1"})


def test_a_cohort_s_run_lasts_as_long_as_its_process(study, store, send):
    study.train()
    path = study.results / "students/conv2-1M-logits-s1/job.json"
    sidecar = json.loads(path.read_text())
    sidecar["provenance"] |= {"seconds": 15.0, "cohort": 4}  # a quarter of the process
    path.write_text(json.dumps(sidecar))
    send()
    assert store.run().info.end_time - store.run().info.start_time == 60_000


def test_a_run_never_ends_before_it_began(study, store, send):
    study.start(epochs=1)  # dated now, months after the sidecar of its end
    send()
    study.train(epochs=1)
    send()
    assert store.run().info.end_time == store.run().info.start_time


def test_what_is_charted_first_is_accuracy(study, store, send):
    folder = study.start(epochs=1)
    line = {"epoch": 1, "train_loss": 1.0, "validation_error": 0.25, "learning_rate": 0.1}
    (folder / "history.jsonl").write_text(json.dumps(line) + "\n")
    send()
    assert store.run().data.metrics == {
        "validation_accuracy": 75.0,
        "training/loss": 1.0,
        "training/learning_rate": 0.1,
    }


def test_a_run_tells_what_it_read_and_the_model_that_it_left(study, store, send):
    study.pack_images("d1")
    study.train(images="d1")
    study.evaluate("conv2-1M-logits-s1", 0.75, "k1", images="d1")
    send()
    send()
    run = store.run()
    told = {
        item.tags[0].value: (item.dataset.name, json.loads(item.dataset.profile))
        for item in run.inputs.dataset_inputs
    }
    counts = {"training": 40, "validation": 10, "test": 20}
    assert told == {split: ("synthetic", {"num_rows": count}) for split, count in counts.items()}
    (output,) = run.outputs.model_outputs
    (model,) = store.client.search_logged_models([run.info.experiment_id])
    assert (model.model_id, model.name, model.status) == (output.model_id, run.info.run_name, "READY")
    assert model.tags["mimic.file"].endswith("results/toy/students/conv2-1M-logits-s1/model.safetensors")
    assert {metric.key: metric.value for metric in model.metrics}["test_accuracy"] == 75.0


def test_other_images_are_not_those_that_a_run_read(study, store, send):
    study.pack_images("d2")
    study.train(images="d1")
    send()
    assert store.run().inputs.dataset_inputs == []


def test_a_pass_that_died_leaves_one_model(study, store, send, monkeypatch):
    study.train()
    monkeypatch.setattr(Experiments, "set_status", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send()
    monkeypatch.undo()
    send()
    run = store.run()
    assert (run.info.status, len(run.outputs.model_outputs)) == ("FINISHED", 1)
    assert len(store.client.search_logged_models([run.info.experiment_id])) == 1


def test_the_report_is_an_artefact_of_the_study_s_run(study, store, send):
    study.train()
    send()
    assert store.study_run().info.status == "RUNNING"
    study.publish(study.results / "report", "report", "r1", {"report.html": "first"})
    send()
    run = store.study_run()
    assert (run.info.run_name, run.info.status) == ("toy", "FINISHED")
    assert store.run().data.tags["mlflow.parentRunId"] == run.info.run_id
    study.publish(study.results / "report", "report", "r2", {"report.html": "second"})
    send()
    assert [file.path for file in store.client.list_artifacts(run.info.run_id)] == ["report.html"]
    page = store.client.download_artifacts(run.info.run_id, "report.html")
    assert Path(page).read_text() == "second"


def test_the_ensemble_is_a_run_among_the_models(study, store, send):
    record = {"members": ["t2", "t1"], "candidates": ["t1", "t2", "t3"]}
    record["trace"] = [{"member": "t2", "accuracy": 0.5}, {"member": "t1", "accuracy": 0.625}]
    study.publish(study.results / "ensemble", "ensemble", "k1", {"ensemble.json": json.dumps(record)})
    study.evaluate("ensemble", 0.75, "k1", step="ensemble")
    assert send().runs == {"completed": 1}
    run = store.run()
    assert run.data.params == {"members": "t2, t1", "candidates": "3"}
    assert run.data.metrics.items() >= {"best_validation_accuracy": 62.5, "test_accuracy": 75.0}.items()


def test_a_run_describes_itself(study, store, send):
    study.train()
    send()
    note = store.run().data.tags["mlflow.note.content"]
    assert "**c3-mp-fc4**" in note
    assert "conv2 1M logits, 1,000,001 parameters, 12,000,000 multiply-adds an image" in note
    assert "logs/toy/student" in note
