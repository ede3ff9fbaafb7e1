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


@dataclass(frozen=True)
class Plan:
    """What a search and its baseline have in common."""

    search: Search
    effort: Effort
    space: Space
    default: tasks.TeacherTask | tasks.StudentTask  # a trial's task but for the hyperparameters searched
    upstream: tuple[Job, ...]  # what a trial is trained on
    data: Data


def search_jobs(name: str, folder: Path, plan: Plan) -> SearchJobs:
    """The jobs of one search and of its baseline, in folders below `folder`."""
    search = plan.search
    found = _rounds(name, folder / name, search.algorithm, plan)
    if search.baseline is None:
        return found
    other = f"{name}-{search.baseline}"
    compared = _rounds(other, folder / other, search.baseline, plan)
    return replace(found, jobs=(*found.jobs, *compared.jobs), baseline=compared.selection)


def _rounds(name: str, folder: Path, algorithm: Algorithm, plan: Plan) -> SearchJobs:
    """A proposal has every trial of the earlier rounds upstream; a trial knows its point from the proposal.

    Each round proposes `at_once` points, also the last, of which fewer may be tried: with more trials
    asked for, it goes on with the very same points.
    """
    effort, default = plan.effort, plan.default
    if effort.schedule:
        default = default.model_copy(update={"schedule": effort.schedule})
    jobs, trials = [], []
    for round_ in range(1, -(-effort.trials // effort.at_once) + 1):
        place, named = folder / f"r{round_:02d}", f"{name}-r{round_:02d}"
        ask = tasks.ProposalTask(
            algorithm=algorithm,
            stopping=plan.search.stopping,
            space=plan.space,
            default=default,
            round=round_,
            points=effort.at_once,
            classes=plan.data.classes,
            image_size=plan.data.image_size,
        )
        proposal = job_in(place, "proposal", named, ask, PROPOSAL_FILES, trials)
        new = [
            job_in(
                place / f"t{index:02d}",
                "trial",
                f"{named}-t{index:02d}",
                tasks.TrialTask(index=index, number=len(trials) + index, default=default),
                MODEL_FILES,
                [*plan.upstream, proposal],
            )
            for index in range(1, min(effort.at_once, effort.trials - len(trials)) + 1)
        ]
        jobs += [proposal, *new]
        trials += new
    choose = tasks.SelectionTask(
        averaged=plan.search.averaged,
        algorithm=algorithm,
        space=plan.space,
        default=default,
        classes=plan.data.classes,
    )
    proposals = [job for job in jobs if job.step == "proposal"]
    selection = job_in(folder, "selection", name, choose, SELECTION_FILES, [*proposals, *trials])
    return SearchJobs(name, (*jobs, selection), tuple(trials), selection)
