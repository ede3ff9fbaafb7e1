"""DVC's note of which of its processes reads and writes what, `.dvc/tmp/rwlock`."""

import json

from filelock import FileLock, Timeout

from mimic.engine.dvc_cache import DVC

NOTE = DVC / "tmp" / "rwlock"


def heal() -> str | None:
    """Remove a note that a kill left half written, and say so: DVC refuses everything until it is gone.

    A whole one stays, since DVC itself sees which of its processes have died; and so does one that is being
    written, which DVC guards by a lock.
    """
    if _is_whole():
        return None
    try:
        with FileLock(f"{NOTE}.lock", timeout=0):
            if _is_whole():
                return None
            NOTE.unlink()
    except Timeout:
        return None
    return f"{NOTE}: left half written by a kill, and removed: DVC would have refused everything"


def _is_whole() -> bool:
    try:
        json.loads(NOTE.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
