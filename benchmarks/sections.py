"""What is measured within one process: trainings, augmentation, labelling and evaluation."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks import reference
from benchmarks.clocks import Seconds, matrix_product_flops, ratios, timed
from benchmarks.subjects import SIZE, Images, Subject, flops
from benchmarks.tables import Table
from benchmarks.training import epoch, epoch_flops, images_for, train, warm_up
from mimic.data.augment import Augmenter, standardise
from mimic.distill.distillation import Ensemble, EnsembleTask, LogitsTask
from mimic.distill.label import label_shard
from mimic.distill.members import choose_members
from mimic.evaluation.measure import evaluate
from mimic.evaluation.protocol import Evaluation, EvaluationTask
from mimic.support.context import Context

MEMBERS = 3  # of the ensemble
COHORT = ("mlp1", "mlp2", "mlp3", "mlp4")  # of as many as the default of the presets


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    repetitions: int
    operations: float  # floating-point operations of an epoch, about
    least: int  # images of an epoch
    images: int  # of the packed set; an epoch has as many at most


FULL = Effort(repetitions=5, operations=2.5e11, least=1024, images=8192)
QUICK = Effort(repetitions=2, operations=2e10, least=256, images=512)


def suitable(members: Sequence[Subject], effort: Effort) -> int:
    """Images of an epoch that takes about the effort's operations: whole batches."""
    wanted = effort.operations / epoch_flops(members, 1000) * 1000
    return images_for(min(max(wanted, effort.least), effort.images), members[0].task.batch_size)


class Shares:
    """Operations of some work a second, over those of a matrix product just before it."""

    def __init__(self) -> None:
        self.taken: list[Seconds] = []
        self._peaks: list[Seconds] = []

    def measure(self, work: Callable[[], object]) -> None:
        """One repetition more."""
        self._peaks.append(matrix_product_flops())
        self.taken.append(timed(work))

    def of(self, operations: int, clock: str) -> list[float]:
        """By `clock`: wall or processor."""
        return [
            operations / getattr(taken, clock) / getattr(peak, clock)
            for taken, peak in zip(self.taken, self._peaks, strict=True)
        ]

    def rates(self, number: int) -> list[float]:
        """Of `number` things, in a processor second."""
        return [number / taken.processor for taken in self.taken]


def training(chosen: Sequence[Subject], images: Images, effort: Effort) -> Table:
    """Whole epochs, each beside the same epoch in the field's way."""
    table = Table(
        "Training",
        "Whole epochs: reading, augmentation, training, validation, checkpoint. One thread; the field's way "
        f"has {reference.WORKERS} more processes for its images, which its processor time includes.",
        {
            "images": "count",
            "MFLOP an image": "rate",
            "images a processor second": "rate",
            "share of peak": "share",
            "share, by the wall": "share",
            "times the field's way": "ratio",
            "times, by the wall": "ratio",
        },
    )
    groups = {subject.description: [subject] for subject in chosen}
    cohort = [subject for subject in chosen if subject.name in COHORT]
    if len(cohort) == len(COHORT):
        groups[f"{COHORT[0]} to {COHORT[-1]}, 1M, a cohort"] = cohort
    for name, members in groups.items():
        count = suitable(members, effort)
        warm_up(members, images)
        ours, theirs = _in_turns(members, images.part(count), effort.repetitions)
        operations, trained = epoch_flops(members, count), len(members) * count
        paired = ours.taken[: len(theirs)]  # none of a cohort
        table.add(
            name,
            count,
            operations / trained / 1e6,
            ours.rates(trained),
            ours.of(operations, "processor"),
            ours.of(operations, "wall"),
            ratios([t.processor for t in theirs], [t.processor for t in paired]),
            ratios([t.wall for t in theirs], [t.wall for t in paired]),
        )
    return table


def _in_turns(members: Sequence[Subject], data: Path, repetitions: int) -> tuple[Shares, list[Seconds]]:
    """Epochs of ours, and of the field's way, which knows no cohorts."""
    ours, theirs = Shares(), []
    field = reference.Training(members[0].task, data) if len(members) == 1 else None
    if field:
        field.warm_up()
    for _ in range(repetitions):
        ours.measure(lambda: epoch(members, data))
        if field:
            theirs.append(timed(field.epoch))
    return ours, theirs


def augmentation(subject: Subject, images: Images, effort: Effort) -> Table:
    """The paper's augmentation and standardisation, against libraries of the field image by image."""
    table = Table(
        "Augmentation",
        "The paper's augmentation and standardisation, one thread. Theirs goes image by image: "
        "scipy.ndimage.zoom and numpy give our results, torchvision's transforms on Pillow images the like.",
        {
            "images a processor second": "rate",
            "theirs": "rate",
            "times theirs": "ratio",
            "times, by the wall": "ratio",
        },
    )
    asked = subject.task.augmentation
    augmenter, batch = Augmenter(asked, SIZE), subject.task.batch_size
    split = images.split("train")
    images_NCHW = torch.from_numpy(split.images_NCHW)
    draws_ND = augmenter.draws(len(images_NCHW), 0, "benchmark", 0)
    pillow = reference.Images(split, reference.augmenting(asked, SIZE))
    few = range(min(512, len(pillow)))

    def batched() -> None:
        for pair in zip(images_NCHW.split(batch), draws_ND.split(batch), strict=True):
            standardise(augmenter(*pair))

    def scipy() -> None:
        for i in few:
            reference.standardised(reference.augmented(split.images_NCHW[i], draws_ND[i].numpy(), asked))

    def torchvision() -> None:
        for i in few:
            pillow[i]

    batched()
    for name, theirs in {"scipy and numpy": scipy, "torchvision on Pillow": torchvision}.items():
        pairs = [(timed(batched), timed(theirs)) for _ in range(effort.repetitions)]
        rates = {
            clock: (
                [len(images_NCHW) / getattr(ours, clock) for ours, _ in pairs],
                [len(few) / getattr(theirs, clock) for _, theirs in pairs],
            )
            for clock in ("processor", "wall")
        }
        table.add(name, *rates["processor"], ratios(*rates["processor"]), ratios(*rates["wall"]))
    return table


def labelling(teacher: Subject, images: Images, effort: Effort) -> Table:
    """An ensemble of three labels an epoch of the transfer set."""
    table = _prediction("Labelling", "An ensemble of three laptop teachers labels augmented images.")
    with tempfile.TemporaryDirectory() as folder:
        ensemble = _ensemble(teacher, images, Path(folder))
        multiply_adds = MEMBERS * teacher.multiply_adds
        count = suitable([teacher], effort)
        data, task = images.part(count), teacher.task
        asked = LogitsTask(
            seed=1,
            precision=task.precision,
            augmentation=task.augmentation,
            dtype="float16",
            first_epoch=0,
            epochs=1,
        )
        context = _context(asked, Path(folder) / "labels", {"data/data": data, "ensemble/ensemble": ensemble})
        _add(table, teacher.description, lambda: label_shard(context), count, 1, multiply_adds, effort)
    return table


def evaluation(chosen: Sequence[Subject], images: Images, effort: Effort) -> Table:
    """Each model on the test images, as they are, moved and augmented."""
    views = 2 + len(Evaluation().translations)
    note = f"Test images as they are, in float32, moved by {views - 2} distances and augmented, in bf16."
    table = _prediction("Evaluation", note)
    count = len(images.split("test").labels_N)
    with tempfile.TemporaryDirectory() as folder:
        for subject, model in zip(chosen, _models(chosen, images, Path(folder) / "models"), strict=True):
            asked = subject.task
            task = EvaluationTask(
                seed=asked.seed,
                precision=asked.precision,
                augmentation=asked.augmentation,
                evaluation=Evaluation(),
            )
            inputs = {"data/data": images.whole, f"student/{subject.name}": model}
            context = _context(task, Path(folder) / f"{subject.name}-evaluation", inputs)
            work = lambda context=context: evaluate(context)  # noqa: E731
            _add(table, subject.description, work, count, views, subject.multiply_adds, effort)
    return table


def _prediction(title: str, note: str) -> Table:
    columns = {"images a processor second": "rate", "share of peak": "share", "share, by the wall": "share"}
    return Table(title, f"{note} One thread.", columns)


def _add(
    table: Table,
    name: str,
    work: Callable[[], object],
    count: int,
    views: int,
    multiply_adds: int,
    effort: Effort,
) -> None:
    work()  # warms up
    shares = Shares()
    for _ in range(effort.repetitions):
        shares.measure(work)
    operations = flops(multiply_adds, 0, count * views)
    table.add(name, shares.rates(count), shares.of(operations, "processor"), shares.of(operations, "wall"))


def _context(task: object, out: Path, inputs: dict[str, Path]) -> Context:
    out.mkdir()
    return Context(task, out, inputs, training=out / "training", progress=lambda line: None)


def _models(subjects: Sequence[Subject], images: Images, folder: Path) -> list[Path]:
    """Of nets that were hardly trained: what a model says is no matter for speed."""
    data = images.part(2 * subjects[0].task.batch_size)
    return [train([subject], data, folder / str(number))[0] for number, subject in enumerate(subjects)]


def _ensemble(teacher: Subject, images: Images, folder: Path) -> Path:
    recipe = teacher.task.teacher
    seeds = [recipe.model_copy(update={"seed": seed}) for seed in range(MEMBERS)]
    members = [replace(teacher, task=teacher.task.model_copy(update={"teacher": seed})) for seed in seeds]
    inputs = {f"teacher/t{n}": path for n, path in enumerate(_models(members, images, folder / "teachers"))}
    inputs["data/data"] = images.part(2 * teacher.task.batch_size)
    context = _context(EnsembleTask(ensemble=Ensemble(size=MEMBERS)), folder / "ensemble", inputs)
    choose_members(context)
    return context.out
