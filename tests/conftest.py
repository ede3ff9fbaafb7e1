"""What tests of several folders share."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

from mimic.data.packed import write_packed

ROOT = Path(__file__).parents[1]

# The same examples in each run: a failure is the change's. `--hypothesis-profile=search` draws new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


NO_CASE = SimpleNamespace(params={})
WHOLE_STUDIES = {"contract", "studies", "faults"}  # folders of tests that start programs by the dozen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of whole studies are `long`, but for a few, and so are those that look at a page of the paper's
    size; those that share a module's results stay together."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        is_whole = folder in WHOLE_STUDIES and not item.get_closest_marker("quick")
        uses = [*getattr(item, "fixturenames", ()), *getattr(item, "callspec", NO_CASE).params.values()]
        if is_whole or any(name == "paper_report" for name in uses if isinstance(name, str)):
            item.add_marker("long")
        if folder != "contract":  # whose studies all workers share
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


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


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """The folder of a packed image set: noise in three classes, 16 pixels a side."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    counts = {"train": 60, "validation": 40, "test": 10}
    splits = {
        split: (random.integers(256, size=(count, 3, 16, 16), dtype=np.uint8), random.integers(3, size=count))
        for split, count in counts.items()
    }
    write_packed(folder, splits, ("a", "b", "c"), "synthetic")
    return folder
