"""A status as a person reads it: one line, and what stands below it where there is room."""

from mimic.progress.status import Running, Status
from mimic.support.durations import duration
from mimic.support.terminal import Piece

DOT = (" · ", "dim")


def line(status: Status) -> list[Piece]:
    """How many jobs are done, run and are left, for how long, and the accuracy so far."""
    if status.done == status.jobs:
        pieces = [(f"all {status.jobs} jobs done", "green")]
    else:
        counts = f", {len(status.running)} running, {status.left} left"
        pieces = [(f"{status.done} of {status.jobs} done", "bold"), (counts, None)]
    if status.seconds_left is not None and status.done < status.jobs:
        how = "about " if status.measured else "by plan "
        pieces += [DOT, (f"{how}{duration(status.seconds_left)}", "cyan")]
    if status.accuracy:
        best = ", ".join(f"{kind} {percent(value)}" for kind, value in status.accuracy)
        pieces += [DOT, (f"validation: {best}", "green")]
    return pieces


def live(status: Status) -> list[Piece]:
    """The line, and who is at work, as far as it fits."""
    running = [piece for job in status.running for piece in (DOT, (_at_work(job), None))]
    return line(status) + running


def lines(status: Status) -> list[list[Piece]]:
    """All that there is to say."""
    told = [[(f"study {status.study}: ", None), *line(status)]]
    told += [[("  running  ", "cyan"), (_at_work(job), None)] for job in status.running]
    told += [[("  waiting  ", "cyan"), (f"{n} in SLURM: {reason}", None)] for reason, n in status.queue]
    told += [[("  failed   ", "red"), (failure, None)] for failure in status.failures]
    if not (status.running or status.queue) and status.done < status.jobs:
        since = (
            "" if status.idle_seconds is None else f"; last sign of life {duration(status.idle_seconds)} ago"
        )
        told.append([(f"  no job runs{since}", "yellow")])
    return told


def percent(accuracy: float) -> str:
    return f"{100 * accuracy:.1f} %"


def _at_work(job: Running) -> str:
    words = job.title
    if job.epoch is not None:
        words += f" epoch {job.epoch}" + (f"/{job.planned}" if job.planned else "")
    return words + (f" {percent(job.accuracy)}" if job.accuracy is not None else "")
