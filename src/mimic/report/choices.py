"""Where the study follows the paper, where it departs, and what it had to choose itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from mimic.config.parameters import Parameters, StudentGroup, Teachers
from mimic.report import published
from mimic.report.numerals import listing, plural, thousands
from mimic.support.frozen import asked
from mimic.support.parts import called
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.losses.l2 import L2
from mimic.training.optimisers.sgd import SGD
from mimic.training.schedules import Schedule
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience

Kind = Literal["departs", "ours", "as published"]


@dataclass(frozen=True)
class Choice:
    """One point of the protocol. `paper` is None where the paper is silent."""

    topic: str
    ours: str
    paper: str | None

    @property
    def kind(self) -> Kind:
        if self.paper is None:
            return "ours"
        return "as published" if self.paper == self.ours else "departs"


def choices(parameters: Parameters, counts: dict[str, int]) -> list[Choice]:
    """Every point, departures first. `counts` are the images of each split."""
    return sorted(_points(parameters, counts), key=lambda choice: get_args(Kind).index(choice.kind))


def _points(p: Parameters, counts: dict[str, int]) -> Iterator[Choice]:
    protocol = published.paper()["protocol"]
    yield Choice("images", "CIFAR-10" if p.data.source == "cifar10" else p.data.label, "CIFAR-10")
    splits = ("train", "validation", "test")
    ours, paper = (" / ".join(thousands(source[split]) for split in splits) for source in (counts, protocol))
    yield Choice("training / validation / test images", ours, paper)
    description = "mirror, scale and jitter, colour shifts"
    paper_augmentation = {key: protocol[key] for key in ("mirror", "window", "hsv")}
    same = asked(p.augmentation.model_copy(update={"transforms": ()})) == paper_augmentation
    transforms = "".join(f", {called(transform)}" for transform in p.augmentation.transforms)
    ours = f"{description}{'' if same else ', other settings'}{transforms}"
    yield Choice("augmentation", ours, description)
    candidates = len(p.teachers.members) + (p.search.teachers.trials if p.search.teachers else 0)
    yield Choice("teachers to choose from", str(candidates), str(protocol["teachers"]))
    mirrored = ", and mirror images" if p.ensemble.mirrored else ""
    yield Choice("members of the ensemble", f"{p.ensemble.size}{mirrored}", str(protocol["members"]))
    yield Choice("layers of the teachers", listing(layers_of(p.teachers)), "as published")
    if p.teachers.loss != CrossEntropy():
        yield Choice("loss of teachers", called(p.teachers.loss), called(CrossEntropy()))
    windows = {t.window for t in p.teachers.members.values() if t.window}
    if windows:
        sizes = [f"{least} to {most} pixels" for least, most in sorted(windows)]
        yield Choice("windows of the teachers", listing(sizes), "as of the transfer set")
    if any(t.initial == "dirac" for t in p.teachers.members.values()):
        yield Choice("initial weights of teachers", "dirac in convolutions, else Glorot", "Glorot")
    yield Choice("epochs of the transfer set", str(p.transfer.epochs), str(protocol["transfer_epochs"]))
    twins = {"hard-label twins": p.hard_label_twins, "twins with dropout": p.dropout_twins}
    twins |= {"twins with weight decay": p.weight_decay_twins}
    groups = {"teachers": p.teachers, "students": p.students}
    groups |= {name: group for name, group in twins.items() if group.variants}
    schedules = {name: listing(schedules_of(group)) for name, group in groups.items()}
    yield from _by_group("schedule", schedules, _schedule(Patience()))
    optimisers = {name: listing(optimisers_of(group)) for name, group in groups.items()}
    yield from _by_group("optimiser", optimisers, called(SGD()))
    yield from _by_group("batch size", {name: str(group.batch_size) for name, group in groups.items()}, None)
    reduction = getattr(p.students.loss, "reduction", "sum")  # the paper leaves it open
    yield Choice("loss of students", called(p.students.loss), called(L2(reduction=reduction)))
    yield from _search(p)
    precisions = {"bf16": "bfloat16 products where the hardware has them, float32 weights", "fp32": "float32"}
    yield Choice("precision", precisions[p.precision], None)
    yield Choice("selection of the ensemble", "greedy, forward, without replacement", None)
    seeds = sorted({group.seeds for group in p.groups.values() if group.variants})
    yield Choice("repetitions of a student", listing([plural(number, "seed") for number in seeds]), None)
    method = "Student's t over images and seeds, paired over images"
    yield Choice("intervals", f"{100 * p.report.confidence:g}%, {method}", None)


def _search(p: Parameters) -> Iterator[Choice]:
    """How hyperparameters were found."""
    paper = "Bayesian optimisation (Spearmint)"
    efforts = {"teachers": p.search.teachers} if p.search.teachers else {}
    for arm, effort in p.searches.items():
        if effort:
            nets = [f"{family} at {listing(list(budgets))}" for family, budgets in effort.spaces.items()]
            efforts[f"{listing(nets)} ({arm})"] = effort
    if not efforts:
        yield Choice("hyperparameters", "given in the parameters", paper)
        return
    found = f"{called(p.search.algorithm)} for {'; '.join(efforts)}"
    yield Choice("hyperparameters", f"{found}; else given", paper)
    numbers = sorted({effort.trials for effort in efforts.values()})
    yield Choice("trials of a search", listing([str(number) for number in numbers]), None)
    if p.search.stopping:
        epochs = listing([str(epoch) for epoch in p.search.stopping.epochs])
        rule = f"stopped after epoch {epochs} where worse than the median of the earlier rounds"
        yield Choice("hopeless trials", rule, None)


def _by_group(topic: str, values: dict[str, str], paper: str | None) -> Iterator[Choice]:
    """One choice for all groups of nets that share a value."""
    for value in dict.fromkeys(values.values()):
        names = [name for name, other in values.items() if other == value]
        yield Choice(f"{topic} of {listing(names)}", value, paper)


def layers_of(teachers: Teachers) -> list[str]:
    """What the teachers' architecture has that the paper's has not."""
    added = {
        "batch normalisation": teachers.batch_normalisation,
        "pooling after a group's first convolution": teachers.pooling == "first",
        "whitening of 2x2 patches": teachers.whitening,
    }
    return [f"with {words}" for words, is_there in added.items() if is_there] or ["as published"]


def optimisers_of(group: Teachers | StudentGroup) -> list[str]:
    """What the nets of a group are trained with."""
    if isinstance(group, Teachers):
        optimisers = [teacher.optimiser for teacher in group.members.values()]
    else:
        optimisers = [net.optimiser for budgets in group.variants.values() for net in budgets.values()]
    return list(dict.fromkeys(map(called, optimisers)))


def schedules_of(group: Teachers | StudentGroup) -> list[str]:
    """How long the nets of a group are trained, and with which rates; the group's own schedule first."""
    own: dict[str, list[str]] = {}
    for family, budgets in ({} if isinstance(group, Teachers) else group.variants).items():
        for budget, net in budgets.items():
            if net.schedule and net.schedule != group.schedule:
                own.setdefault(_schedule(net.schedule), []).append(f"{family} {budget}")
    return [_schedule(group.schedule), *(f"{schedule} ({listing(nets)})" for schedule, nets in own.items())]


def _schedule(schedule: Schedule) -> str:
    if isinstance(schedule, OneCycle):
        return f"one cycle of {plural(schedule.epochs, 'epoch')}"
    if not isinstance(schedule, Patience):
        return called(schedule)
    return (
        f"rate halved after {schedule.patience} epochs without progress, end after {schedule.stop} "
        f"or a total cut of {schedule.max_cut:g}"
    )
