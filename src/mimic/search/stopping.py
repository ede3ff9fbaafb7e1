"""The median rule (Golovin et al. 2017), by rounds: what a trial must have reached at fixed epochs.

Limits come from the earlier rounds alone, so that a trial's end depends neither on the order in which its
round's trials train nor on how many train at once.
"""

from collections.abc import Sequence
from statistics import median

WORST = 1.0  # validation error, a fraction


def limits(epochs: Sequence[int], courses: Sequence[Sequence[float]]) -> dict[int, float]:
    """The median of the earlier trials' best errors at each of `epochs`; none without earlier trials.

    A course holds a trial's validation error after each epoch, to the end of its training; that of a trial
    that diverged is empty, and counts as an error of 1. One that was ended by this rule counts with what it
    had reached. A trial whose own best error exceeds the limit after that epoch ends.
    """
    if not courses:
        return {}
    return {
        epoch: median(min(errors[:epoch], default=WORST) for errors in courses) for epoch in sorted(epochs)
    }
