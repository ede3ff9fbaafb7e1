"""How Snakemake's one trigger, file dates, is made to follow the keys.

Dates of results mean nothing: to Snakemake they are `ancient`, but for those that it is to make. Each rule
has one more input, the spec of its job, which is dated after the job's results where the job is to be done,
and long before them where it is not. See docs/identity.md.

A result dated ahead, by a clock that was ahead or a copy that kept dates, would have what follows it look
older than it: so before a run no date is later than now.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from snakemake.io import ancient, strip_wildcard_constraints

from mimic.dag.cohorts import Cohort, Cohorts
from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.engine.keys import Keys
from mimic.engine.specs import SPECS, make_spec, spec_path
from mimic.engine.state import STATE
from mimic.support import publish

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

LONG_AGO = 946_684_800_000_000_000  # 2000-01-01, nanoseconds since 1970
MOMENT = 1_000_000  # nanoseconds
FOLLOWING = ("job", "cohort")  # what rules call the output that their spec belongs to


def record_path(study: str, cohort: Cohort) -> Path:
    """The record that a cohort's process leaves: the names of its members, all of whose results are there."""
    return STATE / study / "cohorts" / cohort.step / f"{cohort.name}.json"


def to_do(study: Study, stale: Iterable[Job]) -> set[str]:
    """The ids of jobs that Snakemake is to run: stale ones, and all that follow them.

    Of a result that is missing the latter are done; but Snakemake makes a file only for a job that it runs,
    and of what follows such a job it looks at nothing.
    """
    todo = {job.id for job in stale}
    for job in study.jobs():
        if any(up.id in todo for up in job.upstream):
            todo.add(job.id)
    return todo


def renew_results(study: Study, todo: set[str], clock: Path) -> None:
    """Date what is dated later than now as of now: now is when `clock`, a file beside, was touched.

    And make what is to be made again writable, which DVC's links are not: else Snakemake refuses.
    """
    os.utime(clock)
    now = clock.stat().st_mtime_ns
    files = {file: job.id in todo for job in study.jobs() for file in job.files}
    for cohort in Cohorts(study).all():
        files[record_path(study.name, cohort)] = any(job.id in todo for job in cohort.members)
    renewed = [file for file, again in files.items() if file.exists() and _is_in_the_way(file, again, now)]
    for file in renewed:
        publish.renew(file)
        if file.is_symlink():
            os.utime(file, follow_symlinks=False)
    if renewed:
        time.sleep(2 * MOMENT / 1e9)  # there is a moment to date specs after them, and not ahead


def _is_in_the_way(file: Path, again: bool, now: int) -> bool:
    date = max(file.lstat().st_mtime_ns, file.stat().st_mtime_ns)  # of a link the later, as Snakemake has it
    return date > now or (again and not os.access(file, os.W_OK))


def write_specs(study: Study, keys: Keys, todo: set[str]) -> None:
    """Bring every job's spec, and the dates that Snakemake compares, in step with the keys."""
    cohorts = Cohorts(study)
    for job in study.jobs():
        path, results = spec_path(job.folder), job.files if job.id in todo else []
        if not _stands(path, keys[job], results):
            spec = make_spec(study, job, keys).model_copy(update=_stale_since(results))
            _write(path, spec.model_dump_json(indent=1), results)
    for cohort in cohorts.all():
        path = SPECS / record_path(study.name, cohort)
        waiting = [job.name for job in cohort.members if job.id in todo]
        results = [record_path(study.name, cohort)] if waiting else []
        content = {"to do": waiting, "members": [keys[job] for job in cohort.members]}
        _write(path, json.dumps(content | _stale_since(results), indent=1), results)


def mark_anew(study: Study, jobs: Iterable[Job], keys: Keys, mark: str) -> None:
    """Have the specs of some jobs ask for results made anew; their dates stay."""
    for job in jobs:
        path = spec_path(job.folder)
        date = path.stat().st_mtime_ns
        publish.write_text(path, make_spec(study, job, keys, mark).model_dump_json(indent=1), durable=False)
        os.utime(path, ns=(date, date))


def _stands(path: Path, key: str, results: list[Path]) -> bool:
    """Whether a spec is there already, for a job of this key that has no earlier results to outdate.

    What a key doesn't hold, places of the user's images, only the spec of the packed set has.
    """
    if any(file.exists() for file in results) or path.parent.name == "data" or not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    asks_nothing = '"stale_since": null' in text and '"anew": null' in text
    return f'"key": "{key}"' in text and asks_nothing and path.stat().st_mtime_ns == LONG_AGO


def _stale_since(results: list[Path]) -> dict[str, int | None]:
    """A content of its own for each spec that outdates results, as long as there are any."""
    return {"stale_since": time.time_ns() if any(file.exists() for file in results) else None}


def _write(path: Path, text: str, results: list[Path]) -> None:
    """Date a spec just after `results`, as far as they are there, or long ago."""
    present = [file.lstat().st_mtime_ns for file in results if file.exists()]
    date = min(present) + MOMENT if present else LONG_AGO
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        publish.write_text(path, text, durable=False)
    if path.stat().st_mtime_ns != date:
        publish.renew(path, date)


def made(study: Study, todo: set[str]) -> set[str]:
    """The files that Snakemake is to make."""
    jobs = [job for job in study.jobs() if job.id in todo]
    cohorts = [cohort for cohort in Cohorts(study).all() if any(job.id in todo for job in cohort.members)]
    files = [file for job in jobs for file in job.files]
    return {str(path) for path in [*files, *(record_path(study.name, cohort) for cohort in cohorts)]}


def dates_of(workflow: "Workflow", made: set[str]) -> None:
    """Have the date of an input mean nothing, but for those of specs and of what Snakemake is to make."""

    def flag(value):
        if callable(value):  # called, it gives paths, which come here too
            return value
        path = workflow.pathvars.apply(str(value))
        return value if path in made or Path(path).is_relative_to(SPECS) else ancient(value)

    workflow.set_default_input_flags(flag)


def follow_keys(workflow: "Workflow") -> None:
    """Have every rule that makes a result, or trains a cohort, follow the keys; after the last rule."""
    for rule in workflow.rules:
        for name, paths in rule.output._allitems():
            if name in FOLLOWING:
                paths = [paths] if isinstance(paths, str) else paths
                rule.input_modifier = rule.input_modifier or rule.output_modifier  # None: it had no input
                rule.set_input(spec=[str(SPECS / strip_wildcard_constraints(path)) for path in paths])
