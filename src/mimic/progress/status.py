"""How far a study is at one moment, as it goes from one process to another."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Running:
    """A job at work."""

    title: str
    epoch: int | None = None  # of a training: the last that it ended
    planned: int | None = None  # epochs; None where the validation error decides
    accuracy: float | None = None  # on validation images, the best so far


@dataclass(frozen=True)
class Status:
    """All that a person wants to know of a study that runs."""

    study: str
    jobs: int
    done: int
    running: tuple[Running, ...] = ()
    seconds_left: float | None = None  # None where nobody knows
    measured: bool = False  # whether what ran so far says how fast it goes; else the plan alone does
    accuracy: tuple[tuple[str, float], ...] = ()  # the best of each kind of model, on validation images
    failures: tuple[str, ...] = ()  # what jobs that failed said last
    idle_seconds: float | None = None  # since any job said something
    queue: tuple[tuple[str, int], ...] = ()  # why jobs wait in SLURM, and how many

    @property
    def left(self) -> int:
        return self.jobs - self.done - len(self.running)

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self) | {"left": self.left})

    @classmethod
    def from_json(cls, line: str) -> "Status":
        """What `as_json` wrote."""
        content = json.loads(line)
        del content["left"]
        content["running"] = tuple(Running(**running) for running in content["running"])
        for pairs in ("accuracy", "queue"):
            content[pairs] = tuple((name, value) for name, value in content[pairs])
        return cls(**content | {"failures": tuple(content["failures"])})
