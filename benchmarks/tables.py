"""What was measured, as tables that JSON holds and Markdown shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.clocks import spread

FORMS = {  # how a number of a column is written
    "share": "{:.2f}",
    "ratio": "{:.2f}",
    "rate": "{:,.0f}",
    "seconds": "{:.2f}",
    "megabytes": "{:,.0f}",
    "count": "{:,.0f}",
}


@dataclass
class Table:
    """Rows by name; each has for each column the values of all repetitions."""

    title: str
    note: str
    columns: dict[str, str]  # a heading, and which of FORMS its numbers take
    rows: dict[str, list[list[float]]] = field(default_factory=dict)

    def add(self, name: str, *cells: Sequence[float] | float) -> None:
        lists = [list(cell) if isinstance(cell, Sequence) else [cell] for cell in cells]
        # Four digits are enough, and small in a file.
        self.rows[name] = [[float(f"{value:.4g}") for value in values] for values in lists]

    def markdown(self) -> str:
        """The heading, the note, and the table, its columns aligned."""
        lines = [["", *self.columns]]
        for name, cells in self.rows.items():
            forms = [FORMS[form] for form in self.columns.values()]
            lines.append([name, *map(_cell, cells, forms)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        padded = [
            [line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]
            for line in [lines[0], rule, *lines[1:]]
        ]
        body = "\n".join(f"| {' | '.join(line)} |" for line in padded)
        return f"### {self.title}\n\n{self.note}\n\n{body}\n"


def _cell(values: Sequence[float], form: str) -> str:
    """The median, with the least and the greatest where there are several."""
    if not values:
        return "-"
    least, median, greatest = (form.format(value) for value in spread(values))
    return median if len(values) == 1 else f"{median} ({least} to {greatest})"
