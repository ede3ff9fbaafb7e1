"""A plan as a person reads it, and as JSON."""

import textwrap
from collections.abc import Iterator

import pandas as pd

from mimic.plan.estimate import Plan
from mimic.support.durations import duration

WIDTH = 100


def text(plan: Plan) -> str:
    """A table and what there is to say of it, in lines of at most 100 characters."""
    measured = f"measured on this machine, for {plan.hardware.jobs[0]} jobs side by side"
    known = measured if plan.hardware.paces else "from a table of assumptions, nothing measured"
    lines = [f"Study {plan.study} on {plan.hardware.name}: {known}", "", *_table(plan)]
    for paragraph in (_time(plan), _storage(plan), (("-", note) for note in _notes(plan))):
        lines += ["", *(line for label, words in paragraph for line in _wrapped(label, words))]
    return "\n".join(lines)


def as_json(plan: Plan) -> dict:
    """Every figure of a plan; seconds, bytes and floating-point operations."""
    hardware = plan.hardware
    nets = [
        {
            "family": pace.net.family,
            "parameters": pace.net.parameters,
            "multiply_adds": pace.net.multiply_adds,
            "training_images_per_second": 1 / pace.training,
            "prediction_images_per_second": 1 / pace.prediction,
        }
        for pace in hardware.paces
    ]
    return vars(plan) | {
        "hardware": {
            "name": hardware.name,
            "device": hardware.device,
            "measured": bool(hardware.paces),
            "start_seconds": hardware.start,
            "augmented_images_per_second": 1 / hardware.augmentation,
            "flops_per_second": hardware.flops,
            "nets": nets,
        },
        "steps": plan.steps.reset_index().to_dict("records"),
        "total": plan.total.to_dict("records")[0],
        "seconds": float(plan.total["counted_seconds"].iloc[0]),
        "longest_chain": plan.longest_chain.to_dict("records"),
        "spent": plan.spent.to_dict("index"),
    }


def _table(plan: Plan) -> list[str]:
    rows, gpu = pd.concat([plan.steps, plan.total]), plan.hardware.device == "gpu"
    cells = {
        "jobs": rows["jobs"].map("{:,}".format),
        "runs": rows["processes"].map("{:,}".format),
        "FLOPs": rows["flops"].map(_flops),
        "GPU-h" if gpu else "CPU-h": rows["counted_seconds"].map(hours_text),
        "longest": rows["longest"].map(duration),
        "in a row": rows["chain_processes"].map("{} in ".format) + rows["chain"].map(duration),
        "memory": rows["memory"].map(size),
        "on GPU": rows["gpu_memory"].map(size),
        "results": rows["storage"].map(size),
        "files": rows["files"].map("{:,}".format),
    }
    table = pd.DataFrame(cells).drop(columns=[] if gpu else "on GPU").rename_axis(index=None, columns="step")
    head, *lines, total = table.to_string().splitlines()
    rule = "-" * len(head)
    return [head, rule, *lines, rule, total]


def _time(plan: Plan) -> Iterator[tuple[str, str]]:
    wall = ", ".join(f"{duration(seconds)} with {jobs}" for jobs, seconds in plan.wall_seconds.items())
    yield "Wall time", f"{wall} jobs side by side"
    chain = plan.longest_chain.groupby("step", sort=False)["seconds"]
    links = " > ".join(_times(len(link), step, link.sum()) for step, link in chain)
    yield "Longest chain", f"{duration(plan.longest_chain['seconds'].sum())}: {links}"
    if len(plan.spent):
        ran = ", ".join(_times(step.runs, step.Index, step.seconds) for step in plan.spent.itertuples())
        yield "Spent so far", f"{ran}; at most {size(plan.spent['memory'].max())} of memory"


def _times(number: int, step: str, seconds: float) -> str:
    return f"{number} x {step} {duration(seconds)}".removeprefix("1 x ")


def _storage(plan: Plan) -> Iterator[tuple[str, str]]:
    checkpoints = ", ".join(f"{size(held)} with {jobs}" for jobs, held in plan.checkpoint_bytes.items())
    storage, files = size(plan.steps["storage"].sum()), plan.steps["files"].sum()
    copy = "in as many files again, once DVC has its copy (none with cache.type hardlink)"
    yield "Results", f"{storage} in {files:,} files; earlier results are kept beside them"
    yield "DVC cache", f"{storage} {copy}"
    yield "Checkpoints", f"{checkpoints} jobs side by side, gone when a training has ended"


def _notes(plan: Plan) -> Iterator[str]:
    hardware, share = plan.hardware, plan.patience_share
    yield "FLOPs: two a multiply-add, three forward passes a trained image, one a predicted image"
    if (plan.steps["processes"] < plan.steps["jobs"]).any():
        yield "Runs are fewer than jobs where a cohort shares a process and its augmented images"
    if plan.patient_trainings:
        yield (
            f"{plan.patient_trainings:,} trainings end by patience: each is taken to last {100 * share:g} % "
            f"of its max_epochs (--epochs {share:g}; ours); if all lasted max_epochs: "
            f"{hours_text(plan.seconds_at_most)} {hardware.device.upper()}-hours"
        )
    if "trial" in plan.steps.index:
        yield "A trial costs what its search's default costs; none is taken to end early"
    if not hardware.paces:
        flops = ", ".join(f"{_flops(speed)} FLOP/s in {name}" for name, speed in hardware.flops.items())
        yield (
            f"{hardware.name} is assumed (ours) to achieve {flops}, to augment "
            f"{1 / hardware.augmentation:,.0f} images/s and to start a job in {hardware.start:g} s"
        )


def _wrapped(label: str, words: str) -> list[str]:
    """`label` and `words` over several lines, those after the first indented."""
    indent = 15 if len(label) > 1 else 2
    return textwrap.wrap(words, WIDTH, initial_indent=label.ljust(indent), subsequent_indent=" " * indent)


def hours_text(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.{0 if hours >= 100 else 1 if hours >= 1 else 2}f}" if seconds else "-"


def size(number: float) -> str:
    """Bytes, in powers of a thousand."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= length:
            return f"{number / length:.{1 if number < 10 * length else 0}f} {unit}"
    return f"{number / 1e3:.0f} kB" if number else "-"


def _flops(number: float) -> str:
    return f"{number:.1e}".replace("e+", "e") if number else "-"
