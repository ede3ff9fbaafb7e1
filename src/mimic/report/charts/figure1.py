"""Figure 1 of the paper: accuracy over the number of parameters, with the two gaps marked."""

from mimic.report.charts.figure1_dots import dots
from mimic.report.charts.figure1_lines import lines
from mimic.report.charts.figure1_rows import figure_1_rows
from mimic.report.results import Results


def figure_1(results: Results) -> dict:
    """Lines over the number of parameters, or where a single budget finished a row for each family."""
    rows = figure_1_rows(results)
    budgets = {row["budget"] for row in rows if "accuracy" in row}
    return dots(results, rows) if len(budgets) == 1 else lines(results, rows)
