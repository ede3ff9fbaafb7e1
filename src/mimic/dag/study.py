"""A study as data: every job of the DAG with what it depends on. Nothing here reads or writes a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mimic.config.goals import student_goal, student_net, teacher_goal, teacher_net
from mimic.config.parameters import Parameters
from mimic.dag.jobs import Job
from mimic.dag.searches import Searching, SearchJobs, search_jobs
from mimic.dag.steps import ReportTask
from mimic.data.image_parameters import DataTask
from mimic.distill.distillation import EnsembleTask, LogitsTask
from mimic.evaluation.protocol import ComparisonTask, EvaluationTask
from mimic.search.spaces import StudentSpace
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.recipe import Student, StudentTask, Teacher, TeacherTask

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


class Study:
    """The DAG of one params.yaml. `content` is the digest of the user's images, if they are some."""

    def __init__(
        self, parameters: Parameters, content: str | None = None, root: Path = Path("results")
    ) -> None:
        self.parameters = parameters
        self.content = content
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

    def jobs(self, *steps: str) -> list[Job]:
        """Every job, or those of some steps, upstream before downstream."""
        return [job for job in self._by_id.values() if not steps or job.step in steps]

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        p = self.parameters
        data = self._single("data", DataTask(seed=p.seed, data=_unlabelled(p.data), content=self.content))
        teachers = [self._teacher(name, data) for name in p.teachers.members]
        teacher_search = self._teacher_search(data)
        candidates = [*teachers, *teacher_search.trials]
        ensemble = self._single("ensemble", EnsembleTask(ensemble=p.ensemble), [data, *candidates])
        epochs = range(0, p.transfer.epochs, p.transfer.epochs_per_shard)
        shards = [self._shard(f"{index:03d}", first, data, ensemble) for index, first in enumerate(epochs)]
        student_searches = self._student_searches(data, shards)
        found = {search.name: search.selection for search in student_searches}
        students = [
            self._student(variant, data, shards, found.get(variant.search)) for variant in student_variants(p)
        ]
        searches = [teacher_search, *student_searches]
        chosen = [search.selection for search in searches if search.selection]
        models = [ensemble, *teachers, *students, *chosen]
        reference = self._evaluation(ensemble, data)  # beside which all other models are measured
        evaluations = [reference, *(self._evaluation(model, data, reference) for model in models[1:])]
        comparison = self._single("comparison", ComparisonTask(), evaluations)
        compared = [search.baseline for search in searches if search.baseline]
        shown = [data, *shards, *models, *compared, *evaluations, comparison]
        # changes no result
        report = self._single("report", ReportTask(parameters=p.model_copy(update={"cohort": 1})), shown)
        jobs = [data, *teachers, *teacher_search.jobs, ensemble, *shards]
        jobs += [job for search in student_searches for job in search.jobs]
        return {job.id: job for job in [*jobs, *students, *evaluations, comparison, report]}

    def _single(self, step: str, task: Frozen, upstream: Iterable[Job] = ()) -> Job:
        return Job(step, step, self.folder / step, task, tuple(upstream))

    def _teacher(self, name: str, data: Job) -> Job:
        task = self._teacher_task(self.parameters.teachers.members[name])
        return Job("teacher", name, self.folder / "teachers" / name, task, (data,))

    def _teacher_task(self, teacher: Teacher) -> TeacherTask:
        p = self.parameters
        return TeacherTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation.model_copy(
                update={
                    "hsv": teacher.hsv or p.augmentation.hsv,
                    "window": teacher.window or p.augmentation.window,
                }
            ),
            batch_size=p.teachers.batch_size,
            schedule=p.teachers.schedule,
            loss=p.teachers.loss,
            teacher=teacher,
            net=teacher_net(p, teacher),
        )

    def _teacher_search(self, data: Job) -> SearchJobs:
        """The first of teachers.members is the default from which the search departs."""
        p, effort = self.parameters, self.parameters.search.teachers
        if effort is None:
            return SearchJobs("teachers")
        task = self._teacher_task(next(iter(p.teachers.members.values())))
        searching = Searching(p.search, effort, effort.space, task, teacher_goal(p), (data,))
        return search_jobs("teachers", self.folder / "teachers" / "searches", searching)

    def _shard(self, name: str, first: int, data: Job, ensemble: Job) -> Job:
        p = self.parameters
        task = LogitsTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation,
            dtype=p.transfer.dtype,
            first_epoch=first,
            epochs=min(p.transfer.epochs_per_shard, p.transfer.epochs - first),
        )
        return Job("logits", name, self.folder / "logits" / name, task, (data, ensemble))

    def _student_searches(self, data: Job, shards: list[Job]) -> list[SearchJobs]:
        p = self.parameters
        return [
            self._student_search(
                Variant(family, budget, arm, TRIAL_REPETITION, p.groups[arm].variants[family][budget]),
                space,
                data,
                shards,
            )
            for arm, effort in p.searches.items()
            if effort
            for family, spaces in effort.spaces.items()
            for budget, space in spaces.items()
        ]

    def _student_search(
        self, variant: Variant, space: StudentSpace, data: Job, shards: list[Job]
    ) -> SearchJobs:
        p = self.parameters
        searching = Searching(
            search=p.search,
            effort=p.searches[variant.arm],
            space=space,
            default=self._student_task(variant),
            goal=student_goal(p, variant.family, variant.budget),
            upstream=_trained_on(variant, data, shards),
        )
        return search_jobs(variant.search, self.folder / "students" / "searches", searching)

    def _student(self, variant: Variant, data: Job, shards: list[Job], selection: Job | None) -> Job:
        """A student; if there was a search, the selection holds its hyperparameters."""
        upstream = _trained_on(variant, data, shards) + ((selection,) if selection else ())
        folder = self.folder / "students" / variant.name
        return Job("student", variant.name, folder, self._student_task(variant), upstream)

    def _student_task(self, variant: Variant) -> StudentTask:
        p, group = self.parameters, self.parameters.groups[variant.arm]
        return StudentTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation,
            transfer_epochs=p.transfer.epochs,
            batch_size=group.batch_size,
            schedule=variant.student.schedule or group.schedule,
            loss=group.loss if variant.arm != "labels" else CrossEntropy(),
            family=variant.family,
            budget=variant.budget,
            arm=variant.arm,
            repetition=variant.repetition,
            student=variant.student.model_copy(update={"schedule": None}),
            net=student_net(p, variant.family, variant.budget, variant.student),
        )

    def _evaluation(self, model: Job, data: Job, *reference: Job) -> Job:
        """Of a teacher, the ensemble, a student, or the best trials of a search."""
        p, folder = self.parameters, self.folder / "evaluation" / model.name
        task = EvaluationTask(
            seed=p.seed, precision=p.precision, augmentation=p.augmentation, evaluation=p.evaluation
        )
        return Job("evaluation", model.name, folder, task, (data, model, *reference))


def _unlabelled(data):
    """The label names the data in the report alone, so it is in no key but the report's."""
    return data.model_copy(update={"label": "-"})


def _trained_on(variant: Variant, data: Job, shards: list[Job]) -> tuple[Job, ...]:
    return (data,) if variant.arm == "labels" else (data, *shards)
