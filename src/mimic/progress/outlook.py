"""How long a study will still take: its plan, scaled by how long what ran so far took."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.plan.hardware import TABLE
from mimic.plan.processes import dag_of, processes_of
from mimic.plan.schedule import wall_time
from mimic.plan.work import Counts, images_of, model_task
from mimic.progress.files import AtWork, Finished, Found
from mimic.support.errors import MimicError

NEARLY = 0.95  # of a training that has had all expected epochs and goes on
NETS = ("teacher/", "logits/", "trial/", "student/")  # jobs that use a GPU if there is one
PROCESSOR, GPU = "laptop-2-cores", "a100"  # of the plan's table: what scales it is measured


@dataclass
class Evidence:
    """What ran of some jobs, and what the plan said of that."""

    seconds: float = 0.0
    planned: float = 0.0

    def add(self, seconds: float, planned: float) -> None:
        self.seconds += seconds
        self.planned += planned


class Outlook:
    """The processes of a study with their planned work."""

    def __init__(self, study: Study) -> None:
        self._precision = study.parameters.precision
        self._counts: Counts | None
        try:
            self._counts = Counts(images_of(study.parameters.data, study.folder / "data"))
        except MimicError:  # nobody knows yet how many images there are
            self._counts = None
        self._processes = processes_of(study)
        self._dag = dag_of(self._processes)
        self._planned = cache(self._plan)

    def seconds_left(self, found: Found, jobs: int | None = None) -> tuple[float | None, bool]:
        """Wall time until the study is done, `jobs` side by side (None: as many as ever were), and whether
        it is measured: without anything that ran the plan alone says it. None where not even that can.
        """
        if self._counts is None:
            return None, False
        planned = self._planned(_hardware(found))
        by_step, overall = defaultdict(Evidence), Evidence()
        shares = {}
        for id_, members in self._processes.items():
            share = shares[id_] = sum(self._share(job, found.get(job.id)) for job in members) / len(members)
            if seconds := _seconds(members, found):
                by_step[members[0].step].add(seconds, share * planned[id_])
                if id_.startswith(NETS):  # how fast images are packed tells nothing of them
                    overall.add(seconds, share * planned[id_])
        remaining = {}
        for id_, members in self._processes.items():
            evidence = by_step.get(members[0].step, overall)
            pace = evidence.seconds / evidence.planned if evidence.planned else 1.0
            remaining[id_] = (1 - shares[id_]) * planned[id_] * pace
        number = jobs or side_by_side(self._processes.values(), found)
        return wall_time(self._dag, remaining, number), overall.planned > 0

    def _plan(self, hardware: str) -> dict[str, float]:
        return {
            id_: TABLE[hardware].seconds([self._counts.work(job) for job in members], self._precision)
            for id_, members in self._processes.items()
        }

    def _share(self, job: Job, found: Finished | AtWork | None) -> float:
        """How much of a job is done."""
        if not isinstance(found, AtWork):
            return float(found is not None)
        if not found.epochs:
            return 0.0
        return min(len(found.epochs) / self._counts.epochs(model_task(job).schedule), NEARLY)


def side_by_side(processes: Iterable[tuple[Job, ...]], found: Found) -> int:
    """The most processes that were ever at work at once, those of now included."""
    first = [found.get(members[0].id) for members in processes]
    ended = [job for job in first if isinstance(job, Finished)]
    steps = sorted(step for job in ended for step in ((job.began, 1), (job.ended, -1)))
    most = max(accumulate(change for _, change in steps), default=0)
    now = sum(any(isinstance(found.get(job.id), AtWork) for job in members) for members in processes)
    return max(most, now, 1)


def _seconds(members: tuple[Job, ...], found: Found) -> float:
    """What a process has taken so far: that of its epochs alone, while it is at work."""
    results = [found.get(job.id) for job in members]
    seconds = sum(result.seconds for result in results if result)
    if all(isinstance(result, Finished) for result in results):
        return max(seconds, results[0].benchmark)
    return seconds


def _hardware(found: Found) -> str:
    """The hardware of the plan's table that is most like what trained the last net."""
    nets = [result for id_, result in found.items() if id_.startswith(NETS)]
    trained = [result.device for result in nets if isinstance(result, Finished)]
    if not trained:
        return GPU if Path("/dev/nvidia0").exists() else PROCESSOR
    if trained[-1] == "cpu":
        return PROCESSOR
    words = "".join(trained[-1].lower().split())
    return next((name for name in TABLE if name in words), GPU)
