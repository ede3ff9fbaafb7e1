import pytest

from mimic.report.claims import CLAIMS, Answer
from mimic.report.verdict import ANSWERS, tally, verdict


def answers(*statuses: str) -> list[Answer]:
    """All claims; those that the title asks for have these statuses, the others were not tested."""
    found = dict(zip(ANSWERS, statuses, strict=True))
    return [Answer(claim, "", [], status=found.get(claim.key, "not tested")) for claim in CLAIMS]


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (
            ("supported", "supported", "supported"),
            "On CIFAR-10 images convolution is needed, each further layer of it helps, and nets need not be "
            "as deep as their teachers.",
        ),
        (
            ("contradicted", "undecided", "not tested"),
            "On CIFAR-10 images nets without convolution come near those with it, it is undecided "
            "whether each further layer of it helps, and it was not tested whether nets need the depth of "
            "their teachers.",
        ),
        (
            ("undecided", "undecided", "undecided"),
            "On CIFAR-10 images it is undecided whether convolution is needed, whether each further layer of "
            "it helps and whether nets need the depth of their teachers.",
        ),
    ],
)
def test_one_sentence_answers_the_title(statuses, sentence):
    assert verdict(answers(*statuses), "CIFAR-10") == sentence


def test_every_claim_is_counted_once():
    told = tally(answers("supported", "contradicted", "undecided"))
    assert told == (
        "Of 8 claims of the paper, 1 is supported, 1 is contradicted, 1 is undecided and 5 were not tested."
    )
