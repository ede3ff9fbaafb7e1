"""The training loop of teachers and students: one stream of images, and any number of nets that learn."""

from collections.abc import Iterator, Sequence

from mimic.support.interrupt import Interrupted, StopFlag
from mimic.training.member import Member, Training, Validation
from mimic.training.outcome import Outcome
from mimic.training.streams import Stream
from mimic.training.timesheet import Timesheet


def fit(
    members: Sequence[Member], stream: Stream, validation: Validation, stop: StopFlag
) -> Iterator[tuple[Member, Outcome | Exception]]:
    """Train nets in lockstep on one stream, each as if it were alone.

    Yields each member as soon as it ends, while the others wait to go on: with its outcome, its net on
    the stream's device with the weights of the best validation epoch (divergence is an outcome); or with
    the exception that broke it. Whoever calls must be alone with the members' folders and may remove a
    folder when its result is safe.

    The state of each is saved after each epoch and when `stop` is raised; called again with the same
    arguments, training goes on from there, to the same bits as without the interruption. Members may
    stand at different steps then: the stream starts at the earliest, those ahead wait for it.

    A member's result does not depend on its companions, to the bit, given the same number of threads. So
    it is on a GPU, where each member launches the same kernels in the same order, with two exceptions:
    where memory is too short for an algorithm cuDNN takes another, which rounds otherwise (by 2^-24 an
    operation in fp32, 2^-8 in bf16), and operations of which torch warns have no deterministic form.

    Seconds of a member are its own steps and validations and an equal share of making each batch, so
    that those of all members add up to the time that passed; images_per_second is of these seconds.

    Raises Interrupted when stopped, and what the stream raises.
    """
    live = [Training(member, stream) for member in members]
    yield from _take_out_ended(live)
    while live:
        _take_steps(live, stream, stop)
        for training in live:
            training.conclude(validation, stop)
        yield from _take_out_ended(live)
        if live and stop.signum is not None:
            raise Interrupted(stop.signum, f"in {live[0].place}")


def _take_steps(live: list[Training], stream: Stream, stop: StopFlag) -> None:
    """Train from the earliest position to the end of that epoch, or until one ends or all are stopped."""
    timesheet = Timesheet(stream.device)
    epoch, first = min(training.position for training in live)
    for step, batch in enumerate(stream.batches(epoch, first), start=first):
        takers = [training for training in live if training.position == (epoch, step)]
        timesheet.book(*(training.state for training in takers))
        for training in takers:
            training.step(*batch)
            timesheet.book(training.state)
        if stop.signum is not None or not takers or any(training.is_over for training in takers):
            break
        if takers[0].trainer.check_is_due:  # all have just waited for the device
            timesheet.settle()
            for training in takers:
                training.tell()
    timesheet.settle()


def _take_out_ended(live: list[Training]) -> Iterator[tuple[Member, Outcome | Exception]]:
    for training in [training for training in live if training.is_over]:
        live.remove(training)
        training.end()
        yield training.member, training.failure or training.outcome  # type: ignore[misc]
