from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mimic.support.errors import MimicError
from mimic.training import precision

CPU = torch.device("cpu")


def test_the_environment_chooses_the_processor(monkeypatch):
    monkeypatch.setenv("MIMIC_DEVICE", "cpu")
    assert precision.choose_device() == CPU


def test_a_gpu_is_taken_where_there_is_one(monkeypatch):
    expected = torch.device("cuda", 0) if torch.cuda.is_available() else CPU
    monkeypatch.delenv("MIMIC_DEVICE", raising=False)
    assert precision.choose_device() == expected
    monkeypatch.setenv("MIMIC_DEVICE", "auto")
    assert precision.choose_device() == expected


def test_processes_spread_over_the_gpus_of_a_machine_and_give_them_back(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "gettempdir", lambda: tmp_path)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=f"uuid{i}"))
    monkeypatch.setattr(precision, "_places", places := [])
    monkeypatch.delenv("MIMIC_DEVICE", raising=False)

    def taken() -> int:
        precision._take_a_device.cache_clear()  # as another process would
        return precision.choose_device().index

    assert [taken() for _ in range(5)] == [0, 1, 0, 1, 0]
    assert precision.choose_device().index == 0  # a process keeps what it has
    places[3].release()
    assert taken() == 1
    precision._take_a_device.cache_clear()


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:one", "cuda:-1", "CPU", "cuda:99"])
def test_a_device_that_does_not_exist_is_refused_by_name(monkeypatch, name):
    monkeypatch.setenv("MIMIC_DEVICE", name)
    with pytest.raises(MimicError, match=f"MIMIC_DEVICE={name}: "):
        precision.choose_device()


def test_bf16_is_the_precision_of_products_alone(monkeypatch):
    monkeypatch.setattr(precision, "_has_bf16", lambda device_type: True)
    layer = nn.Linear(4, 4)
    with precision.autocast(CPU, "bf16"):
        assert layer(torch.ones(1, 4)).dtype == torch.bfloat16
    with precision.autocast(CPU, "fp32"):
        assert layer(torch.ones(1, 4)).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


@pytest.mark.parametrize(("instruction", "dtype"), [("avx2", torch.float32), ("avx512_bf16", torch.bfloat16)])
def test_a_processor_without_bf16_computes_in_fp32(monkeypatch, instruction, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {instruction: True})
    precision._has_bf16.cache_clear()
    assert precision.product_dtype(CPU, "bf16") == dtype
    with precision.autocast(CPU, "bf16"):
        assert nn.Linear(4, 4)(torch.ones(1, 4)).dtype == dtype
    precision._has_bf16.cache_clear()


def test_a_seed_fixes_what_torch_draws():
    dropout = nn.Dropout(0.5)
    masks = []
    for seed in (1, 2, 1):
        precision.reseed(CPU, seed)
        masks.append(dropout(torch.ones(100)))
    assert torch.equal(masks[0], masks[2])
    assert not torch.equal(masks[0], masks[1])
