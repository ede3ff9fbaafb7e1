"""What every further transform must do, whichever there are, and what each does."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation
from mimic.data.transforms.cutout import GREY, Cutout
from mimic.support.parts import parts_of

TRANSFORMS = {part.__name__: part for part in parts_of("mimic.data.transforms")}


@pytest.fixture(params=TRANSFORMS.values(), ids=TRANSFORMS, scope="session")
def transform(request):
    return request.param()


def noise(count: int, size: int = 32) -> torch.Tensor:
    return torch.randint(256, (count, 3, size, size), generator=torch.Generator().manual_seed(1)).byte()


def test_it_leaves_the_draws_of_the_others_as_they_are(transform):
    plain, more = Augmenter(Augmentation(), 32), Augmenter(Augmentation(transforms=(transform,)), 32)
    draws_N9, draws_ND = plain.draws(6, 1, "transfer", 3), more.draws(6, 1, "transfer", 3)
    assert torch.equal(draws_ND[:, :9], draws_N9)
    assert draws_ND.shape == (6, 9 + transform.draws)
    assert not torch.isin(draws_ND[:, 9:], draws_N9).any()


def test_an_image_depends_on_its_own_draws_alone(transform):
    augmenter, images = Augmenter(Augmentation(transforms=(transform,)), 32), noise(8)
    draws = augmenter.draws(8, 1, "test")
    whole = augmenter(images, draws)
    assert torch.equal(whole, augmenter(images, draws))
    for rows in ([3], [5, 2], [7, 0, 3]):
        assert torch.equal(augmenter(images[rows], draws[rows]), whole[rows])


def test_it_makes_images_and_does_something(transform):
    augmenter, images = Augmenter(Augmentation(transforms=(transform,)), 32), noise(8)
    draws = augmenter.draws(8, 1, "test")
    found, plain = augmenter(images, draws), Augmenter(Augmentation(), 32)(images, draws[:, :9])
    assert found.dtype == torch.float32 and found.shape == images.shape
    assert found.min() >= 0 and found.max() <= 255
    assert not torch.equal(found, plain)


def test_a_kind_stands_there_once(transform):
    with pytest.raises(ValidationError, match=f"transforms: {transform.kind} stands there twice"):
        Augmentation(transforms=(transform, transform))


draws = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 12), st.integers(4, 10), st.tuples(draws, draws))
def test_cutout_covers_a_square_around_a_pixel(side, size, draws):
    images = torch.rand(1, 3, size, size)
    found = Cutout(size=side).apply(images, torch.tensor([draws], dtype=torch.float64))
    top, left = (int(draw * size) - side // 2 for draw in draws)
    expected = images.clone()
    expected[:, :, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = GREY
    assert torch.equal(found, expected)
