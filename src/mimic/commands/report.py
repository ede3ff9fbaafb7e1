"""`mimic report`: write the report, or set one that is written beside another."""

from pathlib import Path

from mimic.commands import run as step
from mimic.config.reading import read_parameters
from mimic.support.publish import write_text


def run(options) -> int:
    """As any step, but with `--beside` from the tables of two reports. Raises MimicError without these."""
    if options.beside is None:
        return step.run(options)
    from mimic.report.beside import render_beside, side  # pandas and Altair take seconds

    study = read_parameters(options.params).study
    folder = Path("results", study)
    ours, theirs = side(str(folder), study), side(options.beside, study)
    page = folder / "beside" / f"{theirs.file}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_text(page, render_beside(ours, theirs))
    print(f"Read {page}")
    return 0
