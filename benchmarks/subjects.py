"""What is measured: the nets of the presets, each with the task that a study gives it; and images."""

from dataclasses import dataclass
from pathlib import Path

from mimic.config.reading import check_parameters
from mimic.config.strict_yaml import parse_yaml
from mimic.dag.study import Study
from mimic.data.image_parameters import CHANNELS, Data, DataTask
from mimic.data.packed import Split, open_split, write_packed
from mimic.data.prepare import prepare
from mimic.nets.layers import count, multiply_adds
from mimic.support.context import Context
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.recipe import ModelTask, StudentTask
from mimic.training.schedules.one_cycle import OneCycle

ROOT = Path(__file__).parents[1]
SIZE = 32  # pixels
PASSES = 3  # forward passes that a trained image costs: forward, and backward to inputs and to weights


@dataclass(frozen=True)
class Subject:
    """One net as a study trains it, for a single epoch."""

    name: str
    description: str
    task: ModelTask

    @property
    def multiply_adds(self) -> int:
        """Of one image's forward pass."""
        return multiply_adds(self.task.net, CHANNELS, SIZE)

    @property
    def parameters(self) -> int:
        return count(self.task.net, CHANNELS, SIZE)


def flops(multiply_adds: int, trained: int, predicted: int) -> int:
    """Floating-point operations of so many images trained on and predicted, as `mimic plan` counts them."""
    return 2 * multiply_adds * (PASSES * trained + predicted)


def subjects() -> dict[str, Subject]:
    """By name: three kinds of teachers, then the laptop preset's students of one million parameters."""
    laptop = _study("laptop")
    found = [
        _teacher("teacher-laptop", "laptop's teacher, pools first", laptop, "t1"),
        _teacher("teacher-night", "night's teacher, pools first", _study("night"), "t1"),
        _teacher("teacher-paper", "paper's best teacher", _study("paper"), "t01"),
    ]
    found += [
        Subject(job.task.family, f"{job.task.family}, 1M", _student(job.task))
        for job in laptop.jobs("student")
        if job.task.arm == "logits"
    ]
    return {subject.name: subject for subject in found}


def parameters_of(path: Path) -> dict:
    """The content of a parameter file, on synthetic images."""
    content = parse_yaml(path.read_text(encoding="utf-8"), path)
    content["data"] |= {"source": "synthetic", "path": None, "download": False}
    return content


def _study(preset: str) -> Study:
    return Study(check_parameters(parameters_of(ROOT / "presets" / f"{preset}.yaml"), preset))


def _teacher(name: str, description: str, study: Study, member: str) -> Subject:
    task = study.job("teacher", member).task
    return Subject(name, description, task.model_copy(update={"schedule": OneCycle(epochs=1)}))


def _student(task: StudentTask) -> StudentTask:
    """On labels, since these are there without teachers: targets and loss are no matter for speed."""
    one = {"schedule": OneCycle(epochs=1), "transfer_epochs": 1}
    return task.model_copy(update=one | {"arm": "labels", "loss": CrossEntropy()})


class Images:
    """A packed image set, and packed parts of it."""

    def __init__(self, folder: Path, train: int, path: Path | None = None) -> None:
        """Pack so many images to train on, and an eighth as many to validate and to test.

        They are synthetic, or of `path`: a folder, zip or tar of ten classes. Raises MimicError when they
        can't be read.
        """
        self._folder = folder
        self.whole = folder / "whole"
        few = max(train // 8, 10)
        options = {"train": train, "validation": few, "test": few}
        if path:
            options |= {"source": "images", "path": str(path)}
        self.whole.mkdir(parents=True)
        task = DataTask(seed=1, data=Data(**options))
        prepare(Context(task, self.whole, progress=lambda line: None))

    def split(self, name: str) -> Split:
        return open_split(self.whole, name)

    def part(self, train: int) -> Path:
        """A packed set of the first images, an eighth as many to validate: a training of one epoch looks at
        these twice, after the epoch and at its end, and so as often as at the presets' in an epoch.
        """
        folder = self._folder / str(train)
        if not folder.exists():
            counts = {"train": train, "validation": max(train // 8, 10), "test": 10}
            splits = {}
            for name, number in counts.items():
                split = self.split(name)
                splits[name] = split.images_NCHW[:number], split.labels_N[:number]
            folder.mkdir()
            write_packed(folder, splits, tuple("abcdefghij"), "benchmark")
        return folder
