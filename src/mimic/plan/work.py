"""What each job of a study does and leaves, in counts that hold on any hardware.

A step's work is one function in `WORK`. Where a count can't be known beforehand (epochs of the patience
schedule, the ensemble's members, seconds of what is neither net nor augmentation) an assumption of ours
stands in, named here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mimic.core import tasks
from mimic.core.errors import MimicError
from mimic.core.parameters import Data
from mimic.core.study import Job
from mimic.core.types import OneCycle, Schedule
from mimic.data.packed import DESCRIPTION, read_description
from mimic.distill.transfer import FINGERPRINT_BLOCK, FINGERPRINT_IMAGES
from mimic.nets.from_task import CHANNELS
from mimic.plan.nets import Net, net_of
from mimic.training.record import training_flops

PATIENCE_SHARE = 0.4  # of max_epochs that a training with the patience schedule lasts (ours)
JOB_FILES = 2  # besides its results: spec, lock
PROCESS_FILES = 4  # log, benchmark, record of its members, Snakemake's metadata
EVALUATION_THREADS = 2  # the Snakefile's; all other rules that compute have one
PIXEL_SECONDS = 6e-8  # a pixel's channel read or drawn, split and packed (ours)
LOGIT_SECONDS = 2e-9  # a logit, each time that a candidate is tried for the ensemble (ours)
REPORT_SECONDS = 3.0  # and as many again for a hundred models (ours)
PROPOSAL_SECONDS = 4.0  # and as many again for each fifty trials that it looks back on (ours)
SELECTION_SECONDS = 1.0  # (ours)
REPORT_BYTES = 2e6
RECORD_BYTES = 4_000  # a sidecar, record, proposal or description (rounded up)
TRIAL_BYTES = 600  # a line of trials.csv
EPOCH_BYTES = 200  # a line of history.jsonl

CIFAR_TRAIN, CIFAR_TEST = 50_000, 10_000


@dataclass(frozen=True)
class Images:
    """How many images a study has, and of what kind."""

    train: int
    validation: int
    test: int
    classes: int
    size: int  # pixels a side

    @property
    def bytes_each(self) -> int:
        return CHANNELS * self.size**2


def images_of(data: Data, folder: Path) -> Images:
    """From the parameters; where they leave a number to the source, from data.json in `folder`.

    Raises MimicError when neither tells.
    """
    train, test = data.train, data.test
    if data.source.startswith("cifar"):
        train, test = train or CIFAR_TRAIN - data.validation, test or CIFAR_TEST
    if (train is None or test is None) and (folder / DESCRIPTION).exists():
        counts = read_description(folder).counts
        train, test = train or counts["train"], test or counts["test"]
    for name, number in (("train", train), ("test", test)):
        if number is None:
            raise MimicError(
                f"data.{name}: null leaves the number of images open; give it, or pack the data first"
            )
    return Images(train, data.validation, test, data.classes, data.image_size)


@dataclass(frozen=True)
class Assumptions:
    """What can't be known beforehand."""

    patience_share: float = PATIENCE_SHARE

    def epochs(self, schedule: Schedule) -> int:
        """Epochs of a training, and at least those after which patience can end."""
        if isinstance(schedule, OneCycle):
            return schedule.epochs
        least = min(schedule.stop + 1, schedule.max_epochs)
        return max(least, round(self.patience_share * schedule.max_epochs))


@dataclass(frozen=True)
class Training:
    """One net trained for some epochs, each with a look at the validation images and a checkpoint."""

    net: Net
    epochs: int
    images: int  # an epoch
    validation: int  # images


@dataclass(frozen=True)
class Work:
    """One job's work and what it leaves."""

    stored: float  # bytes that it publishes
    files: int  # that it publishes, sidecar included
    training: Training | None = None
    predictions: tuple[tuple[Net, float], ...] = ()  # images through each net, besides validation
    augmented: float = 0.0  # images, besides those trained on
    seconds: float = 0.0  # of everything else, on any hardware
    read: float = 0.0  # bytes of other jobs' results, each checked by its digest
    held: float = 0.0  # bytes of images and logits in memory
    threads: int = 1  # of a processor, that share the predictions

    @property
    def flops(self) -> float:
        """Floating-point operations: two a multiply-add, three times as many where it trains."""
        predicted = sum(2.0 * net.multiply_adds * images for net, images in self.predictions)
        if (training := self.training) is None:
            return predicted
        trained = training_flops(training.net.multiply_adds, training.images * training.epochs)
        validated = 2.0 * training.net.multiply_adds * training.validation * training.epochs
        return trained + validated + predicted


def work_of(job: Job, images: Images, assumptions: Assumptions) -> Work:
    """The work of one job, whichever its step."""
    return WORK[job.step](job, images, assumptions)


def _data(job: Job, images: Images, assumptions: Assumptions) -> Work:
    count = images.train + images.validation + images.test
    stored = count * (images.bytes_each + 8)  # labels are int64
    seconds = PIXEL_SECONDS * count * images.bytes_each
    return Work(stored, len(job.files), seconds=seconds, held=2 * stored)


def _model(job: Job, images: Images, assumptions: Assumptions) -> Work:
    """A teacher, a student or a trial."""
    task = model_task(job)
    net = net_of(task, images.classes, images.size)
    epochs = assumptions.epochs(task.schedule)
    logits = 4 * images.classes
    packed = (images.train + images.validation) * (images.bytes_each + 8)
    shards = sum(_logits_bytes(up, images) for up in job.upstream if up.step == "logits")
    return Work(
        stored=4 * net.stored + logits * images.validation + EPOCH_BYTES * epochs + 2 * RECORD_BYTES,
        files=len(job.files),
        training=Training(net, epochs, images.train, images.validation),
        predictions=((net, images.validation),),
        read=packed + shards,
        held=packed + 2 * logits * images.train,
    )


def _ensemble(job: Job, images: Images, assumptions: Assumptions) -> Work:
    candidates = _candidates(job, images)
    logits = images.validation * images.classes
    seconds = LOGIT_SECONDS * job.task.ensemble.size * len(candidates) * logits
    stored = _weights_bytes(_members(job, images)) + RECORD_BYTES
    read = _weights_bytes((net, 1) for net in candidates) + 4 * logits * len(candidates)
    held = 8 * logits * len(candidates)
    return Work(stored, len(job.files), seconds=seconds, read=read, held=held)


def _logits(job: Job, images: Images, assumptions: Assumptions) -> Work:
    (ensemble,) = (up for up in job.upstream if up.step == "ensemble")
    count = job.task.epochs * images.train
    members = _members(ensemble, images)
    packed = images.train * images.bytes_each
    return Work(
        stored=_logits_bytes(job, images) + RECORD_BYTES,
        files=len(job.files),
        predictions=tuple((net, share * count) for net, share in members),
        augmented=count,
        read=packed + _weights_bytes(members),
        held=packed + 8 * count * images.classes,
    )


def _logits_bytes(job: Job, images: Images) -> int:
    """A shard: logits of its epochs, and thumbnails of the first images of each."""
    number = 2 if job.task.dtype == "float16" else 4
    logits = number * images.train * images.classes
    thumbnail = 2 * CHANNELS * (images.size // FINGERPRINT_BLOCK) ** 2
    return job.task.epochs * (logits + min(FINGERPRINT_IMAGES, images.train) * thumbnail)


def _proposal(job: Job, images: Images, assumptions: Assumptions) -> Work:
    return Work(RECORD_BYTES, len(job.files), seconds=PROPOSAL_SECONDS * (1 + _trials(job) / 50))


def _selection(job: Job, images: Images, assumptions: Assumptions) -> Work:
    net, trials = net_of(model_task(job), images.classes, images.size), _trials(job)
    kept = 4 * net.stored * min(job.task.averaged, trials)
    return Work(
        kept + RECORD_BYTES + TRIAL_BYTES * trials, len(job.files), seconds=SELECTION_SECONDS, held=kept
    )


def _evaluation(job: Job, images: Images, assumptions: Assumptions) -> Work:
    looks = images.test * (1 + 4 * len(job.task.evaluation.translations))  # four directions
    ensemble = [net for up in job.upstream if up.step == "ensemble" for net in _members(up, images)]
    models = [(net, number) for up in job.upstream for net, number in _models(up, images)]
    logits = 4 * images.test * images.classes * (1 + sum(number for _, number in models))
    return Work(
        stored=logits + 8 * images.test + RECORD_BYTES,
        files=len(job.files),
        predictions=tuple((net, number * looks) for net, number in (*ensemble, *models)),
        read=images.test * images.bytes_each + _weights_bytes((*ensemble, *models)),
        held=2 * images.test * images.bytes_each + logits,
        threads=EVALUATION_THREADS,
    )


def _report(job: Job, images: Images, assumptions: Assumptions) -> Work:
    models = sum(number for up in job.upstream for _, number in _models(up, images))
    return Work(REPORT_BYTES, len(job.files), seconds=REPORT_SECONDS * (1 + models / 100))


WORK: dict[str, Callable[[Job, Images, Assumptions], Work]] = {
    "data": _data,
    "teacher": _model,
    "ensemble": _ensemble,
    "logits": _logits,
    "proposal": _proposal,
    "trial": _model,
    "selection": _selection,
    "student": _model,
    "evaluation": _evaluation,
    "report": _report,
}


def trains(job: Job) -> bool:
    """Whether the job trains a net."""
    return WORK[job.step] is _model


def model_task(job: Job) -> tasks.TeacherTask | tasks.StudentTask:
    """What a job trains; of a trial its search's default, since its point is known at run time alone."""
    return getattr(job.task, "default", job.task)


def _weights_bytes(nets: Iterable[tuple[Net, float]]) -> float:
    """Of as many models as each net stands for."""
    return sum(4 * number * net.stored for net, number in nets)


def _trials(job: Job) -> int:
    """Trials that a proposal or a selection looks back on."""
    return sum(up.step == "trial" for up in job.upstream)


def _models(job: Job, images: Images) -> list[tuple[Net, int]]:
    """What a job hands to the evaluation: the net that it trained, or the best of a search."""
    if job.step == "selection":
        return [(net_of(model_task(job), images.classes, images.size), min(job.task.averaged, _trials(job)))]
    return [(net_of(model_task(job), images.classes, images.size), 1)] if trains(job) else []


def _candidates(ensemble: Job, images: Images) -> list[Net]:
    return [net_of(model_task(up), images.classes, images.size) for up in ensemble.upstream if trains(up)]


def _members(ensemble: Job, images: Images) -> list[tuple[Net, float]]:
    """Who will be chosen is open, so each candidate counts in part: (net, its expected number)."""
    candidates = _candidates(ensemble, images)
    share = min(ensemble.task.ensemble.size, len(candidates)) / len(candidates)
    counts: dict[Net, float] = {}
    for net in candidates:
        counts[net] = counts.get(net, 0.0) + share
    return list(counts.items())
