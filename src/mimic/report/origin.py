"""Where the results come from: hardware, time, versions, commits."""

from dataclasses import dataclass

import yaml

from mimic.core.identity import Sidecar
from mimic.report.numerals import listing, plural
from mimic.report.results import Results


@dataclass(frozen=True)
class JobRow:
    """One job in the table of provenance."""

    job: str
    device: str
    seconds: float | None
    memory_mb: float | None
    training_flops: float | None
    key: str


def total_seconds(results: Results) -> float:
    """The wall time of all jobs and the training time of all trials, added up."""
    jobs = sum(sidecar.provenance.get("seconds") or 0 for sidecar in results.sidecars)
    return jobs + float(sum(search.trials.seconds.sum() for search in results.all_searches))


def total_trials(results: Results) -> int:
    """The trainings of all searches and their baselines."""
    return sum(len(search.trials) for search in results.all_searches)


def total_flops(results: Results) -> float:
    """The floating-point operations of all trainings; the ensemble's row only repeats its members'."""
    models = results.models
    trials = sum(search.flops for search in results.all_searches)
    return float(models.training_flops[models.kind != "ensemble"].sum() + trials)


def hardware(results: Results) -> str:
    """The devices that jobs ran on, the busiest first."""
    seconds: dict[str, float] = {}
    for sidecar in results.sidecars:
        device = _device(sidecar)
        seconds[device] = seconds.get(device, 0) + (sidecar.provenance.get("seconds") or 0)
    return listing(sorted(seconds, key=seconds.get, reverse=True)) if seconds else "not recorded"


def _device(sidecar: Sidecar) -> str:
    origin = sidecar.provenance
    if origin.get("device") not in (None, "cpu"):
        return origin["device"]
    threads = origin.get("threads")
    name = origin.get("processor") or "unknown processor"
    return f"{name} ({plural(threads, 'thread')})" if threads else name


def commits(results: Results) -> list[str]:
    """The commits that jobs ran from, with how many, and whether files had been edited."""
    counts: dict[str, int] = {}
    for sidecar in results.sidecars:
        commit = sidecar.provenance.get("commit")
        name = commit[:12] if commit else "not recorded"
        if sidecar.provenance.get("dirty"):
            name += ", with uncommitted edits"
        counts[name] = counts.get(name, 0) + 1
    return [f"{name} ({plural(number, 'job')})" for name, number in counts.items()]


def versions(results: Results) -> dict[str, str]:
    """The versions of each package that jobs ran with."""
    found: dict[str, set[str]] = {}
    for sidecar in results.sidecars:
        for package, version in (sidecar.provenance.get("versions") or {}).items():
            if version:
                found.setdefault(package, set()).add(version)
    return {package: listing(sorted(numbers)) for package, numbers in found.items()}


def jobs(results: Results) -> list[JobRow]:
    """One row a job, in the order of the DAG."""
    flops = results.models.training_flops.dropna()
    return [
        JobRow(
            job=f"{sidecar.step}/{sidecar.name}",
            device=_device(sidecar),
            seconds=sidecar.provenance.get("seconds"),
            memory_mb=sidecar.provenance.get("peak_memory_mb"),
            training_flops=flops.get(sidecar.name),
            key=sidecar.key,
        )
        for sidecar in results.sidecars
    ]


def parameters_yaml(results: Results) -> str:
    """The study's parameters, complete."""
    return yaml.safe_dump(
        results.parameters.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    )
