import re

from mimic.report.citation import bibtex
from mimic.report.methods import methods
from mimic.report.read import read_results
from mimic.training.recipe import StudentDropout


def test_methods_say_what_the_parameters_say(small_study):
    told = {title: text for title, text in methods(read_results(small_study.context()))}
    assert "4,000 images to train on, 1,000 for every selection" in told["Data"]
    assert "3 nets with 8 convolutions" in told["Teachers"] and "batch normalisation" in told["Teachers"]
    assert "conv1 at 1M and conv3 at 1M" in told["Twins"]
    assert "1 search of 16 trials" in told["Hyperparameters"]
    assert not any("  " in text or " ," in text for text in told.values())


def test_twins_have_what_their_parameters_give_them(small_study):
    twins = small_study.parameters.hard_label_twins
    plain = {
        family: {
            budget: net.model_copy(update={"dropout": StudentDropout(), "weight_decay": 2e-4})
            for budget, net in nets.items()
        }
        for family, nets in twins.variants.items()
    }
    study = small_study.with_parameters(hard_label_twins=twins.model_copy(update={"variants": plain}))
    told = dict(methods(read_results(study.context())))
    assert "on hard labels, with cross-entropy and weight decay: conv1" in told["Twins"]


def test_what_a_study_does_not_do_is_not_told(small_study):
    twins = small_study.parameters.hard_label_twins.model_copy(update={"variants": {}})
    told = methods(read_results(small_study.with_parameters(hard_label_twins=twins).context()))
    assert "Twins" not in {title for title, _ in told}


def test_the_software_is_cited_with_the_commit_and_the_data_of_the_results(small_study):
    entries = bibtex(read_results(small_study.context()))
    assert re.findall(r"^@(\w+){", entries, re.MULTILINE) == ["inproceedings", "software"]
    assert entries.count("{") - entries.count("\\{") == entries.count("}") - entries.count("\\}")
    assert "commit 0123456789ab" in entries and "5e5e5e5e5e5e5e5e" in entries
