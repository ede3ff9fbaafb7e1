"""What every reader of a data source returns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """All labelled images of a source, before the splits are made."""

    classes: tuple[str, ...]  # the name of label k is classes[k]
    train_images_NCHW: np.ndarray  # uint8 RGB, square
    train_labels_N: np.ndarray  # int64
    test_images_NCHW: np.ndarray | None = None  # None: the source has no test set of its own
    test_labels_N: np.ndarray | None = None
    validation_images_NCHW: np.ndarray | None = None  # None: nor validation images
    validation_labels_N: np.ndarray | None = None
