"""`mimic pull`: bring a study's results from a DVC remote, and believe nothing of it but digests.

dvc.lock comes with git and is trusted, a remote is not. `dvc pull` takes a remote at its word: a folder's
listing with a path such as `../../src/…` would have it write there. So listings are fetched and checked
first, then `dvc fetch` brings the files that they name, these are checked, and `dvc checkout` places them.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from mimic.config.reading import read_parameters
from mimic.engine import dvc_cache, dvc_lock, dvc_rwlock
from mimic.engine.dvc_lock import LOCK, PARAMS
from mimic.engine.run_lock import alone
from mimic.engine.sidecar import file_md5
from mimic.report import vega
from mimic.support import publish
from mimic.support.errors import MimicError


def run(options) -> int:
    """Fetch, check and place the results that dvc.lock holds of the study of params.yaml.

    Raises MimicError when dvc.lock holds none, or when the remote lacks a file or has it damaged; nothing
    is placed then.
    """
    study = read_parameters(PARAMS).study
    outs = dvc_lock.outs(study)
    if not outs:
        raise MimicError(f"{LOCK}: holds nothing of study {study}, so there is nothing to pull")
    with alone("make pull"):
        if healed := dvc_rwlock.heal():
            print(healed)
        _fetch_listings(outs)
        subprocess.run([sys.executable, "-m", "dvc", "fetch"])
        _check(outs)
        vega.leave_for_dvc()
        return subprocess.run([sys.executable, "-m", "dvc", "checkout"]).returncode


def _fetch_listings(outs: dict[Path, str]) -> None:
    wanted = {path: md5.removesuffix(".dir") for path, md5 in outs.items() if md5.endswith(".dir")}
    missing = {
        path: md5 for path, md5 in wanted.items() if dvc_cache.read(dvc_cache.listing_path(md5), md5) is None
    }
    if not missing:
        return
    try:
        with Repo() as repo:
            remote = repo.cloud.get_remote_odb(command="pull")
            for path, md5 in missing.items():
                _fetch_listing(remote, path, md5)
    except DvcException as error:
        raise MimicError(str(error)) from None


def _fetch_listing(remote, path: Path, md5: str) -> None:
    """Bring the listing of the folder `path`, whose digest is to be `md5`, into the cache."""
    source = remote.oid_to_path(f"{md5}.dir")
    try:
        content = remote.fs.cat_file(source)
    except FileNotFoundError:
        raise MimicError(f"{source}: the remote lacks {path}; was it pushed with `dvc push`?") from None
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise MimicError(f"{source}: {path} is damaged or tampered with: not the digest that dvc.lock has")
    with publish.atomic_path(dvc_cache.listing_path(md5)) as aside:
        aside.write_bytes(content)


def _check(outs: dict[Path, str]) -> None:
    """Raise MimicError naming the files that the cache lacks, or has with another digest."""
    files = {}
    for out, md5 in outs.items():
        if md5.endswith(".dir"):
            listing = dvc_cache.listing(md5.removesuffix(".dir"))
            files |= {out / name: digest for name, digest in listing.items()}
        else:
            files[out] = md5
    if odd := [str(path) for path, md5 in files.items() if dvc_cache.object_path(md5) is None]:
        raise MimicError(f"refused: {', '.join(odd)}: {LOCK} gives no digest; nothing was placed")
    wanted = {str(path): md5 for path, md5 in files.items() if not _is_git_s(path, md5)}
    lacking = [path for path, md5 in wanted.items() if not dvc_cache.object_path(md5).exists()]
    damaged = [path for path, md5 in wanted.items() if path not in lacking and not _is_cached(md5)]
    wrong = []
    if lacking:
        wrong.append(f"{', '.join(lacking)}: the remote lacks them; were they pushed with `dvc push`?")
    if damaged:
        wrong.append(f"{', '.join(damaged)}: damaged or tampered with: not the digests that dvc.lock has")
    if wrong:
        raise MimicError(f"refused: {'; '.join(wrong)}; nothing was placed")


def _is_git_s(path: Path, md5: str) -> bool:
    """Whether a file came with the clone, as metrics and tables do: the cache needn't have it."""
    return not dvc_cache.object_path(md5).exists() and path.is_file() and file_md5(path) == md5


def _is_cached(md5: str) -> bool:
    """Whether the cache has a content with its own digest; another is removed, to be fetched again."""
    path = dvc_cache.object_path(md5)
    if path.exists() and file_md5(path) != md5:
        path.unlink()
    return path.exists()
