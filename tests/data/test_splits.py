"""Splits are exact, disjoint, stratified and seeded."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.data.image_parameters import Data
from mimic.data.labelled import Source
from mimic.data.splits import apportion, split_source, stratified
from mimic.support.errors import MimicError

CLASSES = ("cat", "dog", "eel")


def labels_of(sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def source_of(train, test=None):
    """Images whose first pixels count them."""

    def part(sizes):
        labels_N = labels_of(sizes)
        return np.arange(len(labels_N), dtype=np.uint8)[:, None, None, None] * np.ones(
            (3, 8, 8), np.uint8
        ), labels_N

    return Source(CLASSES, *part(train), *(part(test) if test else (None, None)))


def parameters(**changes):
    values = {"source": "images", "path": "photos", "classes": 3, "image_size": 8, "validation": 6}
    return Data(**(values | changes))


def test_cifar_is_split_as_in_the_paper():
    splits = stratified(
        labels_of([5000] * 10), {"validation": 10_000, "train": None}, tuple("abcdefghij"), 1, "train"
    )
    assert [len(indices) for indices in splits.values()] == [10_000, 40_000]
    assert (np.bincount(splits["validation"] // 5000) == 1000).all()
    assert sorted(np.concatenate(list(splits.values()))) == list(range(50_000))


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ([10, 10, 10], 6, [2, 2, 2]),
        ([10, 10, 10], 7, [3, 2, 2]),  # equal remainders: the first class
        ([50, 30, 20], 7, [4, 2, 1]),  # 3.5, 2.1, 1.4
        ([53, 24, 23], 10, [5, 3, 2]),  # 5.3, 2.4, 2.3
        ([4, 0, 2], 6, [4, 0, 2]),
    ],
)
def test_shares_by_largest_remainder(sizes, count, expected):
    assert apportion(np.array(sizes), count).tolist() == expected


@given(
    sizes=st.lists(st.integers(8, 60), min_size=2, max_size=6),
    shares=st.tuples(st.floats(0.15, 0.4), st.floats(0.15, 0.4), st.none() | st.floats(0.15, 0.5)),
    seed=st.integers(0, 2**63 - 1),
)
def test_splits_are_disjoint_exact_and_proportional(sizes, shares, seed):
    labels_N = np.random.default_rng(seed).permutation(labels_of(sizes))
    counts = dict(
        zip(
            ("test", "validation", "train"),
            (share and int(share * len(labels_N)) for share in shares),
            strict=True,
        )
    )
    if counts["train"] is not None:
        counts["train"] = min(counts["train"], len(labels_N) - counts["test"] - counts["validation"])
    try:
        splits = stratified(labels_N, counts, tuple("abcdef"[: len(sizes)]), seed, "train")
    except MimicError as error:
        assert "leave none" in str(error)
        return
    used = np.concatenate(list(splits.values()))
    assert len(set(used)) == len(used)
    left_K = np.array(sizes)
    for name, indices in splits.items():
        assert len(indices) == (counts[name] or left_K.sum())
        got_K = np.bincount(labels_N[indices], minlength=len(sizes))
        assert (np.abs(got_K - len(indices) * left_K / left_K.sum()) < 1).all()
        left_K = left_K - got_K
    assert counts["train"] is not None or len(used) == len(labels_N)


def test_the_seed_decides_and_nothing_else():
    labels_N = labels_of([40, 40, 40])
    one, same, other = (
        stratified(labels_N, {"validation": 30}, CLASSES, seed, "train")["validation"] for seed in (1, 1, 2)
    )
    assert (one == same).all() and (one != other).any()


def test_any_beginning_of_a_split_is_mixed():
    indices = stratified(labels_of([300, 300, 300]), {"train": None}, CLASSES, 1, "train")["train"]
    assert np.bincount(labels_of([300, 300, 300])[indices[:90]]).min() > 15


def sizes(splits):
    return {name: len(labels_N) for name, (_, labels_N) in splits.items()}


def test_test_images_come_from_the_test_set_where_there_is_one():
    splits = split_source(source_of([10, 10, 10], [4, 4, 4]), parameters(), 1)
    assert sizes(splits) == {"train": 24, "validation": 6, "test": 12}
    images_NCHW, labels_N = splits["test"]
    assert (images_NCHW[:, 0, 0, 0] // 4 == labels_N).all()


def test_test_images_come_from_train_otherwise():
    splits = split_source(source_of([10, 10, 10]), parameters(test=3, train=12), 1)
    numbers = np.concatenate([images_NCHW[:, 0, 0, 0] for images_NCHW, _ in splits.values()])
    assert sizes(splits) == {"train": 12, "validation": 6, "test": 3}
    assert len(set(numbers)) == 21
    assert all((images_NCHW[:, 0, 0, 0] // 10 == labels_N).all() for images_NCHW, labels_N in splits.values())


def test_validation_images_come_from_their_own_set_where_there_is_one():
    alone = source_of([10, 10, 10], [4, 4, 4])
    own = replace(
        alone, validation_images_NCHW=100 + alone.test_images_NCHW, validation_labels_N=alone.test_labels_N
    )
    splits = split_source(own, parameters(), 1)
    assert sizes(splits) == {"train": 30, "validation": 6, "test": 12}
    assert (splits["validation"][0] >= 100).all()
    with pytest.raises(
        MimicError, match=r"data\.validation: needs 13 of the validation images, but 12 are left"
    ):
        split_source(own, parameters(validation=13), 1)


@pytest.mark.parametrize(
    ("source", "changes", "expected"),
    [
        (source_of([10, 10, 10]), {}, ["data.test", "number", "photos has no test/ folder"]),
        (
            source_of([10, 10, 10], [1, 1, 1]),
            {"validation": 31},
            ["data.validation: needs 31", "30 are left (cat 10,"],
        ),
        (source_of([10, 10, 10], [1, 1, 1]), {"train": 25}, ["data.train: needs 25", "24 are left (cat 8,"]),
        (
            source_of([10, 10, 10], [1, 1, 1]),
            {"test": 4},
            ["data.test: needs 4 of the test images", "3 are left"],
        ),
        (source_of([2, 2, 2], [1, 1, 1]), {}, ["data.train: needs 1", "0 are left"]),
        (source_of([1, 90, 90], [1, 1, 1]), {}, ["data.validation: 6", "leave none for class cat", "cat 1"]),
    ],
)
def test_too_few_images_are_refused_with_what_there_is(source, changes, expected):
    with pytest.raises(MimicError) as caught:
        split_source(source, parameters(**changes), 1)
    assert all(part in str(caught.value) for part in expected), str(caught.value)


def test_a_split_that_leaves_out_a_class_says_how_many_images_would_do():
    labels_N = np.repeat([0, 1], [2, 98])
    with pytest.raises(
        MimicError, match=r"data.test: 10 images leave none .*; ask for (\d+) or more, or"
    ) as error:
        stratified(labels_N, {"test": 10}, ("rare", "common"), seed=1, pool="train")
    enough = int(re.search(r"ask for (\d+)", str(error.value))[1])
    with pytest.raises(MimicError, match=f"ask for {enough} or"):
        stratified(labels_N, {"test": enough - 1}, ("rare", "common"), seed=1, pool="train")
    chosen_N = stratified(labels_N, {"test": enough}, ("rare", "common"), seed=1, pool="train")["test"]
    assert (labels_N[chosen_N] == 0).sum() == 1


def test_a_class_without_enough_images_for_every_split_needs_more_of_them():
    with pytest.raises(MimicError, match=r"\(there are rare 0, common 9\); add images of that class"):
        stratified(np.ones(9, int), {"test": 3}, ("rare", "common"), seed=1, pool="train")
