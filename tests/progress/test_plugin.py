"""The logger as Snakemake finds it."""

import getpass
import io
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from snakemake.logging import LoggerManager
from snakemake.settings.types import OutputSettings, Quietness
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from mimic.support import messages
from snakemake_logger_plugin_mimic import LogHandlerSettings, stand_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def handlers() -> dict:
    """What was asked to be done about signals."""
    return {}


@pytest.fixture
def told(monkeypatch, handlers):
    """What a call of Snakemake writes to standard error, of one message and one event, by its settings."""

    def call(off: bool = False, **settings) -> str:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(signal, "signal", lambda *of: handlers.update([of]))
        logger = logging.Logger("one of its own")
        settings = OutputSettings(log_handler_settings={"mimic": LogHandlerSettings(off)}, **settings)
        manager = LoggerManager(logger, settings)
        logger.info("Select jobs to execute...")
        logger.info("something")
        manager.stop()
        return stream.getvalue()

    return call


def test_it_is_the_default_profile_s_logger():
    profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    assert set(profile["logger"]) <= set(LoggerPluginRegistry().get_registered_plugins())


def test_it_takes_the_place_of_snakemake_s_own_lines(told):
    assert told() == "something\n"
    assert told(quiet={Quietness.ALL}) == ""


@pytest.mark.parametrize("flag", ["off", "dryrun", "verbose", "printshellcmds"])
def test_a_flag_and_whoever_asks_for_more_brings_them_back(told, flag):
    assert told(**{flag: True}) == "Select jobs to execute...\nsomething\n"


def test_a_job_s_own_snakemake_does_not_know_it(told):
    assert told(skip_plugin_handlers=True) == "Select jobs to execute...\nsomething\n"


def test_an_interrupt_is_told_in_a_line_and_a_fault_in_full(monkeypatch, capsys):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for fault in (KeyboardInterrupt(), ValueError("a bug")):
        sys.excepthook(type(fault), fault, None)
    assert capsys.readouterr().err.splitlines() == [messages.STOPPED, "ValueError: a bug"]


@pytest.fixture
def environment(monkeypatch, tmp_path) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path / "home")})
    return os.environ


def test_who_has_a_home_and_a_name_keeps_them(environment, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    before = dict(environment)
    stand_in()
    assert environment == before


def test_in_a_container_without_home_and_name_there_are_others(environment, monkeypatch, tmp_path):
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    environment["HOME"] = os.devnull  # a folder that can't be made, also by root
    stand_in()
    assert environment["XDG_CACHE_HOME"] == str(tmp_path / ".snakemake/cache")
    assert environment["USER"] == str(os.getuid())


def test_who_looks_into_another_s_folder_without_a_home_has_a_folder_for_a_while(
    environment, monkeypatch, tmp_path
):
    environment["HOME"] = os.devnull
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / ".snakemake").write_text("in whose place no folder can be made, also by root")
    stand_in()
    folder = Path(environment["XDG_CACHE_HOME"])
    assert folder.is_dir() and folder.parent == tmp_path


def test_a_dry_run_ends_with_its_reader_and_a_run_does_not(told, handlers):
    told()
    assert handlers == {}
    told(dryrun=True)
    assert handlers == {signal.SIGPIPE: signal.SIG_DFL}
