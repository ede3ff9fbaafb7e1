import math

import numpy as np
import pytest
import torch

from mimic.training import precision
from mimic.training import predict as module
from mimic.training.predict import measure, predict

CPU = torch.device("cpu")


def test_logits_are_those_of_each_standardised_image_alone(tiny):
    images_NCHW, _ = tiny.images(module.BATCH + 3)
    net = tiny.net(dropout=0.5, batch_normalisation=True)
    logits_NK = predict(net, torch.from_numpy(images_NCHW), "fp32", CPU)
    assert logits_NK.shape == (module.BATCH + 3, 3) and logits_NK.dtype == torch.float32
    net.eval()
    for index in (0, 1, module.BATCH - 1, module.BATCH, module.BATCH + 2):
        image_CHW = images_NCHW[index].astype(np.float64)
        image_CHW = (image_CHW - image_CHW.mean()) / image_CHW.std()
        alone_K = net(torch.from_numpy(image_CHW).float()[None])[0]
        torch.testing.assert_close(logits_NK[index], alone_K, atol=1e-5, rtol=1e-5)


def test_uint8_and_the_same_grey_levels_as_floats_agree(tiny):
    images_NCHW = torch.from_numpy(tiny.images(5)[0])
    net = tiny.net()
    assert torch.equal(predict(net, images_NCHW, "fp32", CPU), predict(net, images_NCHW.float(), "fp32", CPU))


@pytest.mark.parametrize("training", [True, False])
def test_the_net_stays_in_the_mode_it_was_in(tiny, training):
    net = tiny.net().train(training)
    predict(net, torch.from_numpy(tiny.images(2)[0]), "fp32", CPU)
    assert net.training is training


def test_bf16_is_near_fp32_and_not_the_same(tiny, monkeypatch):
    monkeypatch.setattr(precision, "_has_bf16", lambda device_type: True)
    images_NCHW, net = torch.from_numpy(tiny.images(50)[0]), tiny.net()
    exact_NK = predict(net, images_NCHW, "fp32", CPU)
    rounded_NK = predict(net, images_NCHW, "bf16", CPU)
    assert rounded_NK.dtype == torch.float32
    assert 0 < (exact_NK - rounded_NK).abs().max() < 0.05


def test_measure_by_hand():
    logits_NK = torch.tensor([[0.0, 0.0, -1e9], [0.0, math.log(3), -1e9]])
    error, loss = measure(logits_NK, torch.tensor([2, 1]))
    assert error == 0.5
    error, loss = measure(logits_NK, torch.tensor([0, 0]))
    assert (error, loss) == (0.5, pytest.approx((math.log(2) + math.log(4)) / 2))
