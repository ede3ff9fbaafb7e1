"""Pooling by the compiled kernel and by torch: the same bits, forward and backward."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from mimic.nets import pooling

pytestmark = pytest.mark.skipif(pooling._kernel() is None, reason="no compiler when mimic was installed")


def both(maps_NCHW: torch.Tensor, size: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Pooled maps, and their gradient for random ones: by the kernel and by torch."""
    maps_NCHW = maps_NCHW.contiguous(memory_format=torch.channels_last).requires_grad_()
    assert pooling._suits_kernel(maps_NCHW)
    results = []
    for pool in (pooling.Pool2d(size), lambda maps: functional.max_pool2d(maps, size)):
        pooled = pool(maps_NCHW)
        gradient = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(1)).bfloat16()
        results.append([pooled, *torch.autograd.grad(pooled, maps_NCHW, gradient)])
    return results[0], results[1]


@given(
    images=st.integers(1, 3),
    channels=st.integers(16, 70),
    height=st.integers(3, 11),
    width=st.integers(3, 11),
    size=st.integers(2, 3),
    values=st.sampled_from([3, 1000]),  # few: the first of equal ones counts
    seed=st.integers(0, 1000),
)
def test_pooling_and_its_gradient_are_those_of_torch(images, channels, height, width, size, values, seed):
    generator = torch.Generator().manual_seed(seed)
    maps_NCHW = torch.randint(-values, values, (images, channels, height, width), generator=generator)
    ours, theirs = both(maps_NCHW.bfloat16(), size)
    assert all(map(torch.equal, ours, theirs))


def test_what_is_not_finite_is_seen():
    """A training that diverges must not be healed by its pooling."""
    maps_NCHW = torch.zeros(1, 16, 4, 4)
    maps_NCHW[0, :, 1, 0] = torch.tensor([float("nan"), -float("nan"), float("inf"), -float("inf")] * 4)
    ours, theirs = both(maps_NCHW.bfloat16(), 2)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0, equal_nan=True)


def test_negative_zero_is_no_less_than_zero():
    maps_NCHW = torch.zeros(1, 16, 2, 2)
    maps_NCHW[0, :, 0, 0] = -0.0
    (_, gradient_NCHW), (_, expected_NCHW) = both(maps_NCHW.bfloat16(), 2)
    assert torch.equal(gradient_NCHW, expected_NCHW)


@pytest.mark.parametrize("kind", ["few channels", "fp32", "not channels_last"])
def test_what_the_kernel_does_not_take_is_left_to_torch(kind):
    maps_NCHW = torch.randn(2, 8 if kind == "few channels" else 32, 6, 6)
    maps_NCHW = maps_NCHW if kind == "fp32" else maps_NCHW.bfloat16()
    if kind != "not channels_last":
        maps_NCHW = maps_NCHW.contiguous(memory_format=torch.channels_last)
    assert not pooling._suits_kernel(maps_NCHW)
    assert torch.equal(pooling.Pool2d(2)(maps_NCHW), functional.max_pool2d(maps_NCHW, 2))
