"""One model on the test images, or the best trials of a search."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from mimic.data.packed import open_split
from mimic.evaluation import metrics
from mimic.evaluation.measure import DISAGREEMENTS
from mimic.training.models import load_model
from mimic.training.precision import choose_device
from mimic.training.predict import predict


def rows_of(folder) -> list[dict]:
    return json.loads((folder / "measures.json").read_text())


def test_accuracy_is_that_of_the_predictions(evaluated):
    folder = evaluated("student/mlp1-5k-logits-s1")
    (row,) = rows_of(folder)
    predictions = load_file(folder / "predictions.safetensors")
    right_N = predictions["mlp1-5k-logits-s1"].argmax(axis=1) == predictions["labels_N"]
    assert row["accuracy"] == pytest.approx(right_N.mean())
    assert (row["kind"], row["family"], row["budget"], row["seed"]) == ("student", "mlp1", "5k", 1)
    assert {"nll", "ece", "accuracy_shift_1", "accuracy_augmented"} <= set(row)


def test_predictions_are_of_the_test_images_with_their_labels(evaluated, models):
    test = open_split(models["data/data"], "test")
    for job in ("ensemble/ensemble", "teacher/t1", "selection/mlp1-5k-logits"):
        predictions = load_file(evaluated(job) / "predictions.safetensors")
        np.testing.assert_array_equal(predictions.pop("labels_N"), test.labels_N)
        assert predictions and {logits.shape for logits in predictions.values()} == {(len(test.labels_N), 10)}


def test_a_diverged_model_has_its_row_but_neither_measures_nor_predictions(evaluated):
    folder = evaluated("student/mlp1-5k-logits-s2")
    (row,) = rows_of(folder)
    assert row["status"] == "diverged" and "accuracy" not in row
    assert set(load_file(folder / "predictions.safetensors")) == {"labels_N"}


def logits_of(net, models) -> np.ndarray:
    """What a net says of the test images."""
    images_NCHW = torch.from_numpy(open_split(models["data/data"], "test").images_NCHW)
    device = choose_device()
    return predict(net.to(device), images_NCHW, "fp32", device).cpu().numpy()


def test_the_best_trials_of_a_search_are_measured_each_with_its_own_weights(evaluated, models, trials):
    folder = evaluated("selection/mlp1-5k-logits")
    rows = rows_of(folder)
    assert [(row["name"], row["kind"]) for row in rows] == [(name, "trial") for name in trials]
    for row in rows:  # told as what it was trained as
        assert (row["family"], row["budget"], row["arm"], row["seed"]) == ("mlp1", "5k", "logits", 0)
    predictions = load_file(folder / "predictions.safetensors")
    for name, net in trials.items():
        np.testing.assert_allclose(predictions[name], logits_of(net, models), atol=1e-5)
    assert not np.allclose(*(predictions[name] for name in trials), atol=1e-3)


def test_the_ensemble_says_the_mean_of_what_its_members_say(evaluated, models):
    trial = models["teacher/t1"].parent / "teachers-r01-t01"
    folders = (models["teacher/t1"], models["teacher/t2"], trial)
    logits = [logits_of(load_model(folder, 8)[1], models) for folder in folders]
    said_NK = load_file(evaluated("ensemble/ensemble") / "predictions.safetensors")["ensemble"]
    np.testing.assert_allclose(said_NK, np.mean(logits, axis=0), atol=1e-5)


def test_the_ensemble_costs_what_its_members_cost_trials_among_them(evaluated):
    (ensemble,), (teacher,) = rows_of(evaluated("ensemble/ensemble")), rows_of(evaluated("teacher/t1"))
    assert (ensemble["kind"], teacher["kind"]) == ("ensemble", "teacher")
    for column in ("parameters", "multiply_adds", "seconds", "training_flops"):
        assert ensemble[column] == pytest.approx(3 * teacher[column])


def test_a_model_is_measured_beside_the_ensemble(evaluated):
    reference_NK = load_file(evaluated("ensemble/ensemble") / "predictions.safetensors")["ensemble"]
    folder = evaluated("student/mlp1-5k-logits-s1")
    student_NK = load_file(folder / "predictions.safetensors")["mlp1-5k-logits-s1"]
    (row,) = rows_of(folder)
    assert row["agreement"] == metrics.agreement(student_NK, reference_NK)
    assert row["kl"] == metrics.kl(student_NK, reference_NK) > 0
    assert all("kl" in row for row in rows_of(evaluated("selection/mlp1-5k-logits")))


def test_the_ensemble_agrees_with_itself(evaluated):
    (row,) = rows_of(evaluated("ensemble/ensemble"))
    assert (row["agreement"], row["kl"]) == (1, pytest.approx(0, abs=1e-9))


def test_of_a_student_the_images_in_dispute_and_the_first_filters_are_kept(evaluated, models):
    folder = evaluated("student/mlp1-5k-logits-s1")
    pictures = load_file(folder / "pictures.safetensors")
    student_NK = load_file(folder / "predictions.safetensors")["mlp1-5k-logits-s1"]
    reference_NK = load_file(evaluated("ensemble/ensemble") / "predictions.safetensors")["ensemble"]
    chosen_D = metrics.disagreements(student_NK, reference_NK, DISAGREEMENTS)
    assert len(chosen_D) and pictures["disputed_D"].tolist() == chosen_D.tolist()
    test = open_split(models["data/data"], "test")
    np.testing.assert_array_equal(pictures["disputed_DCHW"], test.images_NCHW[chosen_D])
    assert pictures["filters_FCHW"].shape == (20, 3, 8, 8)


def test_other_models_have_no_images_in_dispute(evaluated):
    for job, kept in (("ensemble/ensemble", set()), ("teacher/t1", {"filters_FCHW"}),
                      ("selection/mlp1-5k-logits", set())):  # fmt: skip
        assert set(load_file(evaluated(job) / "pictures.safetensors")) == kept
