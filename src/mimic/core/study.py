"""A study as data: every job of the DAG with what it depends on. Nothing here reads or writes a file."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mimic.core import tasks
from mimic.core.errors import MimicError
from mimic.core.jobs import (
    DATA_FILES,
    ENSEMBLE_FILES,
    EVALUATION_FILES,
    MODEL_FILES,
    REPORT_FILES,
    Job,
    job_in,
)
from mimic.core.parameters import CrossEntropy, Parameters, Student, Teacher
from mimic.core.searches import Plan, SearchJobs, search_jobs
from mimic.core.spaces import StudentSpace

TRIAL_REPETITION = 0  # trials start from a seed of their own, so that the winner's repetitions are fresh


@dataclass(frozen=True)
class Variant:
    """One student: a family at a budget, on one kind of target, from one seed."""

    family: str
    budget: str
    arm: str
    repetition: int
    student: Student

    @property
    def search(self) -> str:
        """What the search for its hyperparameters is called, if there is one."""
        return f"{self.family}-{self.budget}-{self.arm}"

    @property
    def name(self) -> str:
        return f"{self.search}-s{self.repetition}"


def student_variants(parameters: Parameters) -> list[Variant]:
    """Every student of a study, by arm, family and budget as params.yaml lists them, then by seed."""
    return [
        Variant(family, budget, arm, repetition, student)
        for arm, group in parameters.groups.items()
        for family, budgets in group.variants.items()
        for budget, student in budgets.items()
        for repetition in range(1, group.seeds + 1)
    ]


def shard_names(parameters: Parameters) -> list[str]:
    """The shards of the transfer set, in order of their epochs."""
    transfer = parameters.transfer
    return [f"{index:03d}" for index in range(-(-transfer.epochs // transfer.epochs_per_shard))]


class Study:
    """The DAG of one params.yaml."""

    def __init__(self, parameters: Parameters, root: Path = Path("results")) -> None:
        self.parameters = parameters
        self.name = parameters.study
        self.folder = Path(root) / parameters.study

    def job(self, step: str, name: str | None = None) -> Job:
        """The job of `step` called `name`; a step with a single job needs no name.

        Raises MimicError when there is none.
        """
        try:
            return self._by_id[f"{step}/{name or step}"]
        except KeyError:
            names = [job.name for job in self.jobs(step)]
            some = ", ".join(names[:5]) + (", …" if names[5:] else "") or "none"
            raise MimicError(f"{step} {name}: no such job in study {self.name}; it has {some}") from None

    def jobs(self, step: str | None = None) -> list[Job]:
        """Every job, or those of one step, upstream before downstream."""
        return [job for job in self._by_id.values() if step in (None, job.step)]

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        p = self.parameters
        data = self._single("data", self._data_task(), DATA_FILES, [])
        teachers = [self._teacher(name, data) for name in p.teachers.members]
        teacher_search = self._teacher_search(data)
        candidates = [*teachers, *teacher_search.trials]
        choice = tasks.EnsembleTask(ensemble=p.ensemble)
        ensemble = self._single("ensemble", choice, ENSEMBLE_FILES, [data, *candidates])
        shards = [self._shard(index, data, ensemble) for index in range(len(shard_names(p)))]
        student_searches = self._student_searches(data, shards)
        found = {search.name: search.selection for search in student_searches}
        students = [
            self._student(variant, data, shards, found.get(variant.search)) for variant in student_variants(p)
        ]
        searches = [teacher_search, *student_searches]
        chosen = [search.selection for search in searches if search.selection]
        models = [*teachers, ensemble, *students, *chosen]
        measure = tasks.EvaluationTask(seed=p.seed, precision=p.precision, evaluation=p.evaluation)
        evaluation = self._single("evaluation", measure, EVALUATION_FILES, [data, *models])
        compared = [search.baseline for search in searches if search.baseline]
        report = self._report([data, *shards, *models, *compared, evaluation])  # shards: for what they cost
        jobs = [data, *teachers, *teacher_search.jobs, ensemble, *shards]
        jobs += [job for search in student_searches for job in search.jobs]
        return {job.id: job for job in [*jobs, *students, evaluation, report]}

    def _single(self, step: str, task: tasks.Task, files: tuple[str, ...], upstream: list[Job]) -> Job:
        return job_in(self.folder / step, step, step, task, files, upstream)

    def _data_task(self) -> tasks.DataTask:
        """The label names the data in the report alone, so it is in no key but the report's."""
        return tasks.DataTask(
            seed=self.parameters.seed, data=self.parameters.data.model_copy(update={"label": "-"})
        )

    def _teacher(self, name: str, data: Job) -> Job:
        task = self._teacher_task(self.parameters.teachers.members[name])
        return job_in(self.folder / "teachers" / name, "teacher", name, task, MODEL_FILES, [data])

    def _teacher_task(self, teacher: Teacher) -> tasks.TeacherTask:
        p = self.parameters
        return tasks.TeacherTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation.model_copy(update={"hsv": teacher.hsv or p.augmentation.hsv}),
            batch_size=p.teachers.batch_size,
            batch_normalisation=p.teachers.batch_normalisation,
            schedule=p.teachers.schedule,
            teacher=teacher,
        )

    def _teacher_search(self, data: Job) -> SearchJobs:
        """The first of teachers.members is the default from which the search departs."""
        p, effort = self.parameters, self.parameters.search.teachers
        if effort is None:
            return SearchJobs("teachers")
        task = self._teacher_task(next(iter(p.teachers.members.values())))
        folder = self.folder / "teachers" / "searches"
        return search_jobs("teachers", folder, Plan(p.search, effort, effort.space, task, (data,), p.data))

    def _shard(self, index: int, data: Job, ensemble: Job) -> Job:
        p, per_shard = self.parameters, self.parameters.transfer.epochs_per_shard
        task = tasks.LogitsTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation,
            dtype=p.transfer.dtype,
            first_epoch=index * per_shard,
            epochs=min(per_shard, p.transfer.epochs - index * per_shard),
        )
        name, files = f"{index:03d}", ("logits.safetensors",)
        return job_in(self.folder / "logits" / name, "logits", name, task, files, [data, ensemble])

    def _student_searches(self, data: Job, shards: list[Job]) -> list[SearchJobs]:
        p = self.parameters
        searched = [
            (Variant(family, budget, arm, TRIAL_REPETITION, p.groups[arm].variants[family][budget]), space)
            for arm, effort in p.searches.items()
            if effort
            for family, spaces in effort.spaces.items()
            for budget, space in spaces.items()
        ]
        return [self._student_search(variant, space, data, shards) for variant, space in searched]

    def _student_search(
        self, variant: Variant, space: StudentSpace, data: Job, shards: list[Job]
    ) -> SearchJobs:
        p, folder = self.parameters, self.folder / "students" / "searches"
        task, upstream = self._student_task(variant), tuple(self._trained_on(variant, data, shards))
        effort = p.searches[variant.arm]
        return search_jobs(variant.search, folder, Plan(p.search, effort, space, task, upstream, p.data))

    def _student(self, variant: Variant, data: Job, shards: list[Job], selection: Job | None) -> Job:
        """A student; if there was a search, the selection holds its hyperparameters."""
        upstream = self._trained_on(variant, data, shards) + ([selection] if selection else [])
        folder = self.folder / "students" / variant.name
        return job_in(folder, "student", variant.name, self._student_task(variant), MODEL_FILES, upstream)

    @staticmethod
    def _trained_on(variant: Variant, data: Job, shards: list[Job]) -> list[Job]:
        return [data] if variant.arm == "labels" else [data, *shards]

    def _student_task(self, variant: Variant) -> tasks.StudentTask:
        p, group = self.parameters, self.parameters.groups[variant.arm]
        return tasks.StudentTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation,
            transfer_epochs=p.transfer.epochs,
            batch_size=group.batch_size,
            schedule=group.schedule,
            loss=group.loss if variant.arm != "labels" else CrossEntropy(),
            family=variant.family,
            budget=variant.budget,
            arm=variant.arm,
            repetition=variant.repetition,
            student=variant.student,
        )

    def _report(self, upstream: list[Job]) -> Job:
        folder = self.folder / "report"
        outputs = {file: folder / file for file in REPORT_FILES} | {"front_page.html": Path("report.html")}
        parameters = self.parameters.model_copy(update={"cohort": 1})  # changes no result
        task = tasks.ReportTask(parameters=parameters)
        return Job("report", "report", folder, task, outputs, tuple(upstream))
