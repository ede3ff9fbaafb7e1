"""Arrays as pictures that stand inside the page."""

import base64
import io

import numpy as np
from PIL import Image

COLUMNS = 8  # of a sheet
SIDE = 32  # pixels of a picture at most
LIKE_IMAGES = 16  # pixels of a filter from which on it is stored as a photograph is, not to the bit,
FEW = 16  # and a sheet has so many of them, so that the page stays small


def picture(image_CHW: np.ndarray) -> str:
    """A test image as the address of a picture."""
    return _address(_small(image_CHW), quality=85)


def sheet(filters_FCHW: np.ndarray) -> str:
    """Filters side by side, in rows, as the address of one picture; what lies between them is transparent."""
    are_large = filters_FCHW.shape[-1] >= LIKE_IMAGES
    tiles = [_small(filter_CHW) for filter_CHW in filters_FCHW[: FEW if are_large else None]]
    step = tiles[0].width + 1
    rows, columns = -(-len(tiles) // COLUMNS), min(COLUMNS, len(tiles))
    whole = Image.new("RGBA", (columns * step - 1, rows * step - 1))
    for place, tile in enumerate(tiles):
        whole.paste(tile, (place % COLUMNS * step, place // COLUMNS * step))
    return _address(whole, quality=60, lossless=not are_large)


def _small(image_CHW: np.ndarray) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(image_CHW.transpose(1, 2, 0)))
    return image if image.width <= SIDE else image.resize((SIDE, SIDE), Image.Resampling.BOX)


def _address(image: Image.Image, **how: int) -> str:
    content = io.BytesIO()
    image.save(content, "WEBP", method=6, **how)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode()}"
