"""What tests of several folders share."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples in each run: a failure is the change's. `--hypothesis-profile=search` draws new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Ctrl-C as a person has it: a shell starts what runs in the background with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def make_repository() -> Callable[[Path], Path]:
    """Fill a new folder with what a user's clone has, and the tiny study as the one at hand."""

    def make(folder: Path) -> Path:
        folder.mkdir()
        for name in ("Snakefile", "profiles", "envs", "presets"):
            (folder / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "tests/studies/tiny.yaml", folder / "params.yaml")
        return folder

    return make
