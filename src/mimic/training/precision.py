"""Where and how exactly torch computes: the device, bf16 or fp32, repeatable to the bit."""

import contextlib
import ctypes
import getpass
import os
import re
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import gettempdir

import torch
from filelock import FileLock, Timeout

from mimic.support.errors import MimicError
from mimic.training.recipe import Precision

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h

_places: list[FileLock] = []  # held as long as the process lives


def choose_device() -> torch.device:
    """The GPU if there is one, else the processor; MIMIC_DEVICE (auto, cpu, cuda, cuda:1 …) overrides.

    Of several GPUs that which the fewest processes have taken so, to be kept until the process ends.

    Raises MimicError when MIMIC_DEVICE names no device of this machine.
    """
    name = os.environ.get("MIMIC_DEVICE", "auto")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise MimicError(f"MIMIC_DEVICE={name}: must be auto, cpu, cuda, or cuda: and a number")
    devices = torch.cuda.device_count()
    if name == "cpu" or (name == "auto" and devices == 0):
        return torch.device("cpu")
    if name == "auto" and devices > 1:
        return torch.device("cuda", _take_a_device())
    index = int(name.partition(":")[2] or 0)
    if index >= devices:
        raise MimicError(f"MIMIC_DEVICE={name}: torch sees {devices} CUDA devices; set it to auto or cpu")
    return torch.device("cuda", index)


@cache
def _take_a_device() -> int:
    """The index of a device of which this process holds the first place that is free, level by level."""
    names = [torch.cuda.get_device_properties(index).uuid for index in range(torch.cuda.device_count())]
    for place in count():
        for index, name in enumerate(names):
            lock = FileLock(Path(gettempdir()) / f"mimic-{getpass.getuser()}-gpu-{name}-{place}.lock")
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)  # the system lets go of it when the process ends, however it ends
                _places.append(lock)
                return index
    raise AssertionError("places do not end")


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
    """The context of a forward pass: with bf16, matrix products and convolutions are computed in it.

    In float32 where the hardware has no such products: there bf16 takes up to 80 times as long.
    """
    return torch.autocast(
        device.type, torch.bfloat16, enabled=product_dtype(device, precision) != torch.float32
    )


def product_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """The type in which `device` multiplies matrices when `precision` is asked for."""
    return torch.bfloat16 if precision == "bf16" and _has_bf16(device.type) else torch.float32


@cache
def _has_bf16(device_type: str) -> bool:
    """Whether the hardware itself multiplies bfloat16 numbers: AVX-512, AMX or Arm's; GPUs since Ampere."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"))


def reseed(device: torch.device, seed: int) -> None:
    """Seed what torch draws on `device`. (`torch.manual_seed` seeds every device and costs 80 times more.)"""
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
