"""The embedded data: ten classes of coloured shapes and textures at random places over clutter.

Place, size, angle and colour of the shape vary freely, so that no template of pixels and no colour tells
a class: a net has to find edges and their arrangement anywhere in the image. Everything here is ours.
"""

from collections.abc import Callable

import numpy as np

from mimic.data.seeds import uniform_rows

Field = np.ndarray  # a number at each pixel of each image: [N, H, W], or broadcast to it


def _disc(u: Field, v: Field) -> Field:
    return np.hypot(u, v) - 0.9


def _square(u: Field, v: Field) -> Field:
    return np.maximum(np.abs(u), np.abs(v)) - 0.8


def _triangle(u: Field, v: Field) -> Field:
    return np.maximum(-v, 0.866 * np.abs(u) + 0.5 * v) - 0.55


def _star(u: Field, v: Field) -> Field:
    return np.hypot(u, v) - 0.7 - 0.35 * np.cos(5 * np.arctan2(v, u))


def _cross(u: Field, v: Field) -> Field:
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(u, v) - 1, np.minimum(u, v) - 0.28)


def _ring(u: Field, v: Field) -> Field:
    return np.abs(np.hypot(u, v) - 0.75) - 0.2


def _frame(u: Field, v: Field) -> Field:
    return np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.65) - 0.2


def _stripes(u: Field, v: Field) -> Field:
    return np.maximum(np.hypot(u, v) - 1, 0.2 * np.sin(7 * u))


def _checks(u: Field, v: Field) -> Field:
    return np.maximum(np.hypot(u, v) - 1, 0.2 * np.sin(5 * u) * np.sin(5 * v))


def _dots(u: Field, v: Field) -> Field:
    return np.maximum(np.hypot(u, v) - 1, 0.2 * (0.6 - np.cos(7 * u) - np.cos(7 * v)))


# In the shape's own coordinates, about 1 from its centre to its rim: negative inside, positive outside, and
# near the edge about the distance from it. Mirrored, each is still of its class.
_SHAPES: dict[str, Callable[[Field, Field], Field]] = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "frame": _frame,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
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
    labels_N = _labels(count, seed, purpose)
    images_NCHW = np.empty((count, 3, image_size, image_size), dtype=np.uint8)
    for block, start in enumerate(range(0, count, _BLOCK)):
        part = slice(start, start + _BLOCK)
        images_NCHW[part] = _draw(labels_N[part], image_size, seed, purpose, block)
    return images_NCHW, labels_N


def _labels(count: int, seed: int, purpose: str) -> np.ndarray:
    """Each ten labels in a row are the ten classes in random order."""
    tens = -(-count // len(CLASSES))
    order = uniform_rows(tens, len(CLASSES), seed, "synthetic", purpose, "labels").argsort(axis=1)
    return order.ravel()[:count].astype(np.int64)


class _Draws:
    """Tables of uniform draws for a block of images, one row an image, float32 for speed."""

    def __init__(self, count: int, *purpose: str | int):
        self._count, self._purpose = count, purpose

    def __call__(self, what: str, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """[count, *shape, 1, 1] draws in low..high; the last two axes broadcast over pixels."""
        rows = uniform_rows(self._count, int(np.prod(shape)), *self._purpose, what).astype(np.float32)
        return (low + (high - low) * rows).reshape(self._count, *shape, 1, 1)


def _draw(labels_N: np.ndarray, image_size: int, seed: int, purpose: str, block: int) -> np.ndarray:
    """One block of images, uint8 NCHW: a background of waves, strokes over it, the shape, and noise."""
    draws = _Draws(len(labels_N), seed, "synthetic", purpose, block)
    y, x = np.mgrid[:image_size, :image_size].astype(np.float32) / image_size + 0.5 / image_size
    ground = draws("ground", 3)
    images = ground + _waves(draws, x, y)
    for stroke in range(_STROKES):
        _paint(images, _stroke(draws, stroke, x, y) * image_size, draws(f"stroke colour {stroke}", 3))
    # Far from the ground's colour in each channel, brighter or darker.
    colour = (ground + draws("contrast", 3, low=0.3, high=0.7)) % 1
    _paint(images, _shape(draws, labels_N, x, y) * image_size, colour)
    noise = uniform_rows(len(images), images[0].size, seed, "synthetic", purpose, block, "noise")
    images += (_NOISE * (2 * noise - 1)).reshape(images.shape)
    return (255 * images.clip(0, 1) + 0.5).astype(np.uint8)


def _waves(draws: _Draws, x: Field, y: Field) -> Field:
    """[N, 3, H, W]: a few plane waves, each in a colour of its own."""
    total = np.zeros((), dtype=np.float32)
    for wave in range(_WAVES):
        angle = draws(f"wave angle {wave}", high=2 * np.pi)
        frequency = draws(f"wave frequency {wave}", low=3.0, high=25.0)  # radians an image size
        phase = draws(f"wave phase {wave}", high=2 * np.pi)
        crests = np.sin(frequency * (np.cos(angle) * x + np.sin(angle) * y) + phase)
        total = total + draws(f"wave colour {wave}", 3, low=-_WAVE, high=_WAVE) * crests[:, None]
    return total


def _stroke(draws: _Draws, stroke: int, x: Field, y: Field) -> Field:
    """[N, H, W]: the distance from a short thick line at a random place, in image sizes."""
    u, v = _turned(
        x - draws(f"stroke x {stroke}"),
        y - draws(f"stroke y {stroke}"),
        draws(f"stroke angle {stroke}", high=np.pi),
    )
    half_length = draws(f"stroke length {stroke}", low=0.03, high=0.25)
    half_width = draws(f"stroke width {stroke}", low=0.015, high=0.05)
    return np.maximum(np.abs(u) - half_length, np.abs(v) - half_width)


def _shape(draws: _Draws, labels_N: np.ndarray, x: Field, y: Field) -> Field:
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
