"""Clones of the project in which a small study is driven by the real snakemake, dvc and git."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
PROJECT = ("Snakefile", "profiles", "envs", "src", "dvc.yaml", ".dvcignore", ".gitignore", ".dvc")
BUILT = ("__pycache__", "*.egg-info", "cache", "tmp", "config.local")
RESULTS = Path("results/small")


@dataclass(frozen=True)
class Repository:
    """A clone as a colleague has it, and what the programs do in it."""

    folder: Path
    tracking: str = "off"

    @property
    def environment(self) -> dict[str, str]:
        """One for every program: nothing of the machine's own settings, and this clone's code."""
        state = self.folder.parent / "dvc"
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(state / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(state / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(state / "system"),
            "GIT_CONFIG_GLOBAL": str(self.folder.parent / "gitconfig"),
            **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "MIMIC_TRACKING": self.tracking,
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",  # nobody listens there
        }

    def start(self, *command: str, log: Path) -> subprocess.Popen:
        """A command in the background, in a process group of its own."""
        with open(log, "w") as file:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def run(self, *command: str, fails: bool = False) -> str:
        """What a command prints. It must succeed, or fail."""
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=self.environment)
        output = done.stdout + done.stderr
        assert bool(done.returncode) == fails, output
        return output

    def mimic(self, *arguments: str, fails: bool = False) -> str:
        return self.run(sys.executable, "-m", "mimic", *arguments, fails=fails)

    def make(self, engine: str) -> str:
        """The whole study, recorded, as a user of either engine has it."""
        if engine == "dvc":
            return self.run("dvc", "repro")
        return self.run("snakemake", "report.html") + self.mimic("record")

    def planned(self, target: str = "report.html") -> dict[str, int]:
        """How many jobs of each rule snakemake would run."""
        output = self.run("snakemake", "-n", "--", target)
        words = [line.split() for line in output.splitlines()]
        jobs = {w[0]: int(w[1]) for w in words if len(w) == 2 and w[1].isdigit()}
        return {rule: number for rule, number in jobs.items() if rule != "total"}

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def assert_nothing_to_do(self) -> None:
        """Both engines agree that everything is done."""
        assert "Data and pipelines are up to date" in self.run("dvc", "status")
        assert self.planned() == {}

    def edit(self, old: str, new: str, file: str = "params.yaml") -> None:
        """Replace the only occurrence of a text."""
        text = (self.folder / file).read_text()
        assert text.count(old) == 1, (old, text)
        (self.folder / file).write_text(text.replace(old, new))

    def widen_conv1(self, channels: int = 9) -> None:
        """Change one student, conv1 on logits."""
        self.edit("{c: 8, fc: 60}", f"{{c: {channels}, fc: 60}}")

    def records(self) -> dict[str, dict]:
        """The sidecar of every result, by job."""
        found = [json.loads(path.read_text()) for path in (self.folder / RESULTS).rglob("job.json")]
        return {f"{record['step']}/{record['name']}": record for record in found}

    def trainings(self) -> dict[str, tuple]:
        """When each training began and how long it took: another training has another."""
        return {
            job: (record["provenance"]["started"], record["provenance"]["seconds"])
            for job, record in self.records().items()
            if record["step"] in ("teacher", "student")
        }

    def trained_since(self, before: dict[str, tuple]) -> set[str]:
        """The jobs whose result is of another training than in `before`, what trainings() was then."""
        return {job for job, training in self.trainings().items() if before.get(job) != training}

    def weights(self) -> dict[str, bytes]:
        """Every trained model."""
        models = (self.folder / RESULTS).rglob("model.safetensors")
        return {path.parent.name: path.read_bytes() for path in models}

    def copy(self, folder: Path) -> "Repository":
        """A copy with hard and symbolic links as they are."""
        folder.mkdir()
        subprocess.run(["cp", "-a", f"{self.folder}/.", folder], check=True)
        return Repository(folder)

    def clone(self, folder: Path) -> "Repository":
        """What a colleague has after `git clone`."""
        self.run("git", "clone", "--quiet", ".", str(folder))
        return Repository(folder)


def once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], None]) -> Repository:
    """A folder that the tests of all workers share, filled by the first that needs it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / name / "study"
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            folder.mkdir(parents=True)
            try:
                fill(folder)
            except BaseException:
                folder.rename(folder.with_name("failed"))
                raise
    return Repository(folder)


def clone_project(folder: Path) -> Repository:
    """The project under git, with the small study as the one at hand."""
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*BUILT))
        else:
            shutil.copy(ROOT / name, folder / name)
    shutil.copy(Path(__file__).with_name("small.yaml"), folder / "params.yaml")
    repository = Repository(folder)
    repository.run("git", "init", "--quiet")
    repository.commit("the project")
    return repository


@pytest.fixture(scope="session")
def by_snakemake(tmp_path_factory) -> Repository:
    """A study that snakemake made from nothing, recorded and committed. Not to be changed."""

    def fill(folder: Path) -> None:
        repository = clone_project(folder)
        repository.make("snakemake")
        repository.commit("the study")

    return once(tmp_path_factory, "by-snakemake", fill)


@pytest.fixture(scope="session")
def by_dvc(tmp_path_factory) -> Repository:
    """A study that dvc made from nothing. Not to be changed."""
    return once(tmp_path_factory, "by-dvc", lambda folder: clone_project(folder).make("dvc"))


@pytest.fixture
def fresh(tmp_path) -> Repository:
    """A clone in which nothing was made yet."""
    folder = tmp_path / "study"
    folder.mkdir()
    return clone_project(folder)


@pytest.fixture
def repository(by_snakemake, tmp_path) -> Repository:
    """A copy of a finished, recorded and committed study, to change."""
    return by_snakemake.copy(tmp_path / "study")


@pytest.fixture(params=["snakemake", "dvc"])
def engine(request) -> str:
    """Who is called; a stage of dvc.yaml calls snakemake, so few cases need both."""
    return request.param
