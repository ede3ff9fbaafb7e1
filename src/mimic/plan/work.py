"""What each job of a study does and leaves, in counts that hold on any hardware.

An image through a net costs its multiply-adds, files cost their bytes, all else a constant named here. What
can't be known beforehand (epochs of the patience schedule, the ensemble's members) is assumed.
"""

from dataclasses import dataclass
from pathlib import Path

from mimic.dag.jobs import Job
from mimic.dag.steps import SIDECAR
from mimic.data.image_parameters import CHANNELS, Data
from mimic.data.packed import DESCRIPTION, read_description
from mimic.data.sources import check_source, image_path
from mimic.plan.nets import PlannedNet, net_of
from mimic.support.errors import MimicError
from mimic.training.recipe import ModelTask
from mimic.training.schedules import Schedule

PATIENCE_SHARE = 0.4  # of max_epochs that a training with the patience schedule lasts (ours)
PACKING = 6e-8  # seconds a byte of the images, to read or draw, split and pack it (ours)
SECONDS = {"proposal": (4.0, 0.08), "report": (3.0, 0.01)}  # and as many more a job upstream (ours)
FILE_BYTES = 10_000  # a sidecar, record, history, table or description (ours)
PAGE_BYTES = 1e6  # report.html (ours)
LABEL_BYTES = 8  # int64
CIFAR_TRAIN, CIFAR_TEST = 50_000, 10_000


def images_of(data: Data, folder: Path) -> Data:
    """The parameters of the images, with each number known: of the source, or of data.json in `folder`.

    Raises MimicError when neither tells, or the source can't be split as asked.
    """
    open_ = [name for name in ("train", "test") if getattr(data, name) is None]
    known = {}
    if data.source.startswith("cifar"):
        known = {"train": CIFAR_TRAIN - data.validation, "test": CIFAR_TEST}
    elif open_ and (folder / DESCRIPTION).exists():
        known = read_description(folder).counts
    elif open_ and image_path(data).exists():
        known = check_source(data)
    for name in open_:
        if name not in known:
            raise MimicError(
                f"data.{name}: null leaves the number of images open; give it, or pack the data first"
            )
    return data.model_copy(update={name: known[name] for name in open_})


@dataclass(frozen=True)
class Work:
    """One job's work and what it leaves."""

    files: int  # that it publishes, sidecar included
    stored: float  # bytes of these
    read: float  # bytes of other jobs' results, each checked by its digest
    held: float  # bytes in memory, besides nets at work
    seconds: float  # of what is neither net nor image, on any hardware
    augmented: int  # images
    trained: PlannedNet | None  # on all that are augmented, with a checkpoint at the end of each epoch
    epochs: int
    predictions: tuple[tuple[PlannedNet, float], ...]  # images through each net without training it

    @property
    def flops(self) -> float:
        """Floating-point operations: two a multiply-add, three times as many where it trains."""
        training = [(self.trained, 3 * self.augmented)] if self.trained else []
        return sum(2.0 * net.multiply_adds * images for net, images in [*training, *self.predictions])


def model_task(job: Job) -> ModelTask | None:
    """What a job trains; of a trial its search's default, since its point is known at run time alone."""
    task = job.task.default if job.step == "trial" else job.task
    return task if isinstance(task, ModelTask) else None


@dataclass(frozen=True)
class Counts:
    """Counts the work of a study's jobs."""

    images: Data  # with each number known
    patience_share: float = PATIENCE_SHARE

    def epochs(self, schedule: Schedule) -> int:
        """Epochs of a training, and at least those after which patience can end."""
        return schedule.expected_epochs(self.patience_share)

    def work(self, job: Job) -> Work:
        """The work of one job, whichever its step."""
        images, task = self.images, model_task(job)
        epochs = self.epochs(task.schedule) if task else getattr(job.task, "epochs", 0)
        augmented = images.train * epochs  # by who trains, and for the logits
        stored = sum(self.size(job, file) for file in (*job.outputs, SIDECAR))
        read = {up.id: sum(self.size(up, file) for file in job.rule.reads[up.step]) for up in job.upstream}
        fixed, each = SECONDS.get(job.step, (0.0, 0.0))
        if task:
            looks = images.validation * (epochs + 1)  # once more at the end
            seen = [(net_of(task, images.image_size), looks)]
        else:
            looks = augmented
            if job.step == "evaluation":
                augmented = images.test
                views = 2 + len(job.task.evaluation.translations)  # as they are, augmented, and moved
                looks = images.test * views
            seen = [
                (net, number * looks * (1 + (up.step == "ensemble" and up.task.ensemble.mirrored)))
                for up in job.upstream
                for net, number in self.models(up)
                if looks
            ]
        return Work(
            files=len(job.files),
            stored=stored,
            read=sum(read.values()),
            held=read.get("data/data", 0.0) + 2 * stored,  # what is published, as tensors and as a file
            seconds=PACKING * stored if job.step == "data" else fixed + each * len(job.upstream),
            augmented=augmented,
            trained=net_of(task, images.image_size) if task else None,
            epochs=epochs,
            predictions=tuple(seen),
        )

    def models(self, job: Job) -> list[tuple[PlannedNet, float]]:
        """The nets whose weights a job publishes, and how many of each.

        Which candidates the ensemble will choose is open, so each counts in part.
        """
        size, tasks = self.images.image_size, [task for up in job.upstream if (task := model_task(up))]
        if task := model_task(job):
            return [(net_of(task, size), 1)]
        if job.step == "selection":
            return [(net_of(job.task.default, size), min(job.task.averaged, len(tasks)))]
        if job.step == "ensemble":
            share = min(job.task.ensemble.size / len(tasks), 1)
            nets = [net_of(task, size) for task in tasks]
            return [(net, share * nets.count(net)) for net in dict.fromkeys(nets)]
        return []

    def size(self, job: Job, file: str) -> float:
        """Bytes of one file that a job publishes."""
        images, logits = self.images, 4 * self.images.classes
        match job.step, file:
            case "data", "train.safetensors" | "validation.safetensors" | "test.safetensors":
                return getattr(images, Path(file).stem) * (CHANNELS * images.image_size**2 + LABEL_BYTES)
            case _, "model.safetensors" | "members.safetensors" | "best.safetensors":
                return sum(4 * net.stored * number for net, number in self.models(job))
            case _, "validation.safetensors":
                return logits * images.validation
            case _, "logits.safetensors":
                numbers = job.task.epochs * images.train * images.classes
                return numbers * (2 if job.task.dtype == "float16" else 4)
            case _, "predictions.safetensors":
                models = sum(number for up in job.upstream for _, number in self.models(up))
                return images.test * (LABEL_BYTES + logits * models)
            case _, "pictures.safetensors":  # filters as large as images, and some images
                return 40 * CHANNELS * images.image_size**2
            case _, "report.html" | "front_page.html":
                return PAGE_BYTES
        return FILE_BYTES
