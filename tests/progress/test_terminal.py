"""Lines that stay and lines that live, on a terminal and in a file."""

import io

from mimic.support.terminal import Terminal


def test_lines_that_stay_come_above_those_that_live(tty):
    terminal = Terminal(tty)
    terminal.live([("one", None)], [("two", "green")])
    terminal.say(("said", "red"))
    assert tty.shown == ["said", "one", "two"]
    terminal.live([("three", None)])
    assert tty.shown == ["said", "three"]
    terminal.live()
    assert tty.shown == ["said"]


def test_a_live_line_never_fills_the_terminal(tty):
    Terminal(tty).live([("x" * 98, None), ("yz", "dim")])
    assert tty.shown == ["x" * 98 + "…"]


def test_live_lines_never_leave_the_screen(tty):
    terminal = Terminal(tty)
    for _ in range(2):
        terminal.live(*[[(str(number), None)] for number in range(50)])
    assert tty.shown == [str(number) for number in range(23)]


def test_a_live_line_stays_one_line_whatever_is_in_it(tty):
    Terminal(tty).live([("a\nb\x1b[2Jc", None)])
    assert tty.shown == ["a b [2Jc"]


def test_a_file_holds_plain_lines_alone():
    file = io.StringIO()
    terminal = Terminal(file)
    terminal.live([("one", "green")])
    terminal.say(("said ", "red"), ("so", None))
    terminal.live()
    assert file.getvalue() == "said so\n"


def test_colours_can_be_refused(tty, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    Terminal(tty).say(("said", "red"))
    Terminal(tty, colour=False).say(("said", "red"))
    assert tty.getvalue() == "said\n" * 2
