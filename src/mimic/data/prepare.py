"""From parameters to the packed image set of a study."""

from pathlib import Path

from mimic.core.parameters import Data
from mimic.data.labelled import Progress, silent
from mimic.data.packed import write_packed
from mimic.data.sources import read_source
from mimic.data.splits import split_source


def prepare(parameters: Data, seed: int, folder: Path, progress: Progress = silent) -> dict:
    """Read the source, split it and write the packed image set into `folder`; returns its description.

    Raises MimicError naming the file or parameter at fault.
    """
    source = read_source(parameters, seed, progress)
    progress(
        f"{len(source.train_labels_N)} images of {len(source.classes)} classes read; splitting and packing"
    )
    splits = split_source(source, parameters, seed)
    return write_packed(folder, splits, source.classes, parameters.source)
