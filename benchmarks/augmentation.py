"""Images a second through augmentation and standardisation, against scipy and Pillow image by image.

Usage: python benchmarks/augmentation.py [--threads 1 2] [--batch 256] [--images 8192]

The reference is what a data loader does for each image: flip, cut, `scipy.ndimage.zoom` of each channel,
Pillow's conversion to HSV and back, standardise. It uses one process and one thread. (Pillow rounds HSV to
bytes, so its results are coarser; Python's colorsys, exact but pixel by pixel, would be far slower still.)
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import zoom

from mimic.data.augment import Augmenter, standardise
from mimic.data.image_parameters import Augmentation
from mimic.engine.provenance import processor

SIZE = 32


def one_at_a_time(image_CHW: np.ndarray, draws: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """The same augmentation of a single image, without matrices or batches."""
    mirror, size, x, y, hue, s_factor, s_shift, v_factor, v_shift = draws
    hsv, (least, most) = augmentation.hsv, augmentation.window
    if mirror < augmentation.mirror:
        image_CHW = image_CHW[:, :, ::-1]
    size = least + int(size * (most - least + 1))
    x, y = int(x * (SIZE - size + 1)), int(y * (SIZE - size + 1))
    window = image_CHW[:, y : y + size, x : x + size].astype(np.float32)
    resized = np.stack([zoom(channel, SIZE / size, order=3) for channel in window]).clip(0, 255)
    pixels = Image.fromarray(resized.round().astype(np.uint8).transpose(1, 2, 0)).convert("HSV")
    h, s, v = np.asarray(pixels, dtype=np.float32).transpose(2, 0, 1)
    h = (h + 256 * hsv.Dh * (2 * hue - 1)) % 256
    s = s * np.interp(s_factor, (0, 1), (1 / (1 + hsv.As), 1 + hsv.As)) + 255 * hsv.Ds * (2 * s_shift - 1)
    v = v * np.interp(v_factor, (0, 1), (1 / (1 + hsv.Av), 1 + hsv.Av)) + 255 * hsv.Dv * (2 * v_shift - 1)
    changed = np.stack([h, s.clip(0, 255), v.clip(0, 255)], axis=-1).astype(np.uint8)
    rgb = np.asarray(Image.fromarray(changed, mode="HSV").convert("RGB"), dtype=np.float32).transpose(2, 0, 1)
    return (rgb - rgb.mean()) / max(rgb.std(), 1e-5)


def images_per_second(work: Callable[[], None], images: int, repetitions: int = 5) -> float:
    """The best of several repetitions, since other processes only ever slow one down."""
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return images / min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--images", type=int, default=8192)
    arguments = parser.parse_args()

    augmentation = Augmentation()
    augmenter = Augmenter(augmentation, SIZE)
    images = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (arguments.images, 3, SIZE, SIZE), dtype=np.uint8)
    )
    draws = augmenter.draws(len(images), 0, "benchmark")
    print(f"{processor()}; torch {torch.__version__}; {SIZE} x {SIZE} RGB, batches of {arguments.batch}")

    def reference() -> None:
        for image, row in zip(images[:512].numpy(), draws[:512].numpy(), strict=True):
            one_at_a_time(image, row, augmentation)

    def batched() -> None:
        for pair in zip(images.split(arguments.batch), draws.split(arguments.batch), strict=True):
            standardise(augmenter(*pair))

    slow = images_per_second(reference, 512, repetitions=3)
    print(f"one image at a time:    {slow:8,.0f} images/s")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        fast = images_per_second(batched, len(images))
        print(f"batched, threads = {threads}:   {fast:8,.0f} images/s = {fast / slow:.1f} x")


if __name__ == "__main__":
    main()
