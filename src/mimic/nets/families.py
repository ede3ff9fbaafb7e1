"""The families of students, and the teachers' architecture. A new family is one more entry in `STUDENTS`.

Tasks carry what a job needs of a family, and no step imports this module: so it is in no key.
"""

from mimic.nets.family import Family
from mimic.nets.layers import (
    AnyLayer,
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    Layers,
    Linear,
    Pool,
    ReLU,
    Residual,
    Whitening,
)

TEACHER_CONVOLUTIONS = (2, 2, 4)  # in each group


def conv(filters: str, kernel: int = 5) -> Layers:
    return Conv(filters, kernel), ReLU()


def pool(group: int, size: int = 2) -> Layers:
    return Pool(size), Dropout(f"dropout.conv{group}")


def group(number: int, *filters: str, size: int = 2) -> Layers:
    """Convolutions, and the max-pooling that follows them."""
    return *(layer for name in filters for layer in conv(name)), *pool(number, size)


def like_teachers(number: int, filters: str) -> Layers:
    """The convolutions of a teacher's group, all with as many filters, and their pooling."""
    return *(TEACHER_CONVOLUTIONS[number - 1] * conv(filters, kernel=3)), *pool(number)


def fc(units: str, place: str = "fc1") -> Layers:
    return Linear(units), ReLU(), Dropout(f"dropout.{place}")


def deep_mlp(depth: int) -> Family:
    """lfc-fcN: the paper searches the ratios of the hidden units; the bottleneck's among them is ours.

    So is dropout after every hidden layer: the paper regularises convolutional students alone.
    """
    units = [f"fc{number}" for number in range(1, depth + 1)]
    return Family(
        name=f"mlp{depth}",
        given=("lfc", *units),
        widths="ratios",
        hidden=(Flatten(), Linear("lfc"), *(layer for name in units for layer in fc(name))),
    )


STUDENTS: dict[str, Family] = {
    family.name: family
    for family in (
        Family(  # a linear bottleneck spares the weights between pixels and a wide hidden layer
            name="mlp1",
            given=("fc",),
            widths="dependent",
            dependent="lfc",
            hidden=(Flatten(), Linear("lfc"), *fc("fc")),
        ),
        deep_mlp(2),
        deep_mlp(3),
        deep_mlp(4),
        deep_mlp(5),
        Family(  # two hidden layers, each of which adds to a bottleneck as wide as the budget allows
            name="resmlp",
            given=("fc",),
            widths="dependent",
            dependent="lfc",
            hidden=(Flatten(), Linear("lfc"), *2 * (Residual((*fc("fc"), Linear("lfc"))),)),
        ),
        Family(  # c-mp-lfc-fc, the only one that pools 3x3
            name="conv1",
            given=("c", "fc"),
            widths="dependent",
            dependent="lfc",
            hidden=(*group(1, "c", size=3), Flatten(), Linear("lfc"), *fc("fc")),
        ),
        Family(  # c-mp-c-mp-fc
            name="conv2",
            given=("c1", "c2"),
            widths="dependent",
            dependent="fc",
            hidden=(*group(1, "c1"), *group(2, "c2"), Flatten(), *fc("fc")),
        ),
        Family(  # c-mp-c-mp-c-mp-fc
            name="conv3",
            given=("c1", "c2", "c3"),
            widths="dependent",
            dependent="fc",
            hidden=(*group(1, "c1"), *group(2, "c2"), *group(3, "c3"), Flatten(), *fc("fc")),
        ),
        Family(  # c-mp-c-c-mp-c-mp-fc
            name="conv4",
            given=("c1", "c2", "c3", "c4"),
            widths="dependent",
            dependent="fc",
            hidden=(*group(1, "c1"), *group(2, "c2", "c3"), *group(3, "c4"), Flatten(), *fc("fc")),
        ),
        Family(  # c²-mp-c²-mp-c⁴-mp-fc², the teachers' shape, which no student of the paper has
            name="conv8",
            given=("c1", "c2", "c3"),
            widths="dependent",
            dependent="fc",
            hidden=(
                *like_teachers(1, "c1"),
                *like_teachers(2, "c2"),
                *like_teachers(3, "c3"),
                Flatten(),
                *2 * fc("fc"),
            ),
        ),
    )
}
FAMILIES = tuple(STUDENTS)


def teacher(batch_normalisation: bool, pool_first: bool = False, whitening: bool = False) -> Family:
    """c2-mp-c2-mp-c4-mp-fc2 (paper, appendix): eight 3x3 convolutions in three groups, two hidden layers.

    With `pool_first` the pooling of a group follows its first convolution, and with `whitening` patches of
    2x2 pixels are decorrelated beforehand: both as Jordan (2024) has it.
    """
    hidden: list[AnyLayer] = [Whitening(kernel=2), ReLU()] if whitening else []
    for number, convolutions in enumerate(TEACHER_CONVOLUTIONS, start=1):
        # The norm's shift makes the convolution's bias redundant.
        filters = Conv(f"group{number}", kernel=3, bias=not batch_normalisation)
        after: Layers = (BatchNorm(), ReLU()) if batch_normalisation else (ReLU(),)
        mp, dropped = pool(number)
        if pool_first:
            hidden += [filters, mp, *after, *(convolutions - 1) * (filters, *after), dropped]
        else:
            hidden += [*convolutions * (filters, *after), mp, dropped]
    hidden += [Flatten(), *fc("hidden", "fc1"), *fc("hidden", "fc2")]
    return Family(
        name="teacher", given=("group1", "group2", "group3", "hidden"), widths="fixed", hidden=tuple(hidden)
    )
