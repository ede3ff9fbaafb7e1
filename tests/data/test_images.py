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


def png(width, height, bits, channels, content):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(content))
        + chunk(b"IEND", b"")
    )


def huge_png(side):
    return png(side, side, 8, 3, b"")


def deep_png(values_HWC):
    """16 bits a channel, which Pillow doesn't write in colour."""
    height, width, channels = values_HWC.shape
    rows = (b"\0" + row.tobytes() for row in values_HWC.astype(">u2"))
    return png(width, height, 16, channels, b"".join(rows))


def deep_tiff(values_HWC, compressed):
    """The same as an uncompressed or deflated TIFF of little-endian numbers."""
    height, width, channels = values_HWC.shape
    content = values_HWC.astype("<u2").tobytes()
    content = zlib.compress(content) if compressed else content
    bits = 8 + 2 + 12 * 9 + 4  # where they stand, after the header and nine entries
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, bits),
        (259, 4, 1, 8 if compressed else 1),
        (262, 4, 1, 2), (273, 4, 1, bits + 2 * channels), (277, 4, 1, channels), (278, 4, 1, height),
        (279, 4, 1, len(content)),
    ]  # fmt: skip
    listed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + struct.pack("<I", 0)
    return head + struct.pack(f"<{channels}H", *[16] * channels) + content


def grey(values_HWC, kind):
    return Image.fromarray(values_HWC[..., 0].astype(kind))


def random_values(most, channels, shape=(SIZE, SIZE)):
    return np.random.default_rng(0).integers(3, most + 1, (*shape, channels))


@pytest.mark.parametrize(
    ("values_HWC", "encode"),
    [
        (random_values(4095, 1), deep_png),
        (random_values(4095, 3), deep_png),
        (random_values(255, 3), deep_png),
        (random_values(65_535, 3), deep_png),
        (random_values(4095, 3), lambda values: deep_tiff(values, compressed=False)),
        (random_values(4095, 3), lambda values: deep_tiff(values, compressed=True)),
        (random_values(4095, 1), lambda values: encoded(grey(values, np.uint16))),
        (random_values(4095, 1), lambda values: encoded(grey(values, np.int32), "TIFF")),
    ],
)  # fmt: skip
def test_sixteen_bits_are_kept_until_the_range_of_the_set_is_known(values_HWC, encode):
    deep = decoded(encode(values_HWC))
    assert (deep.values_CHW == values_HWC.transpose(2, 0, 1)).all()
    assert (deep.least, deep.most) == (values_HWC.min(), values_HWC.max())


def test_an_opaque_channel_costs_no_bits_and_transparency_counts():
    values_HWC = random_values(4095, 4)
    values_HWC[..., 3] = 65_535
    assert (decoded(deep_png(values_HWC)).values_CHW == values_HWC[..., :3].transpose(2, 0, 1)).all()
    values_HWC[:4, :, 3] = 0
    assert (decoded(deep_png(values_HWC))[:, :4] == 255).all()  # white


def test_the_range_of_the_set_becomes_that_of_grey_levels():
    deep = decoded(deep_png(np.array([[[1000], [1511]], [[1803], [1204]]])), 2)
    assert deep.scaled(1000, 2020).tolist() == 3 * [[[0, 128], [201, 51]]]  # 127.75, 200.75
    assert deep.scaled(0, 65_535)[0].tolist() == [
        [4, 6],
        [7, 5],
    ]  # what is left of it by the range of the file


def test_deep_images_are_cropped_resized_and_turned_as_others_are():
    values_HWC = random_values(255, 3, (30, 50))
    shallow = decoded(encoded(Image.fromarray(values_HWC.astype(np.uint8))))
    assert np.abs(decoded(deep_png(values_HWC)).scaled(0, 255).astype(int) - shallow).max() <= 1


def test_a_resized_image_stays_within_its_own_range():
    edge_HWC = np.full((40, 40, 1), 5000)
    edge_HWC[:20] = 9000
    deep = decoded(deep_png(edge_HWC))
    assert (deep.values_CHW.min(), deep.values_CHW.max()) == (5000, 9000)


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
