"""Why a job is stale: what changed since its result was made, here or upstream."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.engine.keys import Keys, canonical, code_of
from mimic.engine.sidecar import damage, read_sidecar
from mimic.support.frozen import asked

ABSENT = "nothing"


@dataclass(frozen=True)
class Cause:
    """One thing that makes a job stale."""

    text: str  # e.g. `parameter teacher.weight_decay: 0.0005 → 0.0004`
    origin: str  # the job where it lies
    way: tuple[str, ...] = ()  # jobs between, from the one asked about to the origin

    def seen_from(self, job: Job) -> "Cause":
        """The same cause for a job that reads the result of the one before."""
        return Cause(self.text, self.origin, (job.id, *(self.way or (self.origin,))))


class Why:
    """The causes of every stale job of a study, each job looked at once."""

    def __init__(self, study: Study, keys: Keys) -> None:
        self.study = study
        self._keys = keys
        self._known: dict[str, tuple[Cause, ...]] = {}

    @cached_property
    def stale(self) -> list[Job]:
        """The jobs that have causes, upstream before downstream."""
        return [job for job in self.study.jobs() if self.causes(job)]

    def causes(self, job: Job) -> tuple[Cause, ...]:
        """Why a job is stale, its own causes before those upstream; () when it is done."""
        if job.id not in self._known:
            self._known[job.id] = tuple(self._causes(job))
        return self._known[job.id]

    def _causes(self, job: Job) -> Iterator[Cause]:
        record = read_sidecar(job.sidecar)
        if record is None:
            yield Cause(f"{job.sidecar}: missing or unreadable", job.id)
            return
        if harm := damage(record, job.outputs):
            yield Cause(harm, job.id)
        if record.key == self._keys[job]:
            return
        seen = set()  # what a job and those upstream share is said once
        for name, (old, new) in differences(record.parameters, asked(job.task)).items():
            seen.add(text := f"parameter {name}: {old} → {new}")
            yield Cause(text, job.id)
        for name, (old, new) in differences(record.code, code_of(job.step, job.task)).items():
            seen.add(text := f"code {name}: {_change(old, new)}")
            yield Cause(text, job.id)
        for up in job.upstream:
            if record.upstream.get(up.id) == self._keys[up]:
                continue
            for cause in self.causes(up) or (Cause(f"{up.id} was made anew since", up.id),):
                if cause.text not in seen:
                    seen.add(cause.text)
                    yield cause.seen_from(job)
        for gone in sorted(set(record.upstream) - {up.id for up in job.upstream}):
            yield Cause(f"it read {gone}, which left the study", job.id)


def differences(old: dict, new: dict) -> dict[str, tuple[str, str]]:
    """What differs between two nested groups, by dotted name: how it was and how it is."""
    before, after = dict(_flat(canonical(old))), dict(_flat(canonical(new)))
    names = [*after, *(name for name in before if name not in after)]
    return {
        name: (str(before.get(name, ABSENT)), str(after.get(name, ABSENT)))
        for name in names
        if before.get(name) != after.get(name)
    }


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(item, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):  # the layers of a net
        for place, layer in enumerate(value):
            yield f"{prefix}.{place}", " ".join([layer["kind"], *(str(v) for v in list(layer.values())[:-1])])
    else:
        yield prefix, value


def _change(old: str, new: str) -> str:
    if ABSENT in (old, new):
        return "is read no more" if new == ABSENT else "is read now"
    return "changed"
