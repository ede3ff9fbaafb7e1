"""Whether memory and disk hold a study, told before any job. What is counted is the least that is needed."""

from collections.abc import Iterator
from math import prod

import psutil

from mimic.config.bounds import check_batches
from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.plan.work import Counts, Work, images_of
from mimic.support import disk
from mimic.support.errors import MimicError

MOST = 4e12  # bytes of the largest machine (ours)
COPIES = 2  # of the weights while training: they and their gradients; and the optimiser's


def check_limits(study: Study) -> list[str]:
    """Notes where this machine's memory, or the disk of the results, holds less than the study needs.

    A cluster's memory may hold more. Raises MimicError for a batch larger than the training set, for what no
    machine can hold, and where nothing tells the number of images.
    """
    parameters = study.parameters
    counts = Counts(images_of(parameters.data, study.folder / "data"))
    check_batches(parameters, counts.images.train)
    number = 2 if parameters.precision == "bf16" else 4
    works = list(_works(study, counts))
    needs = {job.id: _parts(work, number) for job, work in works}
    job, parts = max(needs.items(), key=lambda need: sum(need[1].values()))
    most, here = max(parts, key=parts.__getitem__), psutil.virtual_memory().total
    told = f"{job} needs at least {_size(sum(parts.values()))} of memory, most of it for {most}"
    if sum(parts.values()) > MOST:
        raise MimicError(f"{told}; no machine has more than {_size(MOST)}")
    notes = [f"{told}; this machine has {_size(here)}"] if sum(parts.values()) > here else []
    missing, free = _missing(works), disk.free(study.folder)
    if missing > free:
        notes.append(
            f"results that are not here yet take at least {_size(missing)}; "
            f"{_size(free)} are free on the disk of {study.folder}"
        )
    return notes


def _works(study: Study, counts: Counts) -> Iterator[tuple[Job, Work]]:
    """Every job with its work, which all trials of a search have in common: there may be thousands."""
    known: dict[object, Work] = {}
    for job in study.jobs():
        kind = id(job.task.default) if job.step == "trial" else job.id
        known[kind] = known.get(kind) or counts.work(job)
        yield job, known[kind]


def _missing(works: list[tuple[Job, Work]]) -> float:
    """Bytes of the results that aren't here, and of the largest checkpoint on the way to them."""
    missing = [work for job, work in works if not job.sidecar.exists()]
    checkpoints = [work.trained.checkpoint for work in missing if work.trained]
    return sum(work.stored for work in missing) + max(checkpoints, default=0)


def _parts(work: Work, number: int) -> dict[str, float]:
    """Bytes that a job holds, by what they are for; `number` are those of one activation."""
    weights = max((net.parameters for net, _ in work.predictions), default=0)
    batch = 0
    if net := work.trained:
        weights = (COPIES + net.optimiser_copies) * net.parameters
        batch = net.batch_size * sum(map(prod, net.shapes[1:]))
    return {
        "images, logits and models": work.held - work.stored,  # once, where a file is made of them
        "weights (widths, filters, hidden)": 4 * weights,
        "a batch (batch_size, image_size)": number * batch,
    }


def _size(number: float) -> str:
    if number < 1e9:
        return f"{number / 1e6:,.0f} MB"
    return f"{number / 1e9:,.0f} GB" if number < 1e21 else f"{number / 1e9:.0e} GB"
