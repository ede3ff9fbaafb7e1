import itertools
import time

import pytest
import torch

from mimic.training.timesheet import Timesheet
from mimic.training.trainer import State


def test_each_has_its_own_time_and_an_equal_share_of_what_is_for_several(monkeypatch):
    clock = itertools.accumulate([100.0, 2.0, 3.0, 5.0, 1.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    one, other = State(epoch_seconds=10.0), State()
    timesheet = Timesheet(torch.device("cpu"))
    timesheet.book(one, other)
    timesheet.book(one)
    timesheet.settle()
    assert (one.epoch_seconds, other.epoch_seconds) == (14.0, 1.0)
    timesheet.book(other)
    timesheet.settle()
    timesheet.settle()
    assert (one.epoch_seconds, other.epoch_seconds) == (14.0, 6.0)
    timesheet.book()  # nobody's
    timesheet.settle()
    assert (one.epoch_seconds, other.epoch_seconds) == (14.0, 6.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_is_asked_when_the_work_was_done_not_when_it_was_launched():
    device, busy, idle = torch.device("cuda", 0), State(), State()
    square = torch.rand(4096, 4096, device=device)
    timesheet = Timesheet(device)
    for _ in range(20):
        square @ square
    timesheet.book(busy)
    timesheet.book(idle)
    timesheet.settle()
    assert busy.epoch_seconds > 10 * idle.epoch_seconds
