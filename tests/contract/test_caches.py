"""With DVC's cache behind hard or symbolic links, a job never writes through them."""

import hashlib
import shutil

import pytest

CONV1 = "student/conv1-20k-logits-s1"


def damaged(folder) -> list[str]:
    """The contents of the cache that are no longer what their names say."""
    found = []
    for path in (folder / ".dvc/cache/files/md5").glob("*/*"):
        digest = hashlib.md5(path.read_bytes()).hexdigest()
        if digest != path.parent.name + path.name.removesuffix(".dir"):
            found.append(str(path))
    return found


@pytest.mark.parametrize(("links", "engine"), [("hardlink", "snakemake"), ("symlink", "dvc")])
def test_linked_results_are_replaced_and_the_cache_stays_whole(repository, engine, links):
    repository.run("dvc", "config", "cache.type", links)
    repository.run("dvc", "checkout", "--relink")
    model = repository.folder / "results/small/students/mlp1-20k-logits-s1/model.safetensors"
    assert model.is_symlink() if links == "symlink" else model.stat().st_nlink > 1
    repository.assert_nothing_to_do()
    before = repository.trainings()
    repository.widen_conv1()
    repository.make(engine)
    assert repository.trained_since(before) == {CONV1}
    repository.assert_nothing_to_do()
    repository.edit("{c: 9, fc: 60}", "{c: 8, fc: 60}")
    repository.make(engine)
    assert repository.trainings() == before
    repository.assert_nothing_to_do()
    assert damaged(repository.folder) == []


def test_a_cache_elsewhere_is_found(repository, tmp_path):
    """A cache that a group shares, as DVC's configuration names it."""
    cache = tmp_path / "shared" / "cache"
    cache.parent.mkdir()
    (repository.folder / ".dvc/cache").rename(cache)
    repository.run("dvc", "cache", "dir", str(cache))
    before = repository.trainings()
    shutil.rmtree(repository.folder / ".mimic")
    shutil.rmtree(repository.folder / "results/small/students/mlp1-20k-logits-s1")
    repository.run("snakemake", "students")
    assert repository.trainings() == before
    repository.assert_nothing_to_do()
