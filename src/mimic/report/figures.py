"""The figures as files for other documents: SVG in the colours of paper, and their data as CSV."""

import re
import zipfile
from importlib.resources import files
from pathlib import Path

import pandas as pd
import vl_convert

from mimic.report.charts import palette, theme
from mimic.support.publish import atomic_path, write_text

WIDTHS = {"figure-1": 920, "figure-2": 920}  # pixels
WIDTH = 520  # of the others
NOTHING = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every file in an archive: the same figures, the same bytes


def svg(name: str, specification: dict) -> str:
    """A chart of the page, named as there."""
    spec = specification | {"width": WIDTHS.get(name, WIDTH), "config": theme.CONFIG}
    colours = _colours()
    return re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], vl_convert.vegalite_to_svg(spec))


def csv(specification: dict) -> str:
    """The rows of a chart."""
    table = specification["usermeta"]["table"]
    rows = pd.DataFrame(specification["datasets"][table])
    return rows.rename(columns=specification["usermeta"]["columns"]).to_csv(index=False, lineterminator="\n")


def write_figures(specifications: dict[str, dict], out: Path) -> None:
    """Write figure1.svg and figure2.svg, and figures.zip with every figure and its data.

    Without students there are no such figures: their files are empty pictures.
    """
    drawn = {name: svg(name, specification) for name, specification in specifications.items()}
    for number in (1, 2):
        write_text(out / f"figure{number}.svg", drawn.get(f"figure-{number}", NOTHING))
    with atomic_path(out / "figures.zip") as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, specification in specifications.items():
            for ending, content in (("svg", drawn[name]), ("csv", csv(specification))):
                entry = zipfile.ZipInfo(f"figures/{name}.{ending}", EPOCH)
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _colours() -> dict[str, str]:
    """The page's colours by day."""
    style = files("mimic.report").joinpath("page/style.css").read_text(encoding="utf-8")
    by_day = (text.partition("@media")[0] for text in (style, palette.style_sheet()))
    return dict(re.findall(r"--([\w-]+): ([^;]+);", "".join(by_day)))
