import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.data.synthetic import CLASSES, generate

# More images than are drawn at once, so that the seams are tested too.
MANY = 1100


@pytest.fixture(scope="module")
def many():
    return generate(MANY, 32, 1, "train")


def test_images_and_labels_have_the_promised_form(many):
    images, labels = many
    assert images.shape == (MANY, 3, 32, 32) and images.dtype == np.uint8
    assert labels.shape == (MANY,) and labels.dtype == np.int64
    assert len(CLASSES) == len(set(CLASSES)) == 10
    assert generate(3, 17, 1, "train")[0].shape == (3, 3, 17, 17)


def test_the_same_seed_gives_the_same_images(many):
    for first, second in zip(many, generate(MANY, 32, 1, "train"), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1024])
def test_fewer_images_are_the_beginning_of_more(many, count):
    for part, whole in zip(generate(count, 32, 1, "train"), many, strict=True):
        np.testing.assert_array_equal(part, whole[:count])


def test_no_two_images_are_alike(many):
    images = np.concatenate([many[0], generate(100, 32, 1, "test")[0], generate(100, 32, 2, "train")[0]])
    assert len({image.tobytes() for image in images}) == len(images)


@given(count=st.integers(1, 300), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_classes_are_balanced_within_one(count, seed):
    numbers = np.bincount(generate(count, 8, seed, "train")[1], minlength=10)
    assert numbers.max() - numbers.min() <= 1


def test_the_order_of_labels_is_random(many):
    tens = many[1].reshape(-1, 10)
    assert len({tuple(ten) for ten in tens}) > 0.9 * len(tens)


def accuracy_of_a_linear_classifier(train: tuple, test: tuple) -> float:
    """Ridge regression on one-hot labels, the best of several strengths."""

    def rows(images_NCHW: np.ndarray) -> np.ndarray:
        flat = images_NCHW.reshape(len(images_NCHW), -1).astype(np.float32)
        flat = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
        return np.hstack([flat, np.ones((len(flat), 1), np.float32)])

    inputs, targets = rows(train[0]), np.eye(10, dtype=np.float32)[train[1]]
    gram = inputs @ inputs.T  # fewer images than pixels: solve in the space of images
    best = 0.0
    for strength in (1e2, 1e3, 1e4, 1e5):
        weights = inputs.T @ np.linalg.solve(gram + strength * np.eye(len(gram), dtype=np.float32), targets)
        best = max(best, (rows(test[0]).dot(weights).argmax(1) == test[1]).mean())
    return best


def test_pixels_alone_hardly_tell_the_class():
    train, test = generate(2000, 32, 1, "train"), generate(1000, 32, 1, "test")
    assert accuracy_of_a_linear_classifier(train, test) < 0.3
    centroids = np.stack([train[0][train[1] == label].mean(0) for label in range(10)])
    distance = ((test[0][:, None] - centroids[None]) ** 2).sum((2, 3, 4))
    assert (distance.argmin(1) == test[1]).mean() < 0.3


def test_colour_alone_does_not_tell_the_class():
    train, test = generate(2000, 32, 1, "train"), generate(1000, 32, 1, "test")

    def histogram(images_NCHW: np.ndarray) -> np.ndarray:
        levels = images_NCHW.reshape(len(images_NCHW), 3, -1) // 64
        cells = (levels * np.array([16, 4, 1])[:, None]).sum(1)
        return np.stack([np.bincount(row, minlength=64) for row in cells])[:, None, None, :]

    assert (
        accuracy_of_a_linear_classifier((histogram(train[0]), train[1]), (histogram(test[0]), test[1])) < 0.3
    )
