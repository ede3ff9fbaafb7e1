"""Which teachers form the ensemble: greedy forward selection on the validation images.

The paper takes "the best combination by validation accuracy" and does not say how it was found. Ours
is the forward selection of Caruana et al. (2004), without replacement: each member counts once in the
mean of the logits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from mimic.support.errors import MimicError


@dataclass(frozen=True)
class Score:
    """How the mean logits of some members do on the validation images."""

    accuracy: float  # fraction
    nll: float  # nats an image


@dataclass(frozen=True)
class Selection:
    """An ensemble, and how it came about."""

    members: tuple[str, ...]  # in the order of their selection
    trace: tuple[Score, ...]  # after each addition
    candidates: tuple[str, ...]  # every model that could have been chosen
    note: str | None = None  # what the reader should know: models passed over, members missing


def select(
    validation_logits: Mapping[str, np.ndarray],
    labels_N: np.ndarray,
    size: int,
    stop_without_gain: bool = False,
    diverged: Collection[str] = (),
) -> Selection:
    """Choose `size` models, one after another, for the accuracy of the mean of their logits.

    `validation_logits` maps the name of each model to its logits_NK; models named in `diverged`, and
    those with a logit that is not finite, are no candidates. The best single model comes first. Each
    further member is the one that makes the ensemble most accurate; ties go to the lower NLL, then to
    the name that sorts first. With `stop_without_gain` selection ends as soon as no candidate raises
    the accuracy; without, it goes on to `size` members even where accuracy falls on the way (ours: the
    paper's ensemble has a fixed size). Fewer candidates than `size` are all taken, and `note` says so.

    Raises MimicError when there is no candidate, or when a model's logits do not fit the labels.
    """
    candidates = {
        name: logits_NK
        for name, logits_NK in sorted(validation_logits.items())
        if name not in diverged and np.isfinite(logits_NK).all()
    }
    passed_over = sorted(set(validation_logits) - set(candidates))
    if not candidates:
        raise MimicError(
            f"ensemble: none of {len(passed_over)} teachers converged; change their hyperparameters"
        )
    _check_shapes(candidates, labels_N)
    members, trace = _forward(candidates, labels_N, size, stop_without_gain)
    return Selection(tuple(members), tuple(trace), tuple(candidates), _note(candidates, passed_over, size))


def _forward(
    candidates: Mapping[str, np.ndarray], labels_N: np.ndarray, size: int, stop_without_gain: bool
) -> tuple[list[str], list[Score]]:
    members: list[str] = []
    trace: list[Score] = []
    total_NK = np.zeros(next(iter(candidates.values())).shape)
    while len(members) < min(size, len(candidates)):
        remaining = {name: logits_NK for name, logits_NK in candidates.items() if name not in members}
        name, score = _best_addition(total_NK, remaining, len(members) + 1, labels_N)
        if stop_without_gain and trace and score.accuracy <= trace[-1].accuracy:
            break
        members.append(name)
        trace.append(score)
        total_NK += candidates[name]
    return members, trace


def _best_addition(
    total_NK: np.ndarray, remaining: Mapping[str, np.ndarray], count: int, labels_N: np.ndarray
) -> tuple[str, Score]:
    """The model whose logits, added to `total_NK`, make the best ensemble of `count` members."""

    def mean_NK(name: str) -> np.ndarray:
        return (total_NK + remaining[name]) / count

    correct = {name: int((mean_NK(name).argmax(axis=1) == labels_N).sum()) for name in remaining}
    most = max(correct.values())
    nll = {name: _nll(mean_NK(name), labels_N) for name in remaining if correct[name] == most}
    best = min(nll, key=lambda name: (nll[name], name))
    return best, Score(most / len(labels_N), nll[best])


def _nll(logits_NK: np.ndarray, labels_N: np.ndarray) -> float:
    label_logits_N = logits_NK[np.arange(len(labels_N)), labels_N]
    return float((np.logaddexp.reduce(logits_NK, axis=1) - label_logits_N).mean())


def _check_shapes(candidates: Mapping[str, np.ndarray], labels_N: np.ndarray) -> None:
    first, reference_NK = next(iter(candidates.items()))
    for name, logits_NK in candidates.items():
        if logits_NK.ndim != 2 or len(logits_NK) != len(labels_N):
            raise MimicError(
                f"teacher {name}: validation logits have shape {list(logits_NK.shape)}, "
                f"not one row for each of {len(labels_N)} validation images"
            )
        if logits_NK.shape != reference_NK.shape:
            raise MimicError(
                f"teacher {name}: validation logits are of {logits_NK.shape[1]} classes, "
                f"but those of {first} are of {reference_NK.shape[1]}"
            )


def _note(candidates: Collection[str], passed_over: Collection[str], size: int) -> str | None:
    parts = []
    if len(candidates) < size:
        parts.append(f"only {len(candidates)} teachers for {size} members")
    if passed_over:
        parts.append(f"diverged and not considered: {', '.join(passed_over)}")
    return "; ".join(parts) or None
