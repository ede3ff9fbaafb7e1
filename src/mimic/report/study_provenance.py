"""Where the results come from: hardware, time, versions, commits."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import pandas as pd
import yaml

from mimic.engine.sidecar import Sidecar
from mimic.report.numerals import listing, plural
from mimic.report.results import Results

NUMERICAL = ("teacher", "logits", "student", "evaluation")  # steps whose jobs run nets
PLACES = {"data": {"path", "download"}}  # parameters of the machine, not of the study
LISTED = 2000  # jobs at most, so that the page stays small
NAMED = 3  # jobs that a sentence names; of more it gives the number


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
    seconds: Counter[str] = Counter()
    for sidecar in results.sidecars:
        seconds[device_and_threads(sidecar)] += sidecar.provenance.get("seconds") or 0
    return listing([device for device, _ in seconds.most_common()]) if seconds else "not recorded"


def mixtures(results: Results) -> Iterator[str]:
    """What the jobs that ran nets did not have in common: devices, versions of torch; each with its jobs."""
    sidecars = [sidecar for sidecar in results.sidecars if sidecar.step in NUMERICAL]
    names = pd.Series([f"{sidecar.step}/{sidecar.name}" for sidecar in sidecars])
    for what in (_device, _torch):
        jobs = names.groupby([what(sidecar) for sidecar in sidecars], sort=False).agg(list)
        if len(jobs) > 1:
            most_first = sorted(jobs.items(), key=lambda item: -len(item[1]))
            yield listing([f"{name} ({_named(found)})" for name, found in most_first])


def _named(jobs: list[str]) -> str:
    return listing(jobs) if len(jobs) <= NAMED else plural(len(jobs), "job")


def _torch(sidecar: Sidecar) -> str:
    version = (sidecar.provenance.get("versions") or {}).get("torch")
    return f"torch {version}" if version else "an unknown version of torch"


def _device(sidecar: Sidecar) -> str:
    device, processor = (sidecar.provenance.get(key) for key in ("device", "processor"))
    return device if device not in (None, "cpu") else processor or "unknown processor"


def device_and_threads(sidecar: Sidecar) -> str:
    """The accelerator, or the processor with the threads that the job had of it."""
    device, threads = _device(sidecar), sidecar.provenance.get("threads")
    is_processor = sidecar.provenance.get("device") in (None, "cpu")
    return f"{device} ({plural(threads, 'thread')})" if threads and is_processor else device


def commits(results: Results) -> list[str]:
    """The commits that jobs ran from, with how many, and whether files had been edited."""
    counts: Counter[str] = Counter()
    for sidecar in results.sidecars:
        commit = sidecar.provenance.get("commit")
        edited = ", with uncommitted edits" if sidecar.provenance.get("dirty") else ""
        counts[(commit[:12] if commit else "not recorded") + edited] += 1
    return [f"{name} ({plural(number, 'job')})" for name, number in counts.items()]


def versions(results: Results) -> dict[str, str]:
    """The versions of each package that jobs ran with."""
    found = defaultdict(set)
    for sidecar in results.sidecars:
        for package, version in (sidecar.provenance.get("versions") or {}).items():
            found[package].add(version)
    return {package: listing(sorted(numbers)) for package, n in found.items() if (numbers := n - {None})}


def longest(results: Results) -> list[Sidecar]:
    """The jobs that the page lists: all, or of very many those that took longest."""
    if len(results.sidecars) <= LISTED:
        return results.sidecars
    return sorted(results.sidecars, key=lambda s: -(s.provenance.get("seconds") or 0))[:LISTED]


def training_flops(results: Results, sidecar: Sidecar) -> float | None:
    """Of the job's own training; None if it trained nothing."""
    return results.models.training_flops[sidecar.name] if sidecar.step in ("teacher", "student") else None


def parameters_yaml(results: Results) -> str:
    """The study's parameters, but for where somebody's images lie."""
    parameters = results.parameters.model_dump(mode="json", exclude=PLACES)
    return yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True, width=100)


def content(results: Results) -> str | None:
    """The digest of the images' source; None where it follows from the parameters."""
    return next(s.parameters.get("content") for s in results.sidecars if s.step == "data")
