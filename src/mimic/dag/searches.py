"""A search as jobs: rounds of proposals and trials, and the selection among all trials."""

from dataclasses import dataclass, replace
from pathlib import Path

from mimic.config.parameters import Effort, Search
from mimic.dag.jobs import Job
from mimic.search.samplers import Sampler
from mimic.search.spaces import Goal, ProposalTask, SelectionTask, Space, TrialTask
from mimic.training.recipe import ModelTask


@dataclass(frozen=True)
class SearchJobs:
    """One search; without a selection there is none."""

    name: str
    jobs: tuple[Job, ...] = ()  # of the baseline as well, upstream before downstream
    trials: tuple[Job, ...] = ()
    selection: Job | None = None
    baseline: Job | None = None  # the selection among as many trials of another algorithm


@dataclass(frozen=True)
class Searching:
    """What a search and its baseline have in common."""

    search: Search
    effort: Effort
    space: Space
    default: ModelTask  # a trial's task but for the hyperparameters searched
    goal: Goal
    upstream: tuple[Job, ...]  # what a trial is trained on


def search_jobs(name: str, folder: Path, searching: Searching) -> SearchJobs:
    """The jobs of one search and of its baseline, in folders below `folder`."""
    search = searching.search
    found = _rounds(name, folder / name, search.algorithm, searching)
    if search.baseline is None:
        return found
    other = f"{name}-{search.baseline.kind}"
    compared = _rounds(other, folder / other, search.baseline, searching)
    return replace(found, jobs=(*found.jobs, *compared.jobs), baseline=compared.selection)


def _rounds(name: str, folder: Path, algorithm: Sampler, searching: Searching) -> SearchJobs:
    """A proposal has every trial of the earlier rounds upstream; a trial knows its point from the proposal.

    Each round proposes `at_once` points, also the last, of which fewer may be tried: with more trials
    asked for, it goes on with the very same points.
    """
    effort, default = searching.effort, searching.default
    if effort.schedule:
        default = default.model_copy(update={"schedule": effort.schedule})
    common = {"algorithm": algorithm, "space": searching.space, "default": default, "goal": searching.goal}
    proposals: list[Job] = []
    trials: list[Job] = []
    jobs: list[Job] = []
    for first in range(0, effort.trials, effort.at_once):
        number = len(proposals) + 1
        place, named = folder / f"r{number:02d}", f"{name}-r{number:02d}"
        ask = ProposalTask(**common, stopping=searching.search.stopping, round=number, points=effort.at_once)
        proposal = Job("proposal", named, place, ask, tuple(trials))
        new = [
            Job(
                "trial",
                f"{named}-t{index:02d}",
                place / f"t{index:02d}",
                TrialTask(index=index, number=first + index, default=default),
                (*searching.upstream, proposal),
            )
            for index in range(1, min(effort.at_once, effort.trials - first) + 1)
        ]
        proposals.append(proposal)
        trials += new
        jobs += [proposal, *new]
    choose = SelectionTask(**common, averaged=searching.search.averaged)
    selection = Job("selection", name, folder, choose, (*proposals, *trials))
    return SearchJobs(name, (*jobs, selection), tuple(trials), selection)
