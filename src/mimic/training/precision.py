"""Where and how exactly torch computes: the device, bf16 or fp32, repeatable to the bit."""

import contextlib
import ctypes
import os
import re

import torch

from mimic.support.errors import MimicError
from mimic.training.recipe import Precision

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def choose_device() -> torch.device:
    """The GPU if there is one, else the processor; MIMIC_DEVICE (auto, cpu, cuda, cuda:1 …) overrides.

    Raises MimicError when MIMIC_DEVICE names no device of this machine.
    """
    name = os.environ.get("MIMIC_DEVICE", "auto")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise MimicError(f"MIMIC_DEVICE={name}: must be auto, cpu, cuda, or cuda: and a number")
    devices = torch.cuda.device_count()
    if name == "cpu" or (name == "auto" and devices == 0):
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if index >= devices:
        raise MimicError(f"MIMIC_DEVICE={name}: torch sees {devices} CUDA devices; set it to auto or cpu")
    return torch.device("cuda", index)


def prepare(threads: int) -> None:
    """Set torch up so that the same machine, `threads` and parameters give the same bits.

    Call it before anything is computed: cuBLAS reads its setting once. An operation without a
    deterministic form warns, since a training that can not be repeated beats none. TF32 is off: fp32
    means fp32.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    _keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")
    # It costs time, and no result reads such memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next: asking the kernel anew costs a quarter of a step."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_MMAP_THRESHOLD, 2**30) or c_library.mallopt(_M_MMAP_THRESHOLD, 2**25)
        c_library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context of a forward pass: with bf16, matrix products and convolutions are computed in it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def reseed(device: torch.device, seed: int) -> None:
    """Seed what torch draws on `device`. (`torch.manual_seed` seeds every device and costs 80 times more.)"""
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
