"""A search as jobs: rounds of proposals and trials, and the selection among all trials."""

from dataclasses import dataclass, replace
from pathlib import Path

from mimic.core import tasks
from mimic.core.jobs import MODEL_FILES, PROPOSAL_FILES, SELECTION_FILES, Job, job_in
from mimic.core.parameters import Data
from mimic.core.spaces import Algorithm, Effort, Search, Space


@dataclass(frozen=True)
class SearchJobs:
    """One search; without a selection there is none."""

    name: str
    jobs: tuple[Job, ...] = ()  # of the baseline as well, upstream before downstream
    trials: tuple[Job, ...] = ()
    selection: Job | None = None
    baseline: Job | None = None  # the selection among as many trials of another algorithm


def search_jobs(
    name: str,
    folder: Path,
    search: Search,
    effort: Effort,
    space: Space,
    default: tasks.TeacherTask | tasks.StudentTask,
    upstream: list[Job],
    data: Data,
) -> SearchJobs:
    """The jobs of one search and of its baseline, in folders below `folder`.

    `default` is the task of a trial but for the hyperparameters searched; `upstream` is what a trial is
    trained on.
    """
    if effort.schedule:
        default = default.model_copy(update={"schedule": effort.schedule})
    found = _rounds(name, folder / name, search, search.algorithm, effort, space, default, upstream, data)
    if search.baseline is None:
        return found
    other = f"{name}-{search.baseline}"
    compared = _rounds(other, folder / other, search, search.baseline, effort, space, default, upstream, data)
    return replace(found, jobs=(*found.jobs, *compared.jobs), baseline=compared.selection)


def _rounds(
    name: str,
    folder: Path,
    search: Search,
    algorithm: Algorithm,
    effort: Effort,
    space: Space,
    default: tasks.TeacherTask | tasks.StudentTask,
    upstream: list[Job],
    data: Data,
) -> SearchJobs:
    """A proposal has every trial of the earlier rounds upstream; a trial knows its point from the proposal.

    Each round proposes `at_once` points, also the last, of which fewer may be tried: with more trials
    asked for, it goes on with the very same points.
    """
    jobs, trials = [], []
    for round_ in range(1, -(-effort.trials // effort.at_once) + 1):
        place, named = folder / f"r{round_:02d}", f"{name}-r{round_:02d}"
        ask = tasks.ProposalTask(
            algorithm=algorithm,
            stopping=search.stopping,
            space=space,
            default=default,
            round=round_,
            points=effort.at_once,
            classes=data.classes,
            image_size=data.image_size,
        )
        proposal = job_in(place, "proposal", named, ask, PROPOSAL_FILES, trials)
        new = [
            job_in(
                place / f"t{index:02d}",
                "trial",
                f"{named}-t{index:02d}",
                tasks.TrialTask(index=index, number=len(trials) + index, default=default),
                MODEL_FILES,
                [*upstream, proposal],
            )
            for index in range(1, min(effort.at_once, effort.trials - len(trials)) + 1)
        ]
        jobs += [proposal, *new]
        trials += new
    choose = tasks.SelectionTask(
        averaged=search.averaged, algorithm=algorithm, space=space, default=default, classes=data.classes
    )
    proposals = [job for job in jobs if job.step == "proposal"]
    selection = job_in(folder, "selection", name, choose, SELECTION_FILES, [*proposals, *trials])
    return SearchJobs(name, (*jobs, selection), tuple(trials), selection)
