"""Whether memory holds a study, told before any job. What is counted here is the least that a job needs."""

from math import prod

import psutil

from mimic.config.bounds import check_batches
from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.plan.work import Counts, images_of
from mimic.support.errors import MimicError

MOST = 4e12  # bytes of the largest machine (ours)
COPIES = 2  # of the weights while training: they and their gradients; and the optimiser's


def check_memory(study: Study) -> str | None:
    """A note where this machine's memory holds less than the study needs, which a cluster's may.

    Raises MimicError for a batch larger than the training set, for what no machine can hold, and where
    nothing tells the number of images.
    """
    parameters = study.parameters
    counts = Counts(images_of(parameters.data, study.folder / "data"))
    check_batches(parameters, counts.images.train)
    number = 2 if parameters.precision == "bf16" else 4
    needs = {job.id: _parts(job, counts, number) for job in study.jobs()}
    job, parts = max(needs.items(), key=lambda need: sum(need[1].values()))
    most, here = max(parts, key=parts.__getitem__), psutil.virtual_memory().total
    told = f"{job} needs at least {_gigabytes(sum(parts.values()))} of memory, most of it for {most}"
    if sum(parts.values()) > MOST:
        raise MimicError(f"{told}; no machine has more than {_gigabytes(MOST)}")
    return f"{told}; this machine has {_gigabytes(here)}" if sum(parts.values()) > here else None


def _parts(job: Job, counts: Counts, number: int) -> dict[str, float]:
    """Bytes that a job holds, by what they are for; `number` are those of one activation."""
    work = counts.work(job)
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


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:,.0f} GB" if number < 1e21 else f"{number / 1e9:.0e} GB"
