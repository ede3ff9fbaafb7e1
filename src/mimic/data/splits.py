"""Stratified, seeded splits: 40,000 images to train on and 10,000 to validate with, as in the paper."""

from collections.abc import Mapping

import numpy as np

from mimic.data.image_parameters import Data
from mimic.data.labelled import Source
from mimic.data.packed import Splits
from mimic.data.seeds import stream
from mimic.support.errors import MimicError


def split_source(source: Source, parameters: Data, seed: int) -> Splits:
    """The train, validation and test images of a study. Raises MimicError as `choose` does."""
    pools = ("train", "validation", "test")
    labels = {pool: getattr(source, f"{pool}_labels_N") for pool in pools}
    there = {pool: labels_N for pool, labels_N in labels.items() if labels_N is not None}
    return {
        name: (getattr(source, f"{pool}_images_NCHW")[chosen_N], labels[pool][chosen_N])
        for name, (pool, chosen_N) in choose(there, source.classes, parameters, seed).items()
    }


def choose(
    labels: Mapping[str, np.ndarray], classes: tuple[str, ...], parameters: Data, seed: int
) -> dict[str, tuple[str, np.ndarray]]:
    """Of each split the pool that it comes from, and which of its images, given the labels of each pool.

    Validation and test images come from the source's own sets, or from its training images where it has
    none. Raises MimicError naming the parameter if there are too few images.
    """
    if "test" not in labels and parameters.test is None:
        raise MimicError(
            f"data.test: must be a number, not null, because {parameters.path} has no test/ folder "
            "and the test images are taken from train/"
        )
    wanted: dict[str, dict[str, int | None]] = {pool: {} for pool in labels}
    for name in ("test", "validation", "train"):  # in this order where they share a pool
        wanted[name if name in labels else "train"][name] = getattr(parameters, name)
    return {
        name: (pool, chosen_N)
        for pool, counts in wanted.items()
        for name, chosen_N in stratified(labels[pool], counts, classes, seed, pool).items()
    }


def stratified(
    labels_N: np.ndarray, counts: dict[str, int | None], classes: tuple[str, ...], seed: int, pool: str
) -> dict[str, np.ndarray]:
    """Disjoint indices into `labels_N`, `counts[name]` for each split; None takes all that is left.

    The splits are drawn in the order of `counts`. In each, every class has its proportional share of what
    was left, rounded up or down, and the images are in random order, so that any beginning is a fair
    sample. Raises MimicError if too few images are left, or none of some class.
    """
    left = stream(seed, "split", pool).permutation(len(labels_N))
    splits = {}
    for name, count in counts.items():
        sizes_K = np.bincount(labels_N[left], minlength=len(classes))
        needed = max(1, len(left)) if count is None else count
        if needed > len(left):
            raise MimicError(
                f"data.{name}: needs {needed} of the {pool} images, but {len(left)} are left "
                f"({_stock(sizes_K, classes)}); ask for fewer or add images"
            )
        quotas_K = apportion(sizes_K, needed)
        if not quotas_K.all():
            enough = (number for number in range(needed, len(left) + 1) if apportion(sizes_K, number).all())
            more = f"ask for {number} or more, or " if (number := next(enough, None)) else ""
            raise MimicError(
                f"data.{name}: {needed} images leave none for class {classes[int(np.argmin(quotas_K))]} "
                f"(there are {_stock(sizes_K, classes)}); {more}add images of that class"
            )
        by_class_N = np.argsort(labels_N[left], kind="stable")
        earlier_N = np.empty_like(by_class_N)  # images of the same class
        earlier_N[by_class_N] = np.arange(len(left)) - np.repeat(np.cumsum(sizes_K) - sizes_K, sizes_K)
        taken = earlier_N < quotas_K[labels_N[left]]
        splits[name], left = left[taken], left[~taken]
    return splits


def apportion(sizes_K: np.ndarray, count: int) -> np.ndarray:
    """`count` places shared among classes in proportion to their sizes, by largest remainder.

    Each share is the proportional one rounded up or down; of equal remainders the first class wins.
    """
    shares_K, remainders_K = np.divmod(sizes_K * count, sizes_K.sum())
    winners = np.argsort(-remainders_K, kind="stable")[: count - shares_K.sum()]
    shares_K[winners] += 1
    return shares_K


def _stock(sizes_K: np.ndarray, classes: tuple[str, ...], most: int = 10) -> str:
    """What there is of each class, the scarcest first."""
    listed = ", ".join(f"{classes[k]} {sizes_K[k]}" for k in np.argsort(sizes_K, kind="stable")[:most])
    return listed if len(classes) <= most else f"{listed} and {len(classes) - most} classes with more"
