"""One image file to a square RGB array."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow hands EPS to Ghostscript, a program that must not see files from anywhere.
EXCLUDED_FORMATS = {"EPS"}


@contextmanager
def image_formats() -> Iterator[list[str]]:
    """The formats for `decode`, for use around a whole set of images, from any number of threads.

    Inside, an image of more than Pillow's MAX_IMAGE_PIXELS is an error rather than a warning.
    """
    Image.preinit()  # the common formats first, as they are tried in order
    Image.init()  # before threads are started: the registry of formats is not locked
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield [name for name in Image.ID if name not in EXCLUDED_FORMATS]


def decode(content: bytes, image_size: int, formats: list[str]) -> np.ndarray:
    """The image as uint8 [3, image_size, image_size], upright and in RGB.

    A longer side is cropped to the central square first, and transparent pixels are laid on white; both
    are ours. Raises ValueError with the reason, to follow the file's name, if this can not be done.
    """
    if not content:
        raise ValueError("is empty")
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return to_array(image, image_size)
    except UnidentifiedImageError:
        raise ValueError("is no image that Pillow can read: damaged, or of an unknown format") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(f"has more than {Image.MAX_IMAGE_PIXELS} pixels") from None
    except Exception as error:  # a damaged file can raise nearly anything inside Pillow
        raise ValueError(f"can not be decoded ({error or type(error).__name__})") from None


def to_array(image: Image.Image, image_size: int) -> np.ndarray:
    """A Pillow image as uint8 [3, image_size, image_size]: central square, Lanczos with antialiasing."""
    image = _rgb(image)
    if image.size != (image_size, image_size):
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.crop((left, top, left + side, top + side))
        image = square.resize((image_size, image_size), Image.Resampling.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion would cut every value off at 255
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65_535:
            raise ValueError("its pixels exceed 16 bits; save it with 8 or 16 bits")
        return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
