"""What students have learnt beyond their accuracy, as tables: fractions of 1, seeds averaged or pooled."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mimic.config.parameters import GROUPS
from mimic.evaluation.metrics import confidence_bins
from mimic.report.accuracies import ENSEMBLE, Model
from mimic.report.results import Results


def measured(results: Results) -> Iterator[tuple[Model, list[str]]]:
    """The ensemble and every student that finished, with the names of its seeds."""
    yield ENSEMBLE, ["ensemble"]
    for model in (model for arm in GROUPS for model in results.accuracies.models(arm)):
        yield model, list(results.seeds(model).index)


def fidelity(results: Results) -> pd.DataFrame:
    """How far each student follows the ensemble, also into its mistakes: on `same_mistakes` of the images
    that the ensemble gets wrong the student says the same wrong class.
    """
    columns = ["accuracy", "agreement", "kl"]
    wrong_N = ~results.correct["ensemble"]
    said_N = results.predictions["ensemble"].class_N
    rows = []
    for model, names in measured(results):
        if model != ENSEMBLE:
            same_SN = np.stack([results.predictions[name].class_N == said_N for name in names])
            same = float(same_SN[:, wrong_N].mean()) if wrong_N.any() else None
            means = results.models.loc[names, columns].mean()
            rows.append({**model._asdict(), "seeds": len(names), **means, "same_mistakes": same})
    identity = [*Model._fields, "seeds", *columns, "same_mistakes"]
    return pd.DataFrame(rows, columns=identity)


def robustness(results: Results) -> pd.DataFrame:
    """Accuracy by view of the test images: as they are (moved by 0 pixels), moved, augmented."""
    views = {column: {"view": "moved", "pixels": pixels} for pixels, column in results.shifts.items()}
    views["accuracy_augmented"] = {"view": "augmented", "pixels": None}
    rows = []
    for model, names in measured(results):
        means = results.models.loc[names, [*views]].mean()
        rows += [{**model._asdict(), **view, "accuracy": means[column]} for column, view in views.items()]
    return pd.DataFrame(rows).astype({"pixels": "Int64"})


def reliability(results: Results) -> pd.DataFrame:
    """Accuracy and mean confidence of the images in each bin of confidence that has some."""
    bins, rows = results.parameters.evaluation.calibration_bins, []
    for model, names in measured(results):
        confidence_N = np.concatenate([results.predictions[name].confidence_N for name in names])
        correct_N = np.concatenate([results.correct[name] for name in names])
        bin_N = confidence_bins(confidence_N, bins)
        for number in np.unique(bin_N):
            within_N = bin_N == number
            rows.append(
                {
                    **model._asdict(),
                    "from": number / bins,
                    "to": (number + 1) / bins,
                    "images": int(within_N.sum()),
                    "confidence": float(confidence_N[within_N].mean()),
                    "accuracy": float(correct_N[within_N].mean()),
                }
            )
    return pd.DataFrame(rows)


def confusion(results: Results) -> pd.DataFrame:
    """How often each class is taken for which, and as what share of its images; without what never is."""
    classes, rows = results.data["classes"], []
    for model, names in measured(results):
        counts_KK = np.zeros((len(classes), len(classes)), int)
        for name in names:
            np.add.at(counts_KK, (results.labels_N, results.predictions[name].class_N), 1)
        images_K = counts_KK.sum(axis=1)
        rows += [
            {
                **model._asdict(),
                "class": classes[label],
                "predicted": classes[said],
                "images": int(counts_KK[label, said]),
                "share": counts_KK[label, said] / images_K[label],
            }
            for label, said in np.argwhere(counts_KK)
        ]
    return pd.DataFrame(rows)


def disputed(results: Results) -> pd.DataFrame:
    """The test images on which one student of each family disagrees most with the ensemble, both answers."""
    classes, ensemble = results.data["classes"], results.predictions["ensemble"]
    rows = []
    for family, name in results.exemplars.items():
        student, row = results.predictions[name], results.evaluated.loc[name]
        for image in results.pictures[name].get("disputed_D", []):
            said = {
                who: {who: classes[said.class_N[image]], f"{who}_confidence": float(said.confidence_N[image])}
                for who, said in (("ensemble", ensemble), ("student", student))
            }
            rows.append(
                {"family": family, "budget": row.budget, "name": name, "image": int(image)}
                | {"class": classes[results.labels_N[image]], **said["ensemble"], **said["student"]}
            )
    columns = ["family", "budget", "name", "image", "class"]
    columns += ["ensemble", "ensemble_confidence", "student", "student_confidence"]
    return pd.DataFrame(rows, columns=columns)
