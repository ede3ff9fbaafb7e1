"""What the page's section on what students learn shows."""

from typing import Any

from mimic.report import learnt, pictures
from mimic.report.charts import confusion
from mimic.report.charts import learnt as learnt_charts
from mimic.report.numerals import percent
from mimic.report.results import Results


def charts(results: Results) -> dict[str, dict]:
    """The specifications by the name of their place; of a study that has students that mimic."""
    return learnt_charts.charts(results) | confusion.confusions(results)


def content(results: Results) -> dict[str, Any]:
    """What its template needs, besides what all need."""
    return {
        "learnt_summary": summary(results),
        "has_twins": bool(results.accuracies.models("labels")),
        "fewest": learnt_charts.FEWEST,
        "pickable": list(confusion.nets(results)),
        "shown_classes": confusion.shown_classes(results),
        "disputed": _disputed(results),
        "filters": _filters(results),
    }


def summary(results: Results) -> str:
    """How far students follow the ensemble, in words."""
    table = learnt.fidelity(results)
    mimics = table[table.arm == "logits"].sort_values("agreement")
    if mimics.empty:
        return ""
    least, most = mimics.iloc[0], mimics.iloc[-1]
    mistakes = percent(most.same_mistakes)
    return (
        f"Students say what the ensemble says on {percent(least.agreement)} ({least.family}, {least.budget}) "
        f"to {percent(most.agreement)} ({most.family}, {most.budget}) of the test images. Where the ensemble "
        f"is wrong, {most.family} of {most.budget} says the same wrong class on {mistakes}."
    )


def _disputed(results: Results) -> dict[str, dict]:
    """By family: its budget, and the images in dispute with both answers."""
    found = {}
    table = learnt.disputed(results)
    for family in reversed(table.family.unique()):
        rows = table[table.family == family]
        images = results.pictures[results.exemplars[family]]["disputed_DCHW"]
        shown = [
            row | {"picture": pictures.picture(image_CHW)}
            for row, image_CHW in zip(rows.to_dict("records"), images, strict=True)
        ]
        found[family] = {"budget": rows.budget.iloc[0], "images": shown}
    return found


def _filters(results: Results) -> dict[str, dict]:
    """By family: its budget, and its first filters."""
    found = {}
    for family, name in results.exemplars.items():
        if (filters_FCHW := results.pictures[name].get("filters_FCHW")) is not None:
            budget, side = results.evaluated.budget[name], filters_FCHW.shape[-1]
            found[family] = {"budget": budget, "side": side, "picture": pictures.sheet(filters_FCHW)}
    return found
