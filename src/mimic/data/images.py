"""One image file to a square RGB array."""

import io
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow hands EPS to Ghostscript, a program that must not see files from anywhere.
EXCLUDED_FORMATS = {"EPS"}
SIXTEEN_BITS = re.compile(r"RGB[AX]?;16[BLN]")  # a channel, as Pillow calls what a file holds
OTHER_ORDER = {
    "B": "L",
    "L": "B",
    "N": "B" if sys.byteorder == "little" else "L",
}  # of bytes: big, little, native


@dataclass(frozen=True)
class Deep:
    """A square image of 16 bits a channel; what is white in it, only the whole set can tell."""

    values_CHW: np.ndarray  # uint16, one channel or three
    least: int  # before it was resized
    most: int

    def scaled(self, least: int, most: int) -> np.ndarray:
        """Grey levels, uint8 [3, image_size, image_size], from 0 for `least` to 255 for `most`."""
        levels_CHW = (self.values_CHW.astype(np.float64) - least) * (255 / max(1, most - least))
        return np.broadcast_to(levels_CHW.round().astype(np.uint8), (3, *levels_CHW.shape[1:]))


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


def decode(content: bytes, image_size: int, formats: list[str]) -> np.ndarray | Deep:
    """The image as uint8 [3, image_size, image_size], upright and in RGB, or with all of its 16 bits.

    A longer side is cropped to the central square first, and transparent pixels are laid on white; both
    are ours. Raises ValueError with the reason, to follow the file's name, if this can not be done.
    """
    if not content:
        raise ValueError("is empty")
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            stored = _stored_mode(image)
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith("I"):
                return _deep(np.asarray(image).astype(np.int64)[None], image_size)
            if SIXTEEN_BITS.fullmatch(stored) and _is_opaque(image):
                with Image.open(io.BytesIO(content), formats=formats) as low:
                    return _deep(_both_bytes(image, low), image_size)
            return to_array(image, image_size)
    except UnidentifiedImageError:
        raise ValueError("is no image that Pillow can read: damaged, or of an unknown format") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(f"has more than {Image.MAX_IMAGE_PIXELS} pixels") from None
    except Exception as error:  # a damaged file can raise nearly anything inside Pillow
        raise ValueError(f"can not be decoded ({error or type(error).__name__})") from None


def to_array(image: Image.Image, image_size: int) -> np.ndarray:
    """A Pillow image as uint8 [3, image_size, image_size]: central square, Lanczos with antialiasing."""
    return np.asarray(_square(_rgb(image), image_size)).transpose(2, 0, 1)


def _square(image: Image.Image, image_size: int) -> Image.Image:
    if image.size == (image_size, image_size):
        return image
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return square.resize((image_size, image_size), Image.Resampling.LANCZOS)


def _stored_mode(image: Image.Image) -> str:
    """What Pillow will unpack: it makes 8 bits a channel of `RGB;16B`, its upper bytes."""
    arguments = image.tile[0].args if getattr(image, "tile", None) else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _is_opaque(image: Image.Image) -> bool:
    if image.mode == "RGBA":
        least, most = image.getchannel("A").getextrema()
        return least == most
    return not image.has_transparency_data


def _both_bytes(high: Image.Image, low: Image.Image) -> np.ndarray:
    """[3, height, width] of 16 bits; `low` is the same file, unread, to be read in the other byte order."""
    tiles = []
    for tile in low.tile:
        mode, *rest = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        other = mode[:-1] + OTHER_ORDER[mode[-1]]
        tiles.append(tile._replace(args=(other, *rest) if isinstance(tile.args, tuple) else other))
    low.tile = tiles
    ImageOps.exif_transpose(low, in_place=True)
    high_HWC, low_HWC = (np.asarray(image).astype(np.int64)[..., :3] for image in (high, low))
    return (256 * high_HWC + low_HWC).transpose(2, 0, 1)


def _deep(values_CHW: np.ndarray, image_size: int) -> Deep:
    least, most = int(values_CHW.min()), int(values_CHW.max())
    if least < 0 or most > 65_535:
        raise ValueError("its pixels exceed 16 bits; save it with 8 or 16 bits")
    planes = (Image.fromarray(plane_HW.astype(np.float32)) for plane_HW in values_CHW)
    square_CHW = np.stack([np.asarray(_square(plane, image_size)) for plane in planes])
    return Deep(square_CHW.clip(least, most).round().astype(np.uint16), least, most)  # a resizing overshoots


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
