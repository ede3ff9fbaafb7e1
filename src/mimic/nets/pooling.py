"""Max-pooling: torch's, or on the processor a kernel of our own that gives the same bits sooner."""

import ctypes
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

FEWEST_CHANNELS = 16  # that the kernel takes at once


class Pool2d(nn.MaxPool2d):
    """Max-pooling without overlap. Where no compiler was found when mimic was installed, torch pools."""

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        """The largest value of each window of `kernel_size` x `kernel_size`; left-over rows are dropped."""
        if _suits_kernel(maps_NCHW) and _kernel():
            return _Pooling.apply(maps_NCHW, self.kernel_size)
        return super().forward(maps_NCHW)


def _suits_kernel(maps_NCHW: Tensor) -> bool:
    return (
        maps_NCHW.device.type == "cpu"
        and maps_NCHW.dtype == torch.bfloat16
        and maps_NCHW.shape[1] >= FEWEST_CHANNELS
        and maps_NCHW.is_contiguous(memory_format=torch.channels_last)
    )


class _Pooling(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, maps_NCHW: Tensor, size: int) -> Tensor:
        images, channels, height, width = maps_NCHW.shape
        shape = images, channels, height // size, width // size
        pooled_NCHW = maps_NCHW.new_empty(shape).contiguous(memory_format=torch.channels_last)
        place_NCHW = torch.empty(shape, dtype=torch.uint8, memory_format=torch.channels_last)
        context.sizes = images, height, width, channels, size
        _kernel().pool(*map(Tensor.data_ptr, (maps_NCHW, pooled_NCHW, place_NCHW)), *context.sizes)
        context.save_for_backward(place_NCHW)
        return pooled_NCHW

    @staticmethod
    def backward(context: Any, gradient_NCHW: Tensor) -> tuple[Tensor, None]:
        (place_NCHW,) = context.saved_tensors
        images, height, width, channels, _ = context.sizes
        gradient_NCHW = gradient_NCHW.contiguous(memory_format=torch.channels_last)
        maps_NCHW = torch.empty(
            (images, channels, height, width), dtype=torch.bfloat16, memory_format=torch.channels_last
        )
        _kernel().pool_backward(*map(Tensor.data_ptr, (gradient_NCHW, place_NCHW, maps_NCHW)), *context.sizes)
        return maps_NCHW, None


@cache
def _kernel() -> Any:
    """pooling_kernel.c, compiled at installation; None if it was not."""
    spec = find_spec("mimic.nets.pooling_kernel")
    if spec is None or spec.origin is None:
        return None
    kernel = ctypes.CDLL(spec.origin)
    for function in (kernel.pool, kernel.pool_backward):
        function.argtypes = (*3 * (ctypes.c_void_p,), *5 * (ctypes.c_int64,))
        function.restype = None
    return kernel
