"""Any image becomes an upright square in RGB, and its meaning survives the conversion."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mimic.data.images import decode, image_formats

SIZE = 8
RED = np.array([255, 0, 0])


def encoded(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decoded(content, size=SIZE):
    with image_formats() as formats:
        return decode(content, size, formats)


def flat(mode, colour, **options):
    return encoded(Image.new(mode, (SIZE, SIZE), colour), **options)


def colour_of(content):
    """The colour of an image that has only one."""
    array_CHW = decoded(content)
    assert array_CHW.shape == (3, SIZE, SIZE) and array_CHW.dtype == np.uint8
    assert (array_CHW == array_CHW[:, :1, :1]).all()
    return array_CHW[:, 0, 0]


def test_rgb_of_the_right_size_is_taken_as_it_is():
    pixels_HWC = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    array_CHW = decoded(encoded(Image.fromarray(pixels_HWC)))
    assert (array_CHW == pixels_HWC.transpose(2, 0, 1)).all()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (flat("L", 77), (77, 77, 77)),
        (flat("1", 1), (255, 255, 255)),
        (flat("P", 0, transparency=0), (255, 255, 255)),
        (flat("RGB", (1, 2, 3), transparency=(1, 2, 3)), (255, 255, 255)),
        (flat("RGBA", (255, 0, 0, 255)), (255, 0, 0)),
        (flat("RGBA", (255, 0, 0, 0)), (255, 255, 255)),
        (flat("RGBA", (255, 0, 0, 51)), (255, 204, 204)),
        (flat("LA", (0, 51)), (204, 204, 204)),
        (flat("CMYK", (0, 255, 255, 0), form="TIFF"), (255, 0, 0)),
        (flat("I;16", 128 * 257), (128, 128, 128)),
        (flat("I;16", 65535), (255, 255, 255)),
        (flat("I", 200 * 257, form="TIFF"), (200, 200, 200)),
        (flat("RGB", (10, 20, 30), form="WEBP", lossless=True), (10, 20, 30)),
        (flat("RGB", (10, 20, 30), form="BMP"), (10, 20, 30)),
        (flat("RGB", (10, 20, 30), form="PPM"), (10, 20, 30)),
    ],
)
def test_every_mode_and_format_keeps_its_colour(content, expected):
    assert tuple(colour_of(content)) == expected


def test_a_palette_is_looked_up():
    image = Image.new("P", (SIZE, SIZE), 3)
    image.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2, 9, 8, 7])
    assert tuple(colour_of(encoded(image))) == (9, 8, 7)


def test_cmyk_jpegs_come_out_in_their_colour():
    assert np.abs(colour_of(flat("CMYK", (0, 255, 255, 0), form="JPEG", quality=100)) - RED).max() <= 3


@pytest.mark.parametrize("shape", [(30, 90), (90, 30)])
def test_the_centre_of_a_longer_side_is_kept(shape):
    pixels_HWC = np.zeros((*shape, 3), dtype=np.uint8)
    pixels_HWC[...] = RED
    centre = tuple(slice(side // 2 - 15, side // 2 + 15) for side in shape)
    pixels_HWC[centre] = (0, 255, 0)
    assert tuple(colour_of(encoded(Image.fromarray(pixels_HWC)))) == (0, 255, 0)


def test_shrinking_averages_rather_than_picks():
    stripes = np.zeros((256, 256, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(decoded(encoded(Image.fromarray(stripes))).astype(int) - 127.5).max() < 6


def test_growing_keeps_a_gradient():
    ramp = np.linspace(0, 255, 4).astype(np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
    row = decoded(encoded(Image.fromarray(ramp)), size=16)[0, 0].astype(int)
    assert (np.diff(row) >= -8).all() and row[0] < 20 and row[-1] > 235


def test_photographs_are_turned_upright():
    image = Image.new("RGB", (SIZE, SIZE), "black")
    image.paste("white", (0, 0, SIZE, SIZE // 2))  # the top half
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    array_CHW = decoded(encoded(image, exif=exif))
    assert (array_CHW[:, : SIZE // 2] == 0).all() and (array_CHW[:, SIZE // 2 :] == 255).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_file_that_is_cut_short_never_passes_for_another_image(form):
    content = encoded(Image.effect_noise((16, 16), 50).convert("RGB"), form)
    whole = decoded(content)
    refused = 0
    for length in range(len(content)):
        try:
            assert (decoded(content[:length]) == whole).all()  # no pixel was lost
        except ValueError:
            refused += 1
    assert refused > len(content) / 2


def huge_png(side):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not an image", "unknown format"),
        (flat("RGB", 0)[:40], "decoded|unknown format"),
        (encoded(Image.effect_noise((64, 64), 50), "JPEG")[:700], "truncated"),
        (encoded(Image.effect_noise((64, 64), 50), "PNG")[:-800], "decoded"),
        (huge_png(10_000), "pixels"),
        (huge_png(30_000), "pixels"),
        (flat("F", 0.5, form="TIFF"), "floating-point"),
        (flat("I", 70_000, form="TIFF"), "16 bits"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "unknown format"),
    ],
)
def test_what_can_not_be_decoded_is_explained(content, reason):
    with pytest.raises(ValueError, match=reason):
        decoded(content)
