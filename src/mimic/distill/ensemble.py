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
class Addition:
    """A member, and how the ensemble does with it on the validation images."""

    member: str
    accuracy: float  # fraction
    nll: float  # nats an image


@dataclass(frozen=True)
class Selection:
    """An ensemble, and how it came about."""

    members: tuple[str, ...]  # in the order of their selection
    trace: tuple[Addition, ...]
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
    shape = (len(labels_N), next(iter(candidates.values())).shape[-1])
    for name, logits_NK in candidates.items():
        if logits_NK.shape != shape:
            raise MimicError(
                f"teacher {name}: validation logits have shape {list(logits_NK.shape)}, not {list(shape)}: "
                "a row for each validation image, a column for each class"
            )
    trace = _forward(candidates, labels_N, size, stop_without_gain)
    notes = [f"only {len(candidates)} teachers for {size} members"] if len(candidates) < size else []
    if passed_over:
        notes.append(f"diverged and not considered: {', '.join(passed_over)}")
    members = tuple(addition.member for addition in trace)
    return Selection(members, tuple(trace), tuple(candidates), "; ".join(notes) or None)


def _forward(
    candidates: Mapping[str, np.ndarray], labels_N: np.ndarray, size: int, stop_without_gain: bool
) -> list[Addition]:
    remaining, trace = dict(candidates), list[Addition]()
    total_NK = np.zeros(next(iter(candidates.values())).shape)
    while remaining and len(trace) < size:
        additions = [
            _addition(name, (total_NK + logits_NK) / (len(trace) + 1), labels_N)
            for name, logits_NK in remaining.items()
        ]
        best = min(additions, key=lambda addition: (-addition.accuracy, addition.nll, addition.member))
        if stop_without_gain and trace and best.accuracy <= trace[-1].accuracy:
            break
        trace.append(best)
        total_NK += remaining.pop(best.member)
    return trace


def _addition(name: str, mean_NK: np.ndarray, labels_N: np.ndarray) -> Addition:
    """What the ensemble, whose logits are `mean_NK`, is with the model of that name."""
    nll_N = np.logaddexp.reduce(mean_NK, axis=1) - mean_NK[np.arange(len(labels_N)), labels_N]
    accuracy = (mean_NK.argmax(axis=1) == labels_N).mean()
    return Addition(name, float(accuracy), float(nll_N.mean()))
