"""What memory or disk can't hold is told before any job, and what they can isn't mentioned."""

from types import SimpleNamespace

import psutil
import pytest

from mimic.config.bounds import check_bounds
from mimic.plan import limits
from mimic.plan.limits import check_limits
from mimic.support.errors import MimicError

DATA = {"source": "synthetic", "image_size": 8, "train": 100_000, "validation": 20, "test": 30}
IMAGES = 100_020 * (3 * 64 + 8)  # bytes of those to train on and to validate with, labels too
SCHEDULE = {"kind": "one_cycle", "epochs": 3}


@pytest.fixture
def note(make_study, monkeypatch):
    """What is told of a study of 100,000 images on a machine of some bytes of memory and of disk."""

    def of(memory: float, room: float = 1e12, **changes) -> str | None:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory))
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=room))
        return "; ".join(check_limits(make_study(**{"data": DATA} | changes))) or None

    return of


def test_what_fits_is_not_mentioned(note):
    assert note(1e9) is None


def test_images_count_once(note):
    """Once though they are made as tensors and then a file; nets and batches of this study are small."""
    assert note(IMAGES) is not None
    assert note(1.5 * IMAGES) is None


def test_a_note_says_which_job_and_what_it_needs_it_for(note):
    """20,000 x 20,000 weights and little else: with gradients, momentum and the best, four times 1.6 GB."""
    teacher = {"filters": [2, 3, 4], "hidden": 20_000, "learning_rate": 0.1, "momentum": 0.9}
    members = {"wide": teacher | {"weight_decay": 0.0}}
    told = note(1e9, teachers={"schedule": SCHEDULE, "members": members}, ensemble={"size": 1})
    assert told.startswith(
        "teacher/wide needs at least 6 GB of memory, most of it for weights (widths, filters, hidden); "
        "this machine has 1 GB"
    )


def test_a_disk_too_full_for_what_is_missing_is_told(note, tmp_path):
    """The images once, three epochs of logits and little else, as long as they aren't there."""
    missing = 100_050 * (3 * 64 + 8) + 3 * 100_000 * 10 * 2
    assert note(1e9, room=1.2 * missing) is None
    assert note(1e9, room=0.5 * missing).startswith(
        "results that are not here yet take at least 29 MB; 13 MB are free on the disk of "
    )
    sidecar = tmp_path / "counted/data/job.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.touch()
    assert note(1e9, room=0.5 * missing) is None


def test_what_no_machine_holds_is_refused(note, monkeypatch):
    monkeypatch.setattr(limits, "MOST", IMAGES)
    with pytest.raises(MimicError, match=r"most of it for .*; no machine has more"):
        note(1e9)


def test_a_batch_is_no_larger_than_the_set(note):
    with pytest.raises(MimicError, match=r"dropout_twins\.batch_size: 60000 is more than the 50000 images"):
        note(1e9, data=DATA | {"train": 50_000}, dropout_twins={"schedule": SCHEDULE, "batch_size": 60_000})


def test_the_last_round_that_has_a_name_is_allowed(make_study):
    search = {"trials": 99, "at_once": 1, "space": {"learning_rate": {"low": 0.01, "high": 0.1}}}
    check_bounds(make_study(search={"teachers": search}).parameters)
    with pytest.raises(MimicError, match=r"search.teachers: 100 trials, 1 at once, are 100 rounds"):
        check_bounds(make_study(search={"teachers": search | {"trials": 100}}).parameters)
