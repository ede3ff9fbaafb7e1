"""The plan of a study on some hardware: every step's jobs, work, time, memory and storage."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mimic.core.cohorts import Cohorts
from mimic.core.jobs import Job
from mimic.core.study import Study
from mimic.core.types import Patience
from mimic.plan.hardware import Hardware, checkpoint_bytes
from mimic.plan.schedule import Dag, Node, longest_chain, wall_time
from mimic.plan.work import (
    JOB_FILES,
    PROCESS_FILES,
    WORK,
    Assumptions,
    Images,
    Work,
    model_task,
    trains,
    work_of,
)


@dataclass(frozen=True)
class StepPlan:
    """What all jobs of one step come to. Seconds are of processes, memory of the largest one."""

    step: str
    jobs: int
    processes: int  # fewer than jobs, where cohorts share one
    on_gpu: bool
    is_counted: bool  # its seconds are of the hardware that the plan counts: GPUs, where there are some
    flops: float
    seconds: float  # of all processes and their threads
    longest: float  # seconds of the longest process
    chain: float  # seconds of this step's processes that must follow one another
    chain_processes: int
    memory: float  # bytes
    gpu_memory: float  # bytes
    storage: float  # bytes of results
    files: int  # results


@dataclass(frozen=True)
class Plan:
    """What a study comes to."""

    study: str
    hardware: Hardware
    patience_share: float  # of max_epochs: how long trainings with the patience schedule are taken to be
    patient_trainings: int  # how many have that schedule
    steps: tuple[StepPlan, ...]
    chain: tuple[tuple[str, str, float], ...]  # the longest: step, job, seconds
    wall: dict[int, float]  # seconds by number of jobs side by side
    checkpoints: dict[int, float]  # bytes of checkpoints by number of jobs side by side
    other_files: int  # of the workflow: specs, locks, logs, …
    at_most: float  # `seconds` if every training lasted max_epochs

    @property
    def seconds(self) -> float:
        """Of all processes and their threads; where there are GPUs, of those that use them."""
        return sum(step.seconds for step in self.steps if step.is_counted)

    @property
    def chain_seconds(self) -> float:
        return sum(seconds for _, _, seconds in self.chain)


@dataclass(frozen=True)
class _Process:
    """Jobs that share a process: a cohort, or one job."""

    jobs: tuple[Job, ...]
    works: tuple[Work, ...]
    seconds: float

    @property
    def busy(self) -> float:
        """Seconds of all its threads."""
        return self.seconds * max(work.threads for work in self.works)

    @property
    def step(self) -> str:
        return self.jobs[0].step

    @property
    def id(self) -> str:
        return self.jobs[0].id


def make_plan(
    study: Study, images: Images, hardware: Hardware, assumptions: Assumptions, jobs: Iterable[int]
) -> Plan:
    """The plan of `study` on `hardware`, with each of the given numbers of jobs side by side."""
    processes = _processes(study, images, hardware, assumptions)
    dag = _dag(processes)
    chain = longest_chain(dag)
    by_id = {process.id: process for process in processes}
    heaviest = sorted((_checkpoints(process) for process in processes), reverse=True)
    patient = sum(trains(job) and isinstance(model_task(job).schedule, Patience) for job in study.jobs())
    steps = tuple(_step_plan(step, processes, dag, study, hardware) for step in WORK if study.jobs(step))
    counted = {step.step for step in steps if step.is_counted}
    to_the_end = _processes(study, images, hardware, replace(assumptions, patience_share=1.0))
    return Plan(
        study=study.name,
        hardware=hardware,
        patience_share=assumptions.patience_share,
        patient_trainings=patient,
        steps=steps,
        chain=tuple((by_id[id_].step, by_id[id_].jobs[0].name, by_id[id_].seconds) for id_ in chain),
        wall={number: wall_time(dag, number) for number in jobs},
        checkpoints={number: sum(heaviest[:number]) for number in jobs},
        other_files=JOB_FILES * len(study.jobs()) + PROCESS_FILES * len(processes),
        at_most=sum(process.busy for process in to_the_end if process.step in counted),
    )


def _processes(study: Study, images: Images, hardware: Hardware, assumptions: Assumptions) -> list[_Process]:
    """Every process of a study, upstream before downstream."""
    cohorts, precision, processes = Cohorts(study), study.parameters.precision, []
    for job in study.jobs():
        cohort = cohorts.of(job)
        members = cohort.members if cohort else (job,)
        if job is members[0]:
            works = tuple(work_of(member, images, assumptions) for member in members)
            processes.append(_Process(members, works, hardware.seconds(works, precision)))
    return processes


def _dag(processes: list[_Process]) -> Dag:
    """Processes by the id of their first job; what their members wait for, they wait for."""
    process_of = {job.id: process.id for process in processes for job in process.jobs}
    dag = {}
    for process in processes:
        upstream = {process_of[up.id]: None for job in process.jobs for up in job.upstream}
        dag[process.id] = Node(process.seconds, tuple(upstream))
    return dag


def _step_plan(step: str, processes: list[_Process], dag: Dag, study: Study, hardware: Hardware) -> StepPlan:
    mine = [process for process in processes if process.step == step]
    works = [work for process in mine for work in process.works]
    memory = [hardware.memory(process.works, study.parameters.precision) for process in mine]
    alone = {
        id_: replace(node, seconds=node.seconds if _step(id_) == step else 0) for id_, node in dag.items()
    }
    chain = [id_ for id_ in longest_chain(alone) if _step(id_) == step]
    on_gpu = hardware.device == "gpu" and any(work.flops for work in works)
    return StepPlan(
        step=step,
        jobs=len(works),
        processes=len(mine),
        on_gpu=on_gpu,
        is_counted=on_gpu or hardware.device == "cpu",
        flops=sum(work.flops for work in works),
        seconds=sum(process.busy for process in mine),
        longest=max(process.seconds for process in mine),
        chain=sum(dag[id_].seconds for id_ in chain),
        chain_processes=len(chain),
        memory=max(host for host, _ in memory),
        gpu_memory=max(gpu for _, gpu in memory) if on_gpu else 0.0,
        storage=sum(work.stored for work in works),
        files=sum(work.files for work in works),
    )


def _step(id_: str) -> str:
    return id_.split("/", 1)[0]


def _checkpoints(process: _Process) -> float:
    return sum(checkpoint_bytes(work.training.net) for work in process.works if work.training)
