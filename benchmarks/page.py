"""docs/speed.md: the tables of the last full run in the text of speed.md, this file's neighbour.

`python -m benchmarks.page` writes it anew, for instance after a change of that text.
"""

import json
import re
from pathlib import Path

from benchmarks.subjects import ROOT
from benchmarks.tables import Table
from mimic.support.publish import write_text

RESULTS = Path(__file__).parent / "results"
TEMPLATE = Path(__file__).with_name("speed.md")
PAGE = ROOT / "docs/speed.md"


def heading(run: dict) -> str:
    """What was run, and on what: one paragraph."""
    m = run["machine"]
    amx = "with" if "amx_bf16" in m["instructions"] else "without"
    able = ", ".join([*m["instructions"], f"{amx} AMX"])
    versions = ", ".join(f"{package} {m[package]}" for package in ("python", "torch", "torchvision"))
    return (
        f"`{run['command']}` at commit {run['commit']}, {run['date']}, on {m['cores']} cores of "
        f"{m['processor']} ({able}), {m['memory_gb']} GB; {versions}; threads of a process: {m['threads']}; "
        f"load average before: {m['load_before']}."
    )


def render(run: dict) -> str:
    """The whole page."""
    tables = "\n".join(Table(**table).markdown() for table in run["tables"])
    return TEMPLATE.read_text(encoding="utf-8").replace("RESULTS\n", f"{heading(run)}\n\n{tables}")


def results_path(run: dict) -> Path:
    """Where the figures of a full run go: one file a day and processor."""
    slug = re.sub(r"[^a-z0-9]+", "-", run["machine"]["processor"].lower()).strip("-")
    return RESULTS / f"{run['date']}-{slug}.json"


def last() -> dict:
    """The last full run."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    return max((run for run in runs if run["full"]), key=lambda run: run["date"])


def write(run: dict) -> None:
    write_text(PAGE, render(run))


if __name__ == "__main__":
    write(last())
