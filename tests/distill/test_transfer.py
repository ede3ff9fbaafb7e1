"""The transfer set on disk: what is written comes back, and nothing that does not belong is taken."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mimic.data.image_parameters import Augmentation, Hsv
from mimic.distill.transfer import (
    TransferTargets,
    check_fingerprint,
    fingerprint,
    image_identity,
    read_shard,
    write_shard,
)
from mimic.support.errors import MimicError

IMAGES, CLASSES, SIDE = 70, 10, 8
IDENTITY = image_identity("abc", Augmentation(window=(6, 8)), seed=1, image_size=SIDE)


def images_of(epoch):
    """Some images that differ from epoch to epoch."""
    return torch.rand((IMAGES, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(epoch)) * 255


def logits_of(epochs):
    return torch.randn((len(epochs), IMAGES, CLASSES), generator=torch.Generator().manual_seed(epochs.start))


def write(path, epochs, identity=IDENTITY, logits_ENK=None, dtype="float16"):
    thumbnails_EMCHW = torch.stack([fingerprint(images_of(epoch)) for epoch in epochs])
    logits_ENK = logits_of(epochs) if logits_ENK is None else logits_ENK
    write_shard(path, logits_ENK, epochs, identity, thumbnails_EMCHW, dtype)
    return path


@pytest.fixture
def shards(tmp_path):
    """Five epochs in shards of two, and their paths out of order."""
    ranges = [range(0, 2), range(2, 4), range(4, 5)]
    paths = [write(tmp_path / f"{i:03d}.safetensors", epochs) for i, epochs in enumerate(ranges)]
    return paths[::-1]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_targets_come_back_as_stored(tmp_path, dtype):
    logits_ENK = logits_of(range(4, 7))
    shard = read_shard(write(tmp_path / "s", range(4, 7), dtype=dtype), IDENTITY)
    assert (shard.epochs, shard.images, shard.classes) == (range(4, 7), IMAGES, CLASSES)
    expected_ENK = logits_ENK.to(getattr(torch, dtype)).float()
    for index, epoch in enumerate(shard.epochs):
        assert shard.logits_NK(epoch).dtype == torch.float32
        assert torch.equal(shard.logits_NK(epoch), expected_ENK[index])


def test_each_epoch_comes_from_the_shard_that_holds_it(shards):
    transfer = TransferTargets(shards, IDENTITY, IMAGES, epochs=5)
    for epochs in (range(0, 2), range(2, 4), range(4, 5)):
        for index, epoch in enumerate(epochs):
            assert torch.equal(transfer.targets(epoch), logits_of(epochs)[index].half().float())
    assert transfer.first_epochs == [0, 2, 4]


def test_targets_in_use_do_not_follow_a_file_that_changes(tmp_path):
    path = write(tmp_path / "s", range(1), dtype="float32")
    logits_NK = read_shard(path, IDENTITY).logits_NK(0)
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
    assert torch.equal(logits_NK, logits_of(range(1))[0])


def test_equal_shards_are_equal_files(tmp_path):
    contents = {write(tmp_path / str(index), range(2)).read_bytes() for index in range(8)}
    assert len(contents) == 1


@pytest.mark.parametrize(
    ("other", "item"),
    [
        (image_identity("abd", Augmentation(window=(6, 8)), 1, SIDE), "data is abc there and abd here"),
        (image_identity("abc", Augmentation(window=(6, 8)), 2, SIDE), "seed is 1 there and 2 here"),
        (image_identity("abc", Augmentation(window=(6, 8)), 1, 9), "image_size is 8 there and 9 here"),
        (image_identity("abc", Augmentation(window=(7, 8)), 1, SIDE), "augmentation.window is .6, 8. there"),
        (
            image_identity("abc", Augmentation(window=(6, 8), hsv=Hsv(Dh=0.05)), 1, SIDE),
            "augmentation.hsv.Dh is 0.06 there and 0.05 here",
        ),
        (IDENTITY | {"split": "validation"}, "split is train there and validation here"),
        (IDENTITY | {"rotation": 5}, "rotation is None there and 5 here"),
    ],
)
def test_a_shard_of_other_images_is_refused_by_the_item_that_differs(shards, other, item):
    with pytest.raises(MimicError, match=rf"002.safetensors: .*{item}"):
        TransferTargets(shards, other, IMAGES, epochs=5)


def test_missing_doubled_overlapping_and_surplus_epochs_are_refused(shards, tmp_path):
    last, middle, first = shards
    wide = write(tmp_path / "wide", range(1, 5))
    for given, epochs, held in (
        ([first, last], 5, "0 to 1, 4 to 4, where 0 to 4"),
        ([first, middle], 5, "0 to 1, 2 to 3, where"),
        ([*shards, middle], 5, "0 to 1, 2 to 3, 2 to 3, 4 to 4, where"),
        ([first, wide], 5, "0 to 1, 1 to 4, where"),
        (shards, 4, "0 to 1, 2 to 3, 4 to 4, where 0 to 3 are needed"),
        ([], 5, "of nothing, where 0 to 4"),
    ):
        with pytest.raises(MimicError, match=f"hold epochs {held}"):
            TransferTargets(given, IDENTITY, IMAGES, epochs)


def test_other_counts_of_images_or_classes_are_refused(shards, tmp_path):
    with pytest.raises(MimicError, match=r"000.safetensors: .* 70 images and 10 classes, not of the 71"):
        TransferTargets(shards, IDENTITY, IMAGES + 1, epochs=5)
    narrow = write(tmp_path / "narrow", range(4, 5), logits_ENK=torch.zeros((1, IMAGES, 3)))
    with pytest.raises(MimicError, match=r"narrow: .* 70 images and 3 classes, not of .* and 10"):
        TransferTargets([*shards[1:], narrow], IDENTITY, IMAGES, epochs=5)


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_a_truncated_file_is_called_damaged(shards, keep):
    shards[0].write_bytes(shards[0].read_bytes()[:keep])
    with pytest.raises(MimicError, match=r"002.safetensors: damaged"):
        read_shard(shards[0], IDENTITY)


def test_a_shard_that_holds_less_than_it_promises_is_refused(shards):
    with safe_open(shards[1], framework="pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name)[:1] for name in file.keys()}  # noqa: SIM118
    save_file(tensors, shards[1], metadata)
    with pytest.raises(MimicError, match=r"001.safetensors: holds logits of 1 epochs where it promises 2"):
        read_shard(shards[1], IDENTITY)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(MimicError, match="absent: no such file"):
        read_shard(tmp_path / "absent", IDENTITY)
    save_file({"logits_ENK": torch.zeros((1, 2, 3))}, tmp_path / "foreign")
    with pytest.raises(MimicError, match="foreign: not a shard"):
        read_shard(tmp_path / "foreign", IDENTITY)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_neither_written_nor_read(tmp_path, value):
    logits_ENK = logits_of(range(2))
    logits_ENK[1, 3, 4] = value
    with pytest.raises(MimicError, match="not finite"):
        write(tmp_path / "s", range(2), logits_ENK=logits_ENK)
    assert list(tmp_path.iterdir()) == []

    path = write(tmp_path / "s", range(2), logits_ENK=torch.full((2, IMAGES, CLASSES), 1234.0))
    one, bad = np.float16(1234.0).tobytes(), np.float16(value).tobytes()
    content = path.read_bytes()
    at = content.rindex(one)  # in epoch 1, the last
    path.write_bytes(content[:at] + bad + content[at + 2 :])
    shard = read_shard(path, IDENTITY)
    assert shard.logits_NK(0).isfinite().all()
    with pytest.raises(MimicError, match="epoch 1 are not finite"):
        shard.logits_NK(1)


def test_logits_beyond_float16_need_float32(tmp_path):
    logits_ENK = torch.full((1, IMAGES, CLASSES), -65_505.0)
    with pytest.raises(MimicError, match=r"exceeds 65504.* set transfer.dtype to float32"):
        write(tmp_path / "s", range(1), logits_ENK=logits_ENK)
    shard = read_shard(write(tmp_path / "s", range(1), logits_ENK=logits_ENK, dtype="float32"), IDENTITY)
    assert torch.equal(shard.logits_NK(0), logits_ENK[0])


def test_a_thumbnail_is_the_mean_of_each_4x4_block_of_the_first_64_images():
    images_NCHW = images_of(0)
    thumbnails_MCHW = fingerprint(images_NCHW)
    assert thumbnails_MCHW.shape == (64, 3, 2, 2)
    block = images_NCHW[63, 2, 4:8, 0:4]
    assert thumbnails_MCHW[63, 2, 1, 0].item() == pytest.approx(block.mean().item(), abs=0.07)
    assert fingerprint(images_NCHW[:5]).shape == (5, 3, 2, 2)


def test_images_are_checked_against_the_epoch_they_are_of(shards):
    transfer = TransferTargets(shards, IDENTITY, IMAGES, epochs=5)
    transfer.check_images(3, images_of(3))
    transfer.check_images(3, images_of(3)[:64])
    transfer.check_images(3, images_of(3) + 0.4 * torch.randn(images_of(3).shape).clamp(-1, 1))
    with pytest.raises(MimicError, match=r"001.safetensors, epoch 3: the logits belong to other images"):
        transfer.check_images(3, images_of(2))


@pytest.mark.parametrize(("shift", "accepted"), [(0.4, True), (-0.4, True), (0.6, False), (-0.6, False)])
def test_half_a_grey_level_is_tolerated(shift, accepted):
    images_NCHW = torch.full((2, 3, 8, 8), 100.0)
    moved_NCHW = images_NCHW.clone()
    moved_NCHW[1, 2, 4:, 4:] += shift  # one block of one channel of one image
    if accepted:
        check_fingerprint(fingerprint(images_NCHW), moved_NCHW, "here")
    else:
        with pytest.raises(MimicError, match=r"here: .* differ by 0.6\d? grey levels"):
            check_fingerprint(fingerprint(images_NCHW), moved_NCHW, "here")


def test_images_of_another_shape_or_without_values_have_another_fingerprint():
    stored_MCHW = fingerprint(images_of(0))
    with pytest.raises(MimicError, match="other images"):
        check_fingerprint(stored_MCHW, images_of(0)[:63], "here")
    with pytest.raises(MimicError, match="other images"):
        check_fingerprint(stored_MCHW, images_of(0) * float("nan"), "here")
