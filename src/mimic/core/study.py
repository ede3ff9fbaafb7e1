"""A study as data: every job of the DAG with what it depends on. Nothing here reads or writes a file."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mimic.core import tasks
from mimic.core.parameters import Parameters, Student

SIDECAR = "job.json"
MODEL_FILES = ("model.safetensors", "validation.safetensors", "history.jsonl", "record.json")
DATA_FILES = ("train.safetensors", "validation.safetensors", "test.safetensors", "data.json")
ENSEMBLE_FILES = ("members.safetensors", "ensemble.json")
EVALUATION_FILES = ("predictions.safetensors", "models.csv")
REPORT_FILES = (
    "report.html",
    "summary.json",
    "claims.json",
    "table1.csv",
    "table2.csv",
    "figure1.csv",
    "curves.csv",
)
TEST_FILE = "test.safetensors"  # seen by the evaluation alone
ARMS = ("logits", "labels", "regularised")


@dataclass(frozen=True)
class Job:
    """One job: a step, what it is applied to, and the files that it publishes."""

    step: str
    name: str
    folder: Path  # where its sidecar lies, and its files unless `outputs` says otherwise
    task: tasks.Task = field(repr=False)
    outputs: dict[str, Path] = field(repr=False)  # what the step calls a file: where it is published
    upstream: tuple["Job", ...] = field(default=(), repr=False)

    @property
    def id(self) -> str:
        return f"{self.step}/{self.name}"

    @property
    def sidecar(self) -> Path:
        return self.folder / SIDECAR

    @property
    def files(self) -> list[Path]:
        """Every file that the job publishes, its sidecar last."""
        return [*self.outputs.values(), self.sidecar]

    def inputs(self, upstream: "Job") -> dict[str, Path]:
        """The files of an upstream job that this one may open: the test images only to evaluate."""
        hidden = () if self.step == "evaluation" else (TEST_FILE,)
        return {name: path for name, path in upstream.outputs.items() if name not in hidden}

    @cached_property
    def depth(self) -> int:
        """Jobs on the longest chain that ends here."""
        return 1 + max((job.depth for job in self.upstream), default=0)


@dataclass(frozen=True)
class Variant:
    """One student: a family at a budget, on one kind of target, from one seed."""

    family: str
    budget: str
    arm: str
    repetition: int
    student: Student

    @property
    def name(self) -> str:
        return f"{self.family}-{self.budget}-{self.arm}-s{self.repetition}"


def student_variants(parameters: Parameters) -> list[Variant]:
    """Every student of a study, by arm, family and budget as params.yaml lists them, then by seed."""
    groups = zip(
        ARMS, (parameters.students, parameters.hard_label_twins, parameters.regularised_twins), strict=True
    )
    return [
        Variant(family, budget, arm, repetition, student)
        for arm, group in groups
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
        """The job of `step` called `name`; a step with a single job needs no name."""
        return self._by_id[f"{step}/{name or step}"]

    def jobs(self, step: str | None = None) -> list[Job]:
        """Every job, or those of one step, upstream before downstream."""
        return [job for job in self._by_id.values() if step in (None, job.step)]

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        p = self.parameters
        data = self._single("data", self._data_task(), DATA_FILES, [])
        teachers = [self._teacher(name, data) for name in p.teachers.members]
        choice = tasks.EnsembleTask(ensemble=p.ensemble)
        ensemble = self._single("ensemble", choice, ENSEMBLE_FILES, [data, *teachers])
        shards = [self._shard(index, data, ensemble) for index in range(len(shard_names(p)))]
        students = [self._student(variant, data, shards) for variant in student_variants(p)]
        models = [*teachers, ensemble, *students]
        measure = tasks.EvaluationTask(seed=p.seed, precision=p.precision, evaluation=p.evaluation)
        evaluation = self._single("evaluation", measure, EVALUATION_FILES, [data, *models])
        report = self._report([data, *shards, *models, evaluation])  # shards: for what they cost
        jobs = [data, *teachers, ensemble, *shards, *students, evaluation, report]
        return {job.id: job for job in jobs}

    def _single(self, step: str, task: tasks.Task, files: tuple[str, ...], upstream: list[Job]) -> Job:
        return self._one(step, step, self.folder / step, task, files, upstream)

    def _one(
        self,
        step: str,
        name: str,
        folder: Path,
        task: tasks.Task,
        files: tuple[str, ...],
        upstream: list[Job],
    ) -> Job:
        return Job(step, name, folder, task, {file: folder / file for file in files}, tuple(upstream))

    def _data_task(self) -> tasks.DataTask:
        """The label names the data in the report alone, so it is in no key but the report's."""
        return tasks.DataTask(
            seed=self.parameters.seed, data=self.parameters.data.model_copy(update={"label": "-"})
        )

    def _teacher(self, name: str, data: Job) -> Job:
        p, member = self.parameters, self.parameters.teachers.members[name]
        task = tasks.TeacherTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation.model_copy(update={"hsv": member.hsv or p.augmentation.hsv}),
            batch_size=p.teachers.batch_size,
            batch_normalisation=p.teachers.batch_normalisation,
            schedule=p.teachers.schedule,
            teacher=member,
        )
        return self._one("teacher", name, self.folder / "teachers" / name, task, MODEL_FILES, [data])

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
        name = f"{index:03d}"
        return self._one(
            "logits", name, self.folder / "logits" / name, task, ("logits.safetensors",), [data, ensemble]
        )

    def _student(self, variant: Variant, data: Job, shards: list[Job]) -> Job:
        p = self.parameters
        group = {"logits": p.students, "labels": p.hard_label_twins, "regularised": p.regularised_twins}[
            variant.arm
        ]
        task = tasks.StudentTask(
            seed=p.seed,
            precision=p.precision,
            augmentation=p.augmentation,
            transfer_epochs=p.transfer.epochs,
            batch_size=group.batch_size,
            schedule=group.schedule,
            loss=group.loss if variant.arm != "labels" else tasks.CrossEntropy(),
            family=variant.family,
            budget=variant.budget,
            arm=variant.arm,
            repetition=variant.repetition,
            student=variant.student,
        )
        upstream = [data] if variant.arm == "labels" else [data, *shards]
        folder = self.folder / "students" / variant.name
        return self._one("student", variant.name, folder, task, MODEL_FILES, upstream)

    def _report(self, upstream: list[Job]) -> Job:
        folder = self.folder / "report"
        outputs = {file: folder / file for file in REPORT_FILES} | {"front_page.html": Path("report.html")}
        task = tasks.ReportTask(parameters=self.parameters)
        return Job("report", "report", folder, task, outputs, tuple(upstream))
