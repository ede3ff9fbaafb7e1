"""`make bench`: how fast mimic is here, as ratios of one run, with their spread.

Everything that is compared is measured in turns; docs/speed.md says how.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import page, programs, sections
from benchmarks.machine import commit, machine
from benchmarks.sections import FULL, QUICK
from benchmarks.subjects import Images, subjects
from benchmarks.tables import Table
from mimic.support.errors import MimicError
from mimic.support.publish import write_json
from mimic.training.precision import prepare

PARTS = ("augmentation", "labelling", "evaluation", "start", "snakemake")
EVALUATED = ("teacher-laptop", "conv2")
CALLS = {False: 3, True: 1}  # repetitions of whole programs, by whether it is to be quick


def tables(names: list[str], quick: bool, data: Path | None) -> Iterator[Table]:
    """Measure what `names` say: subjects to train, and parts. Each table as soon as it is there."""
    effort, known = (QUICK if quick else FULL), subjects()
    chosen = [known[name] for name in names if name in known]
    with tempfile.TemporaryDirectory() as folder:
        images = Images(Path(folder) / "images", effort.images, data)
        if chosen:
            yield sections.training(chosen, images, effort)
        if "augmentation" in names:
            yield sections.augmentation(known["teacher-laptop"], images, effort)
        if "labelling" in names:
            yield sections.labelling(known["teacher-laptop"], images, effort)
        if "evaluation" in names:
            yield sections.evaluation([known[name] for name in EVALUATED], images, effort)
    if "start" in names:
        yield from programs.starts(CALLS[quick], not quick)
    if "snakemake" in names:
        yield from programs.snakemake(CALLS[quick], not quick)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write what is asked for; returns the exit status."""
    every = [*subjects(), *PARTS]
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer images, fewer repetitions")
    parser.add_argument("--only", nargs="+", choices=every, metavar="WHAT", help=f"of {', '.join(every)}")
    parser.add_argument("--data", type=Path, help="folder, zip or tar of images in ten classes")
    parser.add_argument("--json", type=Path, help="where the figures go; by itself a full run's alone")
    parser.add_argument("--write", action="store_true", help="docs/speed.md, of a full run")
    options = parser.parse_args(arguments)
    full = not (options.quick or options.only)
    if options.write and not full:
        parser.error("--write takes a full run: leave out --quick and --only")

    os.environ["MIMIC_DEVICE"] = "cpu"  # a GPU has benchmarks/gpu.py
    prepare(threads=1)
    given = " ".join(["make bench", *([f'ARGS="{" ".join(arguments)}"'] if arguments else [])])
    run = {"command": given, "commit": commit(), "date": time.strftime("%Y-%m-%d"), "full": full}
    run |= {"machine": machine(), "tables": []}
    print(page.heading(run), flush=True)
    try:
        for table in tables(options.only or every, options.quick, options.data):
            print(f"\n{table.markdown()}", end="", flush=True)
            run["tables"].append(vars(table))
    except MimicError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    place = options.json or (page.results_path(run) if full else None)
    if place:
        write_json(place, run)
    if options.write:
        page.write(run)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
