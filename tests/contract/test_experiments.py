"""`dvc exp` and the comparisons of metrics, parameters and plots, on real results."""

import json

CONV1 = "student/conv1-20k-logits-s1"


def test_experiments_are_run_compared_and_applied(repository):
    before = repository.trainings()
    repository.run("dvc", "exp", "run", "--name", "wide", "--set-param", wide_conv1(9))
    assert repository.trained_since(before) == {CONV1}
    wide = repository.trainings()
    repository.assert_nothing_to_do()

    changed = json.loads(repository.run("dvc", "params", "diff", "--json"))
    assert changed == {
        "params.yaml": {"students.variants.conv1.20k.widths.c": {"old": 8, "new": 9, "diff": 1}}
    }
    metrics = json.loads(repository.run("dvc", "metrics", "diff", "--all", "--json"))
    assert {"conv1", "mimics"} <= metrics["results/small/report/summary.json"].keys()
    plots = json.loads(repository.run("dvc", "plots", "diff", "--json"))["data"]
    assert set(plots) == {
        "Figure 1, accuracy on test images in percent",
        "Validation error by epoch",
        "Expected calibration error on test images",
    }
    for plot in plots.values():
        assert set(plot[0]["revisions"]) == {"HEAD", "workspace"}
        assert {"HEAD", "workspace"} <= {row["rev"] for row in content(plot)["data"]["values"]}

    repository.run("dvc", "exp", "run", "--name", "narrow", "--set-param", wide_conv1(7))
    assert repository.trained_since(wide) == {CONV1}
    repository.run("dvc", "exp", "apply", "wide")
    assert repository.trainings() == wide
    repository.assert_nothing_to_do()
    assert "wide" in repository.run("dvc", "exp", "show", "--csv")


def wide_conv1(channels: int) -> str:
    """A parameter as `dvc exp run` takes it: a key that begins with a digit goes into braces."""
    return f"students.variants.conv1={{20k:{{widths:{{c:{channels}}}}}}}"


def content(plot: list) -> dict:
    """The chart that DVC draws, as Vega-Lite."""
    text = plot[0]["content"]
    return json.loads(text) if isinstance(text, str) else text
