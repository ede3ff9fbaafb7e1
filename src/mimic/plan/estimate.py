"""The plan of a study on some hardware: every step's processes, work, time, memory and storage."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mimic.dag.jobs import Job
from mimic.dag.steps import STEPS
from mimic.dag.study import Study
from mimic.plan.hardware import Hardware
from mimic.plan.processes import dag_of, processes_of
from mimic.plan.schedule import Dag, longest_chain, wall_time
from mimic.plan.work import Counts, model_task
from mimic.training.recipe import Precision

BENCHMARKS = ".mimic/{study}/benchmarks"  # as in the Snakefile
STEP = {  # what the processes of a step come to
    "jobs": ("jobs", "sum"),
    "processes": ("jobs", "size"),  # fewer than jobs, where cohorts share one
    "on_gpu": ("on_gpu", "any"),
    "flops": ("flops", "sum"),
    "seconds": ("seconds", "sum"),
    "counted_seconds": ("counted_seconds", "sum"),  # of GPUs, where there are some
    "longest": ("seconds", "max"),
    "memory": ("memory", "max"),  # bytes
    "gpu_memory": ("gpu_memory", "max"),
    "storage": ("storage", "sum"),  # bytes of results
    "files": ("files", "sum"),
}


@dataclass(frozen=True)
class Plan:
    """What a study comes to."""

    study: str
    hardware: Hardware
    patience_share: float  # of max_epochs: how long trainings with the patience schedule are taken to be
    patient_trainings: int  # how many have that schedule
    steps: pd.DataFrame  # a row a step, of STEP and its longest chain: `chain` seconds, `chain_processes`
    total: pd.DataFrame  # the same in one row, of all steps
    longest_chain: pd.DataFrame  # step, name and seconds of its processes
    wall_seconds: dict[int, float]  # by number of jobs side by side
    checkpoint_bytes: dict[int, float]  # by number of jobs side by side
    seconds_at_most: float  # counted, if every training lasted max_epochs
    spent: pd.DataFrame  # what has run so far, by step


def make_plan(study: Study, counts: Counts, hardware: Hardware, jobs: Iterable[int]) -> Plan:
    """The plan of `study` on `hardware`, with each of the given numbers of jobs side by side."""
    members, precision = processes_of(study), study.parameters.precision
    rows = {id_: _process(jobs, counts, hardware, precision) for id_, jobs in members.items()}
    processes = pd.DataFrame.from_dict(rows, orient="index").infer_objects()
    dag, seconds = dag_of(members), processes["seconds"].to_dict()
    whole = processes.loc[longest_chain(dag, seconds)]
    heaviest = processes["checkpoint"].sort_values(ascending=False)
    schedules = [task.schedule for job in study.jobs() if (task := model_task(job))]
    return Plan(
        study=study.name,
        hardware=hardware,
        patience_share=counts.patience_share,
        patient_trainings=sum(schedule.planned_epochs is None for schedule in schedules),
        steps=_steps(processes, dag),
        total=processes.assign(step="all").groupby("step").agg(**STEP).assign(**_chain(whole)),
        longest_chain=whole[["step", "name", "seconds"]],
        wall_seconds={number: wall_time(dag, seconds, number) for number in jobs},
        checkpoint_bytes={number: float(heaviest.head(number).sum()) for number in jobs},
        seconds_at_most=float(processes["at_most"].sum()),
        spent=spent(study.name),
    )


def _process(jobs: tuple[Job, ...], counts: Counts, hardware: Hardware, precision: Precision) -> dict:
    """What jobs come to that share a process, or one alone."""
    works = [counts.work(job) for job in jobs]
    longest = [replace(counts, patience_share=1.0).work(job) for job in jobs]
    flops, seconds = sum(work.flops for work in works), hardware.seconds(works, precision)
    host, gpu = hardware.memory(works, precision)
    on_gpu = hardware.device == "gpu" and flops > 0
    is_counted = on_gpu or hardware.device == "cpu"
    return {
        "step": jobs[0].step,
        "name": jobs[0].name,
        "jobs": len(jobs),
        "on_gpu": on_gpu,
        "flops": flops,
        "seconds": seconds,
        "counted_seconds": seconds * is_counted,
        "at_most": hardware.seconds(longest, precision) * is_counted,
        "memory": host,
        "gpu_memory": gpu * on_gpu,
        "storage": sum(work.stored for work in works),
        "files": sum(work.files for work in works),
        "checkpoint": sum(work.trained.checkpoint for work in works if work.trained),
    }


def _steps(processes: pd.DataFrame, dag: Dag) -> pd.DataFrame:
    """Processes by step, and of each step the chain of those that must follow one another."""
    chains = {}
    for step, mine in processes.groupby("step"):
        alone = mine["seconds"].reindex(processes.index, fill_value=0.0).to_dict()
        chains[step] = _chain(mine.loc[[id_ for id_ in longest_chain(dag, alone) if id_ in mine.index]])
    steps = processes.groupby("step").agg(**STEP).join(pd.DataFrame.from_dict(chains, orient="index"))
    return steps.loc[[step for step in STEPS if step in chains]].rename_axis("step")


def _chain(processes: pd.DataFrame) -> dict:
    return {"chain": processes["seconds"].sum(), "chain_processes": len(processes)}


def spent(study: str) -> pd.DataFrame:
    """What has run by Snakemake's benchmarks: runs, seconds, bytes of memory of the largest run, by step."""
    folder = Path(BENCHMARKS.format(study=study))
    files = {path: path.relative_to(folder).with_suffix("").parts[0] for path in folder.rglob("*.tsv")}
    rows = [pd.read_csv(path, sep="\t", na_values="-").assign(step=step) for path, step in files.items()]
    if not rows:
        return pd.DataFrame(columns=["runs", "seconds", "memory"])
    steps = pd.concat(rows).groupby("step")
    return pd.DataFrame(
        {"runs": steps.size(), "seconds": steps["s"].sum(), "memory": steps["max_rss"].max() * 2**20}
    )
