"""What running jobs say to a person. Here, a word can be changed without making a result stale."""

import signal

STOPPED = "mimic: stopped at once; the next call goes on from what is saved"


def images_read(done: int, of: int) -> str:
    return f"{done} of {of} images read"


def scaled(images: int, least: int, most: int) -> str:
    return f"{images} images of 16 bits: values from {least} to {most} become grey levels from 0 to 255"


def faint(images: int, of: int, first: str) -> str:
    return f"warning: {images} of {of} images are nearly constant, the first {first!r}"


def splitting(images: int, classes: int) -> str:
    return f"{images} images of {classes} classes read; splitting and packing"


def drawn(counts: dict[str, int]) -> str:
    splits = ("train", "validation", "test")
    return f"split: {', '.join(f'{counts[split]} {split}' for split in splits)} images"


def fetching(url: str) -> str:
    return f"fetching {url}"


def epoch(number: int, planned: int | None) -> str:
    return f"epoch {number}" + (f"/{planned}" if planned else "")


def position(epoch: str, step: int, steps: int) -> str:
    return f"{epoch}  step {step}/{steps}"


def pace(loss: float, images_per_second: float) -> str:
    return f"loss {loss:.3f}  {images_per_second:.0f} images/s"


def validated(epoch: str, pace: str, error: float) -> str:
    return f"{epoch}  {pace}  validation error {100 * error:.1f} %"


def resumed(place: str) -> str:
    return f"going on from {place}"


def foreign_checkpoint(path: object, key: str) -> str:
    return f"{path}: belongs to another training (key {key}); starting anew"


def damaged_checkpoint(path: object, error: Exception) -> str:
    return f"{path}: damaged ({error}); starting anew"


def diverged(reason: str) -> str:
    return f"diverged: {reason}"


def ended(epochs: int, stop: str, validation_accuracy: float, best_epoch: int) -> str:
    return (
        f"ended after {epochs} epochs ({stop}); best validation error "
        f"{100 * (1 - validation_accuracy):.1f} % in epoch {best_epoch}"
    )


def no_bf16() -> str:
    return "precision is fp32 here, where bf16 was allowed: this hardware multiplies none"


def member_failed(error: Exception) -> str:
    return f"failed: {type(error).__name__}: {error}; the others go on"


def interrupted(signum: int, where: str) -> str:
    return f"interrupted by {signal.Signals(signum).name} {where}; the state is saved"


def ensemble_chosen(members: list[str], accuracy: float) -> str:
    return f"{', '.join(members)}: validation accuracy {100 * accuracy:.2f} %"


def epoch_labelled(number: int, of: int, images_per_second: float) -> str:
    return f"epoch {number}/{of} of the shard  {images_per_second:.0f} images/s"


def proposed(points: int, trials: int, seconds: float) -> str:
    return f"{points} points in view of {trials} trials, in {seconds:.1f} s"


def selected(best: str, trials: int, accuracy: float) -> str:
    return f"{best} is the best of {trials}: validation accuracy {100 * accuracy:.2f} %"


def evaluated(accuracy: float) -> str:
    return f"test accuracy {100 * accuracy:.2f} %"
