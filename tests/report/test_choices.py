from mimic.report.choices import choices
from mimic.training.schedules.one_cycle import OneCycle

PAPER_COUNTS = {"train": 40_000, "validation": 10_000, "test": 10_000}


def departures(found) -> set[str]:
    return {choice.topic for choice in found if choice.kind == "departs"}


def test_the_papers_protocol_departs_only_in_the_search(paper_study):
    found = departures(choices(paper_study.parameters, PAPER_COUNTS))
    assert found == {"teachers to choose from", "hyperparameters"}


def test_what_was_searched_is_told(small_study):
    found = {choice.topic: choice.ours for choice in choices(small_study.parameters, PAPER_COUNTS)}
    assert found["hyperparameters"] == (
        "GP, Bayesian optimisation with a Gaussian process (Optuna) for conv2 at 1M (logits); else given"
    )
    assert found["trials of a search"] == "16"
    assert found["hopeless trials"].startswith("stopped after epoch 2 ")


def test_other_images_schedules_and_sizes_are_departures(small_study):
    counts = {"train": 4000, "validation": 1000, "test": 1000}
    found = departures(choices(small_study.parameters, counts))
    assert {"images", "training / validation / test images", "layers of the teachers"} <= found
    assert {"members of the ensemble", "epochs of the transfer set"} <= found
    assert any(topic.startswith("schedule of") for topic in found)


def test_a_variant_with_a_schedule_of_its_own_is_told(small_study):
    parameters = small_study.parameters
    family, budgets = next(iter(parameters.students.variants.items()))
    budget, net = next(iter(budgets.items()))
    longer = budgets | {budget: net.model_copy(update={"schedule": OneCycle(epochs=64)})}
    variants = parameters.students.variants | {family: longer}
    students = parameters.students.model_copy(update={"variants": variants})
    found = choices(parameters.model_copy(update={"students": students}), PAPER_COUNTS)
    [told] = [choice.ours for choice in found if "of students" in choice.topic and "64" in choice.ours]
    assert told.endswith(f"one cycle of 64 epochs ({family} {budget})")


def test_departures_come_first_and_what_the_paper_leaves_open_is_ours(small_study):
    found = choices(small_study.parameters, PAPER_COUNTS)
    kinds = [choice.kind for choice in found]
    assert kinds == sorted(kinds, key=("departs", "ours", "as published").index)
    assert next(choice for choice in found if choice.topic.startswith("batch size")).kind == "ours"
