"""A plan as a person reads it, and as JSON."""

import textwrap
from dataclasses import asdict

from mimic.plan.estimate import Plan, StepPlan
from mimic.plan.work import JOB_FILES, PROCESS_FILES

WIDTH = 100
LOOK_SECONDS = 1e-3  # at a file on a shared file system (ours)
BOUNDS = f"at most 5 results a training, {JOB_FILES} more a job and {PROCESS_FILES} more a run"


def text(plan: Plan) -> str:
    """A table and what there is to say of it, in lines of at most 100 characters."""
    return "\n".join(
        [*_head(plan), "", *_table(plan), "", *_wall(plan), "", *_storage(plan), "", *_notes(plan)]
    )


def as_json(plan: Plan) -> dict:
    """Every figure of a plan; seconds, bytes and floating-point operations."""
    hardware = plan.hardware
    return {
        "study": plan.study,
        "hardware": {
            "name": hardware.name,
            "device": hardware.device,
            "measured": bool(hardware.paces),
            "start_seconds": hardware.start,
            "augmented_images_per_second": 1 / hardware.augmentation,
            "flops_per_second": dict(hardware.flops),
            "nets": [
                {
                    "family": pace.net.family,
                    "parameters": pace.net.parameters,
                    "multiply_adds": pace.net.multiply_adds,
                    "training_images_per_second": 1 / pace.training,
                    "prediction_images_per_second": 1 / pace.prediction,
                }
                for pace in hardware.paces
            ],
        },
        "patience_share": plan.patience_share,
        "patient_trainings": plan.patient_trainings,
        "steps": [asdict(step) for step in plan.steps],
        "seconds": plan.seconds,
        "seconds_at_most": plan.at_most,
        "longest_chain": [
            {"step": step, "name": name, "seconds": seconds} for step, name, seconds in plan.chain
        ],
        "wall_seconds": {str(jobs): seconds for jobs, seconds in plan.wall.items()},
        "checkpoint_bytes": {str(jobs): size for jobs, size in plan.checkpoints.items()},
        "other_files": plan.other_files,
    }


def _head(plan: Plan) -> list[str]:
    hardware = plan.hardware
    if hardware.paces:
        known = f"measured on this machine, for {hardware.jobs[0]} jobs side by side"
    else:
        known = "from a table of assumptions, nothing measured"
    return [f"Study {plan.study} on {hardware.name}: {known}"]


def _table(plan: Plan) -> list[str]:
    gpu = plan.hardware.device == "gpu"
    head = ["step", "jobs", "runs", "FLOPs", "GPU-h" if gpu else "CPU-h", "longest", "in a row", "memory"]
    head += ["on GPU"] * gpu + ["results", "files"]
    rows = [head, *(_row(step, gpu) for step in plan.steps), _total(plan, gpu)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(_cells(row, widths)) for row in rows]
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def _cells(row: list[str], widths: list[int]) -> list[str]:
    return [
        row[0].ljust(widths[0]),
        *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
    ]


def _row(step: StepPlan, gpu: bool) -> list[str]:
    hours = hours_text(step.seconds) if step.is_counted else "-"
    row = [step.step, f"{step.jobs:,}", f"{step.processes:,}", _flops(step.flops), hours]
    row += [duration(step.longest), f"{step.chain_processes} in {duration(step.chain)}", size(step.memory)]
    row += [size(step.gpu_memory) if step.on_gpu else "-"] * gpu
    return [*row, size(step.storage), f"{step.files:,}"]


def _total(plan: Plan, gpu: bool) -> list[str]:
    steps = plan.steps
    row = ["all", f"{sum(s.jobs for s in steps):,}", f"{sum(s.processes for s in steps):,}"]
    row += [
        _flops(sum(s.flops for s in steps)),
        hours_text(plan.seconds),
        duration(max(s.longest for s in steps)),
    ]
    row += [f"{len(plan.chain)} in {duration(plan.chain_seconds)}", size(max(s.memory for s in steps))]
    row += [size(max(s.gpu_memory for s in steps))] * gpu
    return [*row, size(sum(s.storage for s in steps)), f"{sum(s.files for s in steps):,}"]


def _wall(plan: Plan) -> list[str]:
    side_by_side = ", ".join(f"{duration(seconds)} with {jobs}" for jobs, seconds in plan.wall.items())
    chain: dict[str, list[float]] = {}
    for step, _, seconds in plan.chain:
        chain.setdefault(step, []).append(seconds)
    links = " > ".join(_link(step, seconds) for step, seconds in chain.items())
    return [
        *_wrapped("Wall time", f"{side_by_side} jobs side by side"),
        *_wrapped("Longest chain", f"{duration(plan.chain_seconds)}: {links}"),
    ]


def _link(step: str, seconds: list[float]) -> str:
    number = f"{len(seconds)} x " if len(seconds) > 1 else ""
    return f"{number}{step} {duration(sum(seconds))}"


def _storage(plan: Plan) -> list[str]:
    results = sum(step.storage for step in plan.steps)
    files = sum(step.files for step in plan.steps)
    checkpoints = ", ".join(f"{size(b)} with {jobs}" for jobs, b in plan.checkpoints.items())
    total = files + plan.other_files
    cache = f"{size(results)} in as many files again, once DVC has its copy (none with cache.type hardlink)"
    looks = (
        f"{total:,} with the workflow's own: {BOUNDS}. Snakemake and DVC look at each, "
        f"{duration(LOOK_SECONDS * total)} at 1 ms a look on a shared file system (ours)"
    )
    return [
        *_wrapped("Results", f"{size(results)} in {files:,} files; earlier results are kept beside them"),
        *_wrapped("DVC cache", cache),
        *_wrapped("Checkpoints", f"{checkpoints} jobs side by side, gone when a training has ended"),
        *_wrapped("Files", looks),
    ]


def _notes(plan: Plan) -> list[str]:
    notes = ["FLOPs: two a multiply-add, three forward passes a trained image, one a predicted image"]
    if any(step.processes < step.jobs for step in plan.steps):
        notes.append("Runs are fewer than jobs where a cohort shares a process and its augmented images")
    if plan.patient_trainings:
        unit = "GPU" if plan.hardware.device == "gpu" else "CPU"
        notes.append(
            f"{plan.patient_trainings:,} trainings end by patience: each is taken to last "
            f"{100 * plan.patience_share:g} % of its max_epochs (--epochs {plan.patience_share:g}; ours); "
            f"if all lasted max_epochs: {hours_text(plan.at_most)} {unit}-hours"
        )
    if any(step.step == "trial" for step in plan.steps):
        notes.append("A trial costs what its search's default costs; none is taken to end early")
    if not plan.hardware.paces:
        flops = ", ".join(f"{_flops(speed)} FLOP/s in {name}" for name, speed in plan.hardware.flops.items())
        notes.append(
            f"{plan.hardware.name} is assumed (ours) to achieve {flops}, to augment "
            f"{1 / plan.hardware.augmentation:,.0f} images/s and to start a job in {plan.hardware.start:g} s"
        )
    return [line for note in notes for line in _wrapped("-", note)]


def _wrapped(label: str, words: str) -> list[str]:
    """`label` and `words` over several lines, those after the first indented."""
    indent = 15 if len(label) > 1 else 2
    return textwrap.wrap(words, WIDTH, initial_indent=label.ljust(indent), subsequent_indent=" " * indent)


def duration(seconds: float) -> str:
    """In the unit that a person would take."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.{1 if seconds < 10 * length else 0}f} {unit}"
    return f"{seconds:.0f} s"


def hours_text(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.1f}" if hours >= 1 else f"{hours:.2f}"


def size(number: float) -> str:
    """Bytes, in powers of a thousand."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= length:
            return f"{number / length:.{1 if number < 10 * length else 0}f} {unit}"
    return f"{number / 1e3:.0f} kB"


def _flops(number: float) -> str:
    return f"{number:.1e}".replace("e+", "e") if number else "-"
