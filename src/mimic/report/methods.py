"""How the study was done, in sentences made from its parameters, as a methods section would have them."""

from collections.abc import Iterator
from typing import NamedTuple

from mimic.config.parameters import Parameters, StudentGroup, budget_parameters
from mimic.nets.families import STUDENTS, TEACHER_CONVOLUTIONS
from mimic.nets.layers import Conv
from mimic.report.choices import layers_of, optimisers_of, schedules_of
from mimic.report.numerals import listing, plural, thousands
from mimic.report.results import Results
from mimic.report.student_families import architecture
from mimic.support.parts import called


class Paragraph(NamedTuple):
    """One subject of the section."""

    title: str
    text: str


def methods(results: Results) -> list[Paragraph]:
    """The section, a paragraph each."""
    p, counts = results.parameters, results.data["counts"]
    written = {
        "Data": _data(p, counts),
        "Augmentation": _augmentation(p),
        "Teachers": _teachers(p),
        "Ensemble and transfer set": _transfer(results),
        "Students": _students(p),
        "Twins": _twins(p),
        "Hyperparameters": _search(results),
        "Evaluation and statistics": _evaluation(p, counts),
        "Computation": _computation(p),
    }
    return [
        Paragraph(title, " ".join(sentences)) for title, found in written.items() if (sentences := [*found])
    ]


def _data(p: Parameters, counts: dict[str, int]) -> Iterator[str]:
    train, validation, test = (thousands(counts[split]) for split in ("train", "validation", "test"))
    yield (
        f"{p.data.label}: {train} images to train on, {validation} for every selection and {test} to test, "
        f"{p.data.image_size} pixels square, in {p.data.classes} classes."
    )
    yield "Each image is standardised by itself: less its mean, divided by its standard deviation."


def _augmentation(p: Parameters) -> Iterator[str]:
    a = p.augmentation
    low, high = a.window
    mirrored = "in every other epoch" if a.mirror == "alternate" else f"with probability {a.mirror:g}"
    yield (
        f"Afresh for each epoch, an image is mirrored {mirrored}, a window of {low} to {high} pixels is "
        "brought back to its size by a cubic spline, and hue, saturation and value are shifted by up to "
        f"{a.hsv.Dh:g}, {a.hsv.Ds:g} and {a.hsv.Dv:g}, the latter two also scaled by up to {1 + a.hsv.As:g} "
        f"and {1 + a.hsv.Av:g}; one draw for the whole image."
    )
    if a.transforms:
        yield f"Then: {listing([called(transform) for transform in a.transforms])}."


def _teachers(p: Parameters) -> Iterator[str]:
    t = p.teachers
    added = [words for words in layers_of(t) if words != "as published"]
    groups = "-".join(map(str, TEACHER_CONVOLUTIONS))
    yield (
        f"{plural(len(t.members), 'net')} with {sum(TEACHER_CONVOLUTIONS)} convolutions of 3x3 in groups of "
        f"{groups}, each group followed by max-pooling, and two hidden "
        f"layers{''.join(f', {a}' for a in added)}; dropout after each group and hidden layer. Trained "
        f"by {listing(optimisers_of(t))} on {called(t.loss)}, in batches of {t.batch_size}; "
        f"{listing(schedules_of(t))}."
    )


def _transfer(results: Results) -> Iterator[str]:
    p, members = results.parameters, results.ensemble["members"]
    mirrored = " and over each image and its mirror image" if p.ensemble.mirrored else ""
    yield (
        f"Of {plural(len(results.ensemble['candidates']), 'teacher')} {len(members)} were chosen greedily, "
        f"without replacement, by their accuracy together on validation images. The ensemble's logits, the "
        f"mean over its members{mirrored}, were stored for {plural(p.transfer.epochs, 'augmented epoch')} of "
        "the training images. Every student sees the same images in the same order."
    )


def _students(p: Parameters) -> Iterator[str]:
    s = p.students
    nets = [f"{family} ({architecture(STUDENTS[family])})" for family in s.variants]
    threes = [
        family
        for family in s.variants
        if Conv(STUDENTS[family].given[0], kernel=3) in STUDENTS[family].hidden
    ]
    kernel = "5x5" + (f" (3x3 in {listing(threes)})" if threes else "")
    yield (
        f"{listing(nets)}, at {listing(_budgets(s))} parameters, which a dependent width meets. c: "
        f"convolution of {kernel}; mp: max-pooling; fc: hidden layer; lfc: linear bottleneck. They learn the "
        f"logits without regularisation: {called(s.loss)}; {listing(optimisers_of(s))}, batches of "
        f"{s.batch_size}; {listing(schedules_of(s))}; {plural(s.seeds, 'seed')} each."
    )


def _twins(p: Parameters) -> Iterator[str]:
    labelled = [variant for nets in p.hard_label_twins.variants.values() for variant in nets.values()]
    regularised = {
        "dropout": any(any(vars(variant.dropout).values()) for variant in labelled),
        "weight decay": any(variant.weight_decay for variant in labelled),
    }
    used = listing(["cross-entropy", *(words for words, is_used in regularised.items() if is_used)])
    what = {
        "labels": f"The same nets on hard labels, with {used}",
        "dropout": "Students with dropout, from the same initial weights",
        "weight_decay": "Students with weight decay, from the same initial weights",
    }
    for arm, words in what.items():
        group = p.groups[arm]
        if group.variants:
            nets = listing(
                [f"{family} at {listing([*budgets])}" for family, budgets in group.variants.items()]
            )
            yield f"{words}: {nets}; {listing(schedules_of(group))}; {plural(group.seeds, 'seed')} each."


def _budgets(group: StudentGroup) -> list[str]:
    found = {budget for budgets in group.variants.values() for budget in budgets}
    return sorted(found, key=budget_parameters)


def _search(results: Results) -> Iterator[str]:
    p = results.parameters
    if not results.searches:
        yield "All hyperparameters are given in the parameters below; none was searched in this study."
        return
    trials = sorted({len(search.trials) for search in results.searches})
    yield (
        f"{plural(len(results.searches), 'search', 'searches')} of {listing([str(n) for n in trials])} "
        f"trials by {called(p.search.algorithm)}, each on validation images alone; a student is trained anew "
        "with the best point. Other hyperparameters are given."
    )
    if p.search.baseline:
        yield f"Each stands beside as many trials by {called(p.search.baseline)}."
    if p.search.stopping:
        epochs = listing([str(epoch) for epoch in p.search.stopping.epochs])
        yield f"A trial ended after epoch {epochs} where it was worse than the median of earlier rounds."


def _evaluation(p: Parameters, counts: dict[str, int]) -> Iterator[str]:
    yield (
        f"Accuracy is that on the {thousands(counts['test'])} test images, which nothing selects. Intervals "
        f"({100 * p.report.confidence:g}%) hold test images and seeds as random, paired over images, by "
        "Student's t with Satterthwaite's degrees of freedom. A claim is supported when each of its "
        "comparisons is, contradicted by one-sided tests with Bonferroni's correction within a claim and "
        "Holm's over the claims, and otherwise undecided; the rules are code."
    )


def _computation(p: Parameters) -> Iterator[str]:
    words = {"bf16": "bfloat16 where the hardware multiplies it, with weights in float32", "fp32": "float32"}
    yield (
        f"Products of matrices and convolutions were computed in {words[p.precision]}. All that is drawn "
        f"follows from seed {p.seed}, by counter-based generators."
    )
