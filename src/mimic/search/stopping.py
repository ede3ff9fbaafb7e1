"""The median rule (Golovin et al. 2017), by rounds: what a trial must have reached at fixed epochs.

Limits come from the earlier rounds alone, so that a trial's end depends neither on the order in which its
round's trials train nor on how many train at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

WORST = 1.0  # validation error, a fraction


@dataclass(frozen=True)
class Course:
    """A trial of an earlier round: its validation error after each epoch, to the end of its training."""

    errors: tuple[float, ...]
    diverged: bool = False

    @classmethod
    def of(cls, history: Sequence[Mapping], status: str) -> "Course":
        """From the lines of history.jsonl and the status in record.json."""
        return cls(tuple(line["validation_error"] for line in history), status == "diverged")

    def best(self, epoch: int) -> float:
        """The least error up to that epoch, or up to the end if training ended before."""
        return WORST if self.diverged else min(self.errors[:epoch], default=WORST)


def limits(epochs: Sequence[int], courses: Sequence[Course]) -> dict[int, float]:
    """The median of the earlier trials' best errors at each of `epochs`; none without earlier trials.

    A trial whose own best error exceeds the limit after that epoch ends. One that diverged counts as an
    error of 1, at every epoch; one that was ended by this rule counts with what it had reached.
    """
    if not courses:
        return {}
    return {epoch: median(course.best(epoch) for course in courses) for epoch in sorted(epochs)}
