import os
import signal

import pytest

from mimic.support.interrupt import Interrupted, StopFlag


@pytest.fixture(autouse=True)
def handlers():
    """Those of the tests, whatever a flag leaves."""
    before = {number: signal.getsignal(number) for number in StopFlag.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_raises_the_flag_and_nothing_else(number):
    with StopFlag() as stop:
        assert stop.signum is None
        os.kill(os.getpid(), number)
        assert stop.signum == number


def test_the_second_interrupt_acts_at_once():
    with StopFlag() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.signum == signal.SIGINT


def test_sigterm_may_come_again_and_doesnt_cut_the_last_words_short():
    with StopFlag() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signum == signal.SIGTERM


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in StopFlag.SIGNALS]
    with StopFlag():
        assert [signal.getsignal(number) for number in StopFlag.SIGNALS] != before
    assert [signal.getsignal(number) for number in StopFlag.SIGNALS] == before


def test_the_message_names_the_signal_and_the_place():
    error = Interrupted(signal.SIGTERM, "in epoch 3")
    assert str(error) == "interrupted by SIGTERM in epoch 3; the state is saved"
    assert error.signum == 15
