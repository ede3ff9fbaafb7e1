"""What a preset says of images, fitted to those that a person has: what they left open."""

from collections.abc import Iterator

from pydantic import ValidationError

from mimic.config.parameters import in_proportion
from mimic.data.folders import Layout, pool_labels, read_layout
from mimic.data.image_parameters import Data
from mimic.data.sources import image_path
from mimic.data.splits import choose
from mimic.support.errors import MimicError

VALIDATION, TEST = 5, 6  # one in five of the images to train on, one in six of all, as of CIFAR-10 (ours)


def fitted(preset: dict, study: dict) -> Iterator[tuple[str, object]]:
    """Keys and values that change when the images of `preset` become those of `study`, as in their files.

    Pixels keep their proportion. Where images are other than the preset's, their own numbers are taken; if
    they aren't there, or can't be read, all stays as it is, and `mimic check` tells why.
    """
    try:
        before, data = (Data.model_validate(content["data"]) for content in (preset, study))
    except ValidationError:
        return
    if data.image_size != before.image_size:
        for key, pixels in _pixels(preset):
            yield key, in_proportion(pixels, before.image_size, data.image_size)
    if data.source == "images" and image_path(data).exists():
        try:
            layout = read_layout(image_path(data))
        except MimicError:
            return
        yield from _counts(layout, data)


def _pixels(preset: dict) -> Iterator[tuple[str, list[int]]]:
    """What is given in pixels. Teachers take over the window of the first, unless they have another."""
    for group, key in (("augmentation", "window"), ("evaluation", "translations")):
        yield f"{group}.{key}", preset[group][key]
    known: list[list[int]] = []
    for name, member in preset["teachers"]["members"].items():
        window = member.get("window")
        if window and window not in known:
            known.append(window)
            yield f"teachers.members.{name}.window", window


def _counts(layout: Layout, data: Data) -> Iterator[tuple[str, object]]:
    labels = pool_labels(layout)
    try:
        choose(labels, layout.classes, data, seed=0)
        if data.classes == len(layout.classes):
            return
    except MimicError:
        pass
    images = len(labels["train"])
    yield "data.label", image_path(data).stem
    yield "data.classes", len(layout.classes)
    yield "data.test", None if "test" in labels else (test := images // TEST)
    images -= 0 if "test" in labels else test
    yield "data.validation", len(labels["validation"]) if "validation" in labels else images // VALIDATION
    yield "data.train", None
