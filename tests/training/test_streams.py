import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.data import seeds
from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation


def index_of_image(epoch: int) -> torch.Tensor:
    """Targets that tell images and epochs apart."""
    return 1000 * epoch + torch.arange(40)


def collect(stream, epoch, first=0):
    batches = list(stream.batches(epoch, first))
    return torch.cat([images for images, _ in batches]), torch.cat([targets for _, targets in batches])


def test_an_epoch_holds_each_image_once_augmented_by_its_own_draws_and_with_its_own_target(tiny):
    images_NCHW, _ = tiny.images(40)
    augmenter = Augmenter(Augmentation(window=(6, 8)), image_size=8)
    batched_NCHW, targets_N = collect(tiny.stream(index_of_image), epoch=2)
    assert sorted(targets_N.tolist()) == list(range(2000, 2040))
    draws_ND = augmenter.draws(40, 1, "augmentation", 2)
    for image_CHW, target in zip(batched_NCHW, targets_N, strict=True):
        index = int(target) - 2000
        plain = augmenter(torch.from_numpy(images_NCHW[[index]]), draws_ND[[index]])[0].double().numpy()
        plain = (plain - plain.mean()) / plain.std()
        np.testing.assert_allclose(image_CHW.numpy(), plain, atol=1e-4)


def test_images_come_as_nets_want_them(tiny):
    for images_NCHW, _ in tiny.stream().batches(0):
        assert images_NCHW.dtype == torch.float32
        assert images_NCHW.is_contiguous(memory_format=torch.channels_last)


@given(epoch=st.integers(0, 3), first=st.integers(0, 4))
@settings(max_examples=12)
def test_batches_from_any_step_on_are_the_rest_of_the_epoch(tiny, epoch, first):
    whole = list(tiny.stream().batches(epoch))
    rest = list(tiny.stream().batches(epoch, first))
    assert len(rest) == len(whole) - first
    for (images, targets), (rest_images, rest_targets) in zip(whole[first:], rest, strict=True):
        assert torch.equal(images, rest_images) and torch.equal(targets, rest_targets)


def test_order_and_augmentation_do_not_depend_on_the_batch_size(tiny):
    images_NCHW, targets_N = collect(tiny.stream(index_of_image, batch_size=12), epoch=1)
    others_NCHW, other_targets_N = collect(tiny.stream(index_of_image, batch_size=40), epoch=1)
    assert torch.equal(targets_N, other_targets_N)
    torch.testing.assert_close(images_NCHW, others_NCHW, atol=1e-4, rtol=0)


def test_each_epoch_and_each_seed_has_an_order_of_its_own(tiny):
    def order(seed, epoch):
        return tuple((collect(tiny.stream(index_of_image, seed=seed), epoch)[1] % 1000).tolist())

    assert len({order(seed, epoch) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6
    assert list(order(1, 2)) == seeds.stream(1, "order", 2).permutation(40).tolist()


def test_augmented_epochs_and_their_targets_repeat_after_a_cycle_in_a_new_order(tiny):
    stream = tiny.stream(index_of_image, cycle=2)
    images_NCHW, targets_N = collect(stream, epoch=1)
    later_NCHW, later_targets_N = collect(stream, epoch=3)
    assert not torch.equal(targets_N, later_targets_N)
    assert torch.equal(targets_N.sort().values, later_targets_N.sort().values)
    torch.testing.assert_close(
        images_NCHW[targets_N.argsort()], later_NCHW[later_targets_N.argsort()], atol=1e-4, rtol=0
    )


def test_labels_are_those_of_the_images(tiny):
    _, labels_N = tiny.images(40)
    _, batched_N = collect(tiny.stream(), epoch=0)
    assert batched_N.tolist() == labels_N[seeds.stream(1, "order", 0).permutation(40)].tolist()


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(20, [20, 20]), (12, [12, 12, 12, 4]), (13, [13, 13, 13]), (39, [39]), (50, [40]), (1, [1] * 40)],
)
def test_the_last_batch_is_left_out_only_if_it_is_a_single_image(tiny, batch_size, sizes):
    stream = tiny.stream(batch_size=batch_size)
    assert [len(targets) for _, targets in stream.batches(0)] == sizes
    assert stream.steps_per_epoch == len(sizes)
