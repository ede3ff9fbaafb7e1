import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import zoom
from scipy.stats import chisquare, kstest

from mimic.data.augment import Augmenter, standardise
from mimic.data.image_parameters import Augmentation, Hsv

NO_COLOUR = Hsv(Dh=0.0, Ds=0.0, Dv=0.0, As=0.0, Av=0.0)
PAPER = Augmentation()


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def noise(count: int, size: int = 32) -> torch.Tensor:
    numbers = np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)
    return torch.from_numpy(numbers)


def coordinates(count: int) -> torch.Tensor:
    """Images whose red is 8 times the column and whose green is 8 times the row."""
    ramp = torch.arange(0, 256, 8, dtype=torch.uint8).expand(32, 32)
    return torch.stack([ramp, ramp.T, torch.zeros_like(ramp)]).expand(count, 3, 32, 32)


def slow_reference(image_CHW: np.ndarray, draws: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """The paper's augmentation in plain words: numpy, scipy and colorsys, one image and pixel at a time."""
    mirror, size, x, y, hue, s_factor, s_shift, v_factor, v_shift = draws
    hsv, (least, most) = augmentation.hsv, augmentation.window
    if mirror < augmentation.mirror:
        image_CHW = image_CHW[:, :, ::-1]
    size = least + int(size * (most - least + 1))
    x, y = int(x * (33 - size)), int(y * (33 - size))
    window = image_CHW[:, y : y + size, x : x + size].astype(float)
    image_CHW = np.stack([zoom(channel, 32 / size, order=3) for channel in window]).clip(0, 255)

    def between(low: float, high: float, draw: float) -> float:
        return low + (high - low) * draw

    s_factor = between(1 / (1 + hsv.As), 1 + hsv.As, s_factor)
    v_factor = between(1 / (1 + hsv.Av), 1 + hsv.Av, v_factor)

    def recoloured(pixel: np.ndarray) -> np.ndarray:
        h, s, v = colorsys.rgb_to_hsv(*(pixel / 255))
        h = (h + between(-hsv.Dh, hsv.Dh, hue)) % 1
        s = np.clip(s * s_factor + between(-hsv.Ds, hsv.Ds, s_shift), 0, 1)
        v = np.clip(v * v_factor + between(-hsv.Dv, hsv.Dv, v_shift), 0, 1)
        return 255 * np.array(colorsys.hsv_to_rgb(h, s, v))

    return np.apply_along_axis(recoloured, 0, image_CHW)


def test_equals_the_slow_reference():
    augmenter = Augmenter(PAPER, 32)
    images, draws = noise(20), augmenter.draws(20, 1, "test")
    expected = [slow_reference(*pair, PAPER) for pair in zip(images.numpy(), draws.numpy(), strict=True)]
    np.testing.assert_allclose(augmenter(images, draws).numpy(), expected, rtol=0, atol=0.02)


@given(
    arrays.arrays(np.uint8, (2, 3, 8, 8)), st.lists(st.floats(0, 1, exclude_max=True), min_size=9, max_size=9)
)
def test_the_result_is_an_image(images_NCHW, draws):
    augmenter = Augmenter(Augmentation(window=(5, 8)), 8)
    result = augmenter(torch.from_numpy(images_NCHW), torch.tensor([draws, draws], dtype=torch.float64))
    assert result.shape == images_NCHW.shape and result.dtype == torch.float32
    assert result.min() >= 0 and result.max() <= 255


@given(arrays.arrays(np.uint8, (3, 3, 8, 8)), st.integers(0, 1000))
def test_neutral_settings_change_nothing(images_NCHW, seed):
    augmenter = Augmenter(Augmentation(mirror=0.0, window=(8, 8), hsv=NO_COLOUR), 8)
    result = augmenter(torch.from_numpy(images_NCHW), augmenter.draws(3, seed))
    np.testing.assert_allclose(result.numpy(), images_NCHW, rtol=0, atol=1e-3)


def test_a_sure_mirror_flips_left_and_right():
    augmenter = Augmenter(Augmentation(mirror=1.0, window=(32, 32), hsv=NO_COLOUR), 32)
    images = noise(4)
    result = augmenter(images, augmenter.draws(4, 1))
    np.testing.assert_allclose(result.numpy(), images.flip(3).numpy(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [32, 9, 96])
def test_an_image_does_not_depend_on_its_batch(size, two_threads):
    count = 150 if size < 64 else 10
    augmenter = Augmenter(Augmentation(window=(size * 3 // 4, size)), size)
    images, draws = noise(count, size), augmenter.draws(count, 1, "test")
    together = augmenter(images, draws)
    for batch in (1, 7):
        apart = [augmenter(*pair) for pair in zip(images.split(batch), draws.split(batch), strict=True)]
        torch.testing.assert_close(torch.cat(apart), together, rtol=0, atol=0)
    torch.testing.assert_close(
        standardise(together), torch.cat([standardise(one) for one in together.split(1)]), rtol=0, atol=0
    )
    torch.set_num_threads(1)
    torch.testing.assert_close(augmenter(images, draws), together, rtol=0, atol=0)


def test_autocast_does_not_coarsen_the_result():
    augmenter = Augmenter(PAPER, 32)
    images, draws = noise(4), augmenter.draws(4, 1)
    with torch.autocast("cpu", torch.bfloat16):
        result = augmenter(images, draws)
    torch.testing.assert_close(result, augmenter(images, draws), rtol=0, atol=0)


def test_draws_belong_to_image_and_epoch():
    augmenter = Augmenter(PAPER, 32)
    draws = augmenter.draws(100, 1, "train", 5)
    assert draws.shape == (100, 9)
    torch.testing.assert_close(augmenter.draws(40, 1, "train", 5), draws[:40], rtol=0, atol=0)
    for other in ((1, "train", 6), (2, "train", 5), (1, "transfer", 5)):
        assert not (augmenter.draws(100, *other) == draws).any()


def test_windows_and_mirrors_are_uniform():
    count = 30_000
    augmenter = Augmenter(Augmentation(mirror=0.3, hsv=NO_COLOUR), 32)
    result = augmenter(coordinates(count), augmenter.draws(count, 1, "test"))
    # A cubic zoom keeps the corners: the window's first and last column and row can be read off.
    (left, top), (right, bottom) = (result[:, :2, i, i].div(8).round().int().T.numpy() for i in (0, -1))
    mirrored = left > right
    size, x, y = bottom - top + 1, np.where(mirrored, 31 - left, left), top
    assert np.array_equal(np.abs(right - left) + 1, size)

    def probability(values: np.ndarray, number: int) -> float:
        return chisquare(np.bincount(values, minlength=number)).pvalue

    assert abs(mirrored.mean() - 0.3) < 0.01
    assert size.min() == 24 and probability(size - 24, 9) > 0.001
    for each in range(24, 32):
        assert probability(x[size == each], 33 - each) > 0.001
        assert probability(y[size == each], 33 - each) > 0.001
    joint = np.bincount(9 * x[size == 24] + y[size == 24], minlength=81)
    assert chisquare(joint).pvalue > 0.001


@pytest.mark.parametrize(
    ("key", "extent", "component", "least", "most"),
    [
        ("Dh", 0.06, 0, 0.25 - 0.06, 0.25 + 0.06),
        ("Ds", 0.26, 1, 0.5 - 0.26, 0.5 + 0.26),
        ("Dv", 0.20, 2, 0.6 - 0.20, 0.6 + 0.20),
        ("As", 0.21, 1, 0.5 / 1.21, 0.5 * 1.21),
        ("Av", 0.13, 2, 0.6 / 1.13, 0.6 * 1.13),
    ],
)
def test_colour_changes_are_uniform_on_the_papers_intervals(key, extent, component, least, most):
    count = 2000
    augmenter = Augmenter(Augmentation(hsv=NO_COLOUR.model_copy(update={key: extent})), 32)
    colour = 255 * torch.tensor(colorsys.hsv_to_rgb(0.25, 0.5, 0.6))
    colour = colour.round().byte()
    images = colour[:, None, None].expand(count, 3, 32, 32)
    pixels = augmenter(images, augmenter.draws(count, 1, "test"))[:, :, 16, 16].double() / 255
    component_N = [colorsys.rgb_to_hsv(*pixel)[component] for pixel in pixels.tolist()]
    base = colorsys.rgb_to_hsv(*(colour / 255).tolist())[component]
    nominal = (0.25, 0.5, 0.6)[component]
    exact = [base + b - nominal if key[0] == "D" else base * b / nominal for b in (least, most)]
    assert kstest(component_N, "uniform", args=(exact[0], exact[1] - exact[0])).pvalue > 0.001


@given(arrays.arrays(np.uint8, (3, 3, 5, 5)))
def test_standardise_equals_numpy(images_NCHW):
    flat = images_NCHW.reshape(3, -1).astype(np.float64)
    spread = flat.std(1, keepdims=True)
    expected = (flat - flat.mean(1, keepdims=True)) / np.where(spread == 0, 1, spread)
    result = standardise(torch.from_numpy(images_NCHW)).numpy().reshape(3, -1)
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.1, 127.3, 255.0])
def test_a_constant_image_is_standardised_to_zeros(level):
    assert torch.equal(standardise(torch.full((2, 3, 32, 32), level)), torch.zeros(2, 3, 32, 32))


def test_an_augmented_constant_image_stays_flat():
    augmenter = Augmenter(PAPER, 32)
    white = torch.full((50, 3, 32, 32), 255, dtype=torch.uint8)
    assert standardise(augmenter(white, augmenter.draws(50, 1))).std((2, 3)).max() < 0.1


def test_alternate_mirroring_shows_each_image_both_ways_in_two_epochs():
    augmenter = Augmenter(Augmentation(mirror="alternate", window=(32, 32), hsv=NO_COLOUR), 32)
    images_NCHW, seen = coordinates(200), []
    for epoch in range(4):
        ramp_NW = augmenter(images_NCHW, augmenter.draws(200, 1, "test", epoch))[:, 0, 0]
        seen.append(ramp_NW[:, 0] > ramp_NW[:, -1])
    assert torch.equal(seen[0], ~seen[1]) and torch.equal(seen[0], seen[2]) and torch.equal(seen[1], seen[3])
    assert 60 < seen[0].sum() < 140
    other = augmenter.draws(200, 2, "test", 0)[:, 0]
    assert not torch.equal(other == 0, seen[0])  # of another seed


def test_alternate_mirroring_leaves_all_other_draws_as_they_are():
    plain, alternate = (Augmenter(Augmentation(mirror=m), 32).draws(9, 1, "a", 3) for m in (0.5, "alternate"))
    assert torch.equal(plain[:, 1:], alternate[:, 1:])
