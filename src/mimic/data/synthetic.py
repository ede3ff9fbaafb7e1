"""The embedded data: ten classes of coloured shapes and textures at random places over clutter.

Place, size, angle and colour of the shape vary freely, so that no template of pixels and no colour tells
a class: a net has to find edges and their arrangement anywhere in the image. Everything here is ours.
"""

from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from mimic.data.seeds import uniform_rows

Field = np.ndarray  # a number at each pixel of each image: [N, H, W], or broadcast to it
Draws = Callable[..., np.ndarray]  # see _uniform


# In the shape's own coordinates, about 1 from its centre to its rim: negative inside, positive outside, and
# near the edge about the distance from it. Mirrored, each is still of its class.
_SHAPES: dict[str, Callable[[Field, Field], Field]] = {
    "disc": lambda u, v: np.hypot(u, v) - 0.9,
    "square": lambda u, v: np.maximum(abs(u), abs(v)) - 0.8,
    "triangle": lambda u, v: np.maximum(-v, 0.866 * abs(u) + 0.5 * v) - 0.55,
    "star": lambda u, v: np.hypot(u, v) - 0.7 - 0.35 * np.cos(5 * np.arctan2(v, u)),
    "cross": lambda u, v: np.maximum(np.maximum(abs(u), abs(v)) - 1, np.minimum(abs(u), abs(v)) - 0.28),
    "ring": lambda u, v: abs(np.hypot(u, v) - 0.75) - 0.2,
    "frame": lambda u, v: abs(np.maximum(abs(u), abs(v)) - 0.65) - 0.2,
    "stripes": lambda u, v: np.maximum(np.hypot(u, v) - 1, 0.2 * np.sin(7 * u)),
    "checks": lambda u, v: np.maximum(np.hypot(u, v) - 1, 0.2 * np.sin(5 * u) * np.sin(5 * v)),
    "dots": lambda u, v: np.maximum(np.hypot(u, v) - 1, 0.2 * (0.6 - np.cos(7 * u) - np.cos(7 * v))),
}
CLASSES: tuple[str, ...] = tuple(_SHAPES)

_BLOCK = 512  # images drawn at once: bounds the memory
_WAVES, _STROKES = 3, 3  # of the clutter
_RADIUS = (0.2, 0.36)  # of the shape, in image sizes
_TILT = 0.5  # of the shape, radians either way
_WAVE = 0.07  # amplitude of a wave of the background
_NOISE = 0.06  # half-width of each pixel's own noise


def generate(count: int, image_size: int, seed: int, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 3, image_size, image_size] uint8 and labels [count] int64, balanced within one.

    Image i depends on (seed, purpose, i) and the size alone, so that fewer images are the beginning of more.
    """
    tens = -(-count // len(CLASSES))  # each ten labels in a row are the ten classes in random order
    order = uniform_rows(tens, len(CLASSES), seed, "synthetic", purpose, "labels").argsort(axis=1)
    labels_N = order.ravel()[:count].astype(np.int64)
    images_NCHW = np.empty((count, 3, image_size, image_size), dtype=np.uint8)
    for block, start in enumerate(range(0, count, _BLOCK)):
        part = slice(start, start + _BLOCK)
        images_NCHW[part] = _draw(labels_N[part], image_size, seed, "synthetic", purpose, block)
    return images_NCHW, labels_N


def _uniform(
    count: int, purpose: tuple[str | int, ...], what: str, *shape: int, low: float = 0.0, high: float = 1.0
) -> np.ndarray:
    """[count, *shape, 1, 1] float32 draws in low..high, a row an image; the last axes are those of pixels."""
    rows = uniform_rows(count, prod(shape), *purpose, what).astype(np.float32)
    return (low + (high - low) * rows).reshape(count, *shape, 1, 1)


def _draw(labels_N: np.ndarray, image_size: int, *purpose: str | int) -> np.ndarray:
    """One block of images, uint8 NCHW: a background of waves, strokes over it, the shape, and noise."""
    draws = partial(_uniform, len(labels_N), purpose)
    y, x = np.mgrid[:image_size, :image_size].astype(np.float32) / image_size + 0.5 / image_size
    ground = draws("ground", 3)
    images = ground + _waves(draws, x, y)
    for stroke in range(_STROKES):
        _paint(images, _stroke(draws, stroke, x, y) * image_size, draws(f"stroke colour {stroke}", 3))
    # Far from the ground's colour in each channel, brighter or darker.
    colour = (ground + draws("contrast", 3, low=0.3, high=0.7)) % 1
    _paint(images, _shape(draws, labels_N, x, y) * image_size, colour)
    noise = uniform_rows(len(images), images[0].size, *purpose, "noise")
    images += (_NOISE * (2 * noise - 1)).reshape(images.shape)
    return (255 * images.clip(0, 1) + 0.5).astype(np.uint8)


def _waves(draws: Draws, x: Field, y: Field) -> Field:
    """[N, 3, H, W]: a few plane waves, each in a colour of its own."""
    total = np.zeros((), dtype=np.float32)
    for wave in range(_WAVES):
        angle = draws(f"wave angle {wave}", high=2 * np.pi)
        frequency = draws(f"wave frequency {wave}", low=3.0, high=25.0)  # radians an image size
        phase = draws(f"wave phase {wave}", high=2 * np.pi)
        crests = np.sin(frequency * (np.cos(angle) * x + np.sin(angle) * y) + phase)
        total = total + draws(f"wave colour {wave}", 3, low=-_WAVE, high=_WAVE) * crests[:, None]
    return total


def _stroke(draws: Draws, stroke: int, x: Field, y: Field) -> Field:
    """[N, H, W]: the distance from a short thick line at a random place, in image sizes."""
    u, v = _turned(
        x - draws(f"stroke x {stroke}"),
        y - draws(f"stroke y {stroke}"),
        draws(f"stroke angle {stroke}", high=np.pi),
    )
    half_length = draws(f"stroke length {stroke}", low=0.03, high=0.25)
    half_width = draws(f"stroke width {stroke}", low=0.015, high=0.05)
    return np.maximum(np.abs(u) - half_length, np.abs(v) - half_width)


def _shape(draws: Draws, labels_N: np.ndarray, x: Field, y: Field) -> Field:
    """[N, H, W]: about the distance from the edge of each image's shape, in image sizes."""
    radius = draws("radius", low=_RADIUS[0], high=_RADIUS[1])
    centre_x = 0.5 + (1 - 1.6 * radius) * draws("x", low=-0.5, high=0.5)
    centre_y = 0.5 + (1 - 1.6 * radius) * draws("y", low=-0.5, high=0.5)
    u, v = _turned((x - centre_x) / radius, (y - centre_y) / radius, draws("tilt", low=-_TILT, high=_TILT))
    outside = np.empty_like(u)
    for label, shape in enumerate(_SHAPES.values()):
        of_class = labels_N == label
        outside[of_class] = shape(u[of_class], v[of_class])
    return outside * radius


def _turned(x: Field, y: Field, angle: Field) -> tuple[Field, Field]:
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _paint(images_NCHW: Field, distance_NHW: Field, colour_NC11: Field) -> None:
    """Paint, in place, where the distance from an edge (in pixels) is negative; the edge is smoothed."""
    cover = np.clip(0.5 - distance_NHW, 0, 1)[:, None]
    images_NCHW += cover * (colour_NC11 - images_NCHW)
