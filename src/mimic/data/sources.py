"""Where the images come from: the parameter data.source."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from mimic.data.cifar import check_cifar, read_cifar
from mimic.data.folders import check_folders, pool_labels, read_folders
from mimic.data.image_parameters import Data
from mimic.data.images import to_array
from mimic.data.labelled import Progress, Source
from mimic.data.splits import choose
from mimic.data.synthetic import CLASSES, generate
from mimic.support import messages


def read_source(parameters: Data, seed: int, progress: Progress = print) -> Source:
    """All images of `parameters.source` at `parameters.image_size`.

    `seed` makes the synthetic images; the others do not depend on it. Raises MimicError naming the file or
    parameter at fault.
    """
    size = parameters.image_size
    if parameters.source == "synthetic":
        train = generate(parameters.train + parameters.validation, size, seed, "train")
        return Source(CLASSES, *train, *generate(parameters.test, size, seed, "test"))
    path = image_path(parameters)
    if parameters.source == "images":
        return read_folders(path, parameters.classes, size, progress)
    source = read_cifar(parameters.source, path, parameters.download, progress)
    return replace(
        source,
        train_images_NCHW=_resized(source.train_images_NCHW, size),
        test_images_NCHW=_resized(source.test_images_NCHW, size),
    )


def check_source(parameters: Data, progress: Progress = lambda line: None) -> dict[str, int]:
    """How many images each split will have, by the listing of the files alone; {} where that says nothing.

    Raises MimicError naming the file or parameter at fault: cheap enough to ask before any job starts.
    """
    if parameters.source == "images":
        layout = check_folders(image_path(parameters), parameters.classes)
        splits = choose(pool_labels(layout), layout.classes, parameters, seed=0)
        counts = {name: len(chosen_N) for name, (_, chosen_N) in splits.items()}
        progress(f"{layout.told()}; {messages.drawn(counts)}")
        return counts
    if parameters.source != "synthetic":
        check_cifar(parameters.source, image_path(parameters), parameters.download)
    return {}


def image_path(parameters: Data) -> Path:
    """Where the images or archives of the user lie."""
    return Path(parameters.path).expanduser()


def _resized(images_NCHW: np.ndarray, size: int) -> np.ndarray:
    if images_NCHW.shape[-1] == size:
        return images_NCHW
    return np.stack(
        [to_array(Image.fromarray(image_HWC), size) for image_HWC in images_NCHW.transpose(0, 2, 3, 1)]
    )
