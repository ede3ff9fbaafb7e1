"""Where the results come from, as the page tells it."""

import json
import re

import pytest

from mimic.report import study_provenance
from mimic.report.claims import answer_claims
from mimic.report.page import render
from mimic.report.read import read_results


@pytest.fixture
def study(small_study, tmp_path):
    """The small study, which a test may change."""
    return small_study.copy(tmp_path / "results")


def edit(study, job: str, **changes) -> None:
    """Change the provenance of one job."""
    path = study.inputs[job] / "job.json"
    content = json.loads(path.read_text())
    content["provenance"] |= changes
    path.write_text(json.dumps(content))


def section(study) -> str:
    """The words of the page's section on provenance."""
    results = read_results(study.context())
    page = render(results, answer_claims(results.accuracies), {})
    return re.sub(r"<[^>]*>", "", page[page.index('<section id="provenance">') :])


def test_results_that_were_computed_alike_raise_no_note(study):
    edit(study, "data/data", processor="another", versions={"torch": "2.0.0"})  # it runs no net
    assert "computed alike" not in section(study)


def test_other_versions_of_torch_are_told_with_their_jobs(study):
    edit(study, "student/conv1-1M-logits-s1", versions={"torch": "2.13.0"})
    assert (
        "Not all of these results were computed alike: they come from "
        "torch 2.14.1 (25 jobs) and torch 2.13.0 (student/conv1-1M-logits-s1)." in section(study)
    )


def test_other_devices_are_told_many_jobs_by_their_number(study):
    for job in [job for job in study.inputs if job.startswith("evaluation/")]:
        edit(study, job, device="cpu", processor="AMD EPYC 9654", threads=4)
    (mixture,) = study_provenance.mixtures(read_results(study.context()))
    assert mixture == "NVIDIA H100 (13 jobs) and AMD EPYC 9654 (13 jobs)"


def test_what_a_training_cost_stands_beside_it_alone(study):
    assert section(study).count("FLOP") == 3 + 7  # teachers, and students that finished


def test_the_parameters_shown_say_nothing_of_a_machine_but_of_which_images(paper_study):
    results = read_results(paper_study.context())
    assert results.parameters.data.path and results.parameters.data.path not in section(paper_study)
    assert "download" not in study_provenance.parameters_yaml(results)
    assert "c0" * 16 in section(paper_study)
