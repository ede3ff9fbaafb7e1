"""docs/architecture.svg, drawn from the imports: `make docs`, or `python docs/architecture_picture.py`.

A package lies above all that it imports, as near to its importers as that allows. Of two ways to the same
package the longer is drawn: an import that others imply has no arrow.
"""

from itertools import groupby
from pathlib import Path

import grimp

from mimic.engine.code import KEYED

PICTURE = Path(__file__).with_name("architecture.svg")
WIDTH, HEIGHT, GAP, RISE, MARGIN = 124, 32, 32, 56, 24  # pixels: a box, between boxes and rows, around all
STYLE = """
  .page { fill: #fff } text { font: 14px system-ui, sans-serif; fill: #1f2328; text-anchor: middle }
  .box { fill: #f3f4f6; stroke: #8b949e } .keyed { fill: #fff3d6; stroke: #c28a00 }
  .arrow { fill: none; stroke: #57606a; stroke-width: 1.3 } .note { font-size: 12px; fill: #57606a }
"""

Graph = dict[str, set[str]]


def imports() -> Graph:
    """The packages and modules right below `mimic`, and for each those that its modules import."""
    graph = grimp.build_graph("mimic", cache_dir=None)
    found: Graph = {child.removeprefix("mimic."): set() for child in graph.find_children("mimic")}
    for importer in graph.modules - {"mimic"}:
        package = importer.split(".")[1]
        imported = graph.find_modules_directly_imported_by(importer) - {"mimic"}
        found[package] |= {name.split(".")[1] for name in imported} - {package}
    return found


def without_implied(graph: Graph) -> Graph:
    """The imports that don't follow from others."""

    def reached(package: str) -> set[str]:
        return graph[package].union(*map(reached, graph[package]))

    return {
        package: {name for name in imported if not any(name in reached(other) for other in imported)}
        for package, imported in graph.items()
    }


def heights(graph: Graph) -> dict[str, int]:
    """The row of each package, counted from the bottom."""

    def above(package: str) -> int:
        return max((above(name) + 1 for name in graph[package]), default=0)

    rows = {package: above(package) for package in graph}
    for package in sorted(rows, key=rows.__getitem__, reverse=True):
        importers = [rows[other] for other in graph if package in graph[other]]
        rows[package] = min(importers, default=rows[package] + 1) - 1
    return rows


def places(graph: Graph) -> dict[str, tuple[float, float]]:
    """The centre of each box, in pixels from the middle of the picture and from its top."""
    rows = heights(graph)
    places: dict[str, tuple[float, float]] = {}

    def below_importers(package: str) -> tuple[float, str]:
        across = [places[other][0] for other in graph if package in graph[other]]
        return (sum(across) / len(across) if across else float("inf")), package

    for row, packages in groupby(sorted(graph, key=rows.__getitem__, reverse=True), rows.__getitem__):
        ordered = sorted(packages, key=below_importers)
        for number, package in enumerate(ordered):
            across = (number - (len(ordered) - 1) / 2) * (WIDTH + GAP)
            places[package] = across, MARGIN + HEIGHT / 2 + (max(rows.values()) - row) * RISE
    return places


def draw(graph: Graph) -> str:
    """The picture as SVG."""
    graph = without_implied(graph)
    centres = places(graph)
    half = max(across for across, _ in centres.values()) + WIDTH / 2 + MARGIN
    height = max(down for _, down in centres.values()) + HEIGHT / 2 + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-half:g} 0 {2 * half:g} {height:g}"'
        f' width="{2 * half:g}" height="{height:g}" role="img">',
        "<title>The packages of mimic and their imports</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
        f'<rect class="page" x="{-half:g}" width="{2 * half:g}" height="{height:g}" rx="8"/>',
    ]
    for package, imported in sorted(graph.items()):
        for name in sorted(imported):
            (x, y), (to_x, to_y) = centres[package], centres[name]
            to_y -= HEIGHT / 2
            bend = to_y - RISE + HEIGHT  # past the rows between
            middle = (bend + to_y) / 2
            way = f"M{x:g} {y:g}V{bend:g}C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y:g}"
            lines.append(f'<path class="arrow" marker-end="url(#head)" d="{way}"/>')
    for package, (x, y) in sorted(centres.items()):
        kind = "box keyed" if package in KEYED else "box"
        corner = f'x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}"'
        lines.append(f'<rect class="{kind}" {corner} width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
        lines.append(f'<text x="{x:g}" y="{y + 5:g}">{package}</text>')
    lines.append(f'<text class="note" x="0" y="{height - 16:g}">yellow: its code is in keys</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(imports()), encoding="utf-8")
