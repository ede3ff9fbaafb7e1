"""What the jobs of a study that ran have cost, from Snakemake's benchmark files."""

from pathlib import Path

import pandas as pd

BENCHMARKS = ".mimic/{study}/benchmarks"  # as in the Snakefile


def spent(study: str) -> pd.DataFrame:
    """Runs, seconds, and bytes of memory of the largest run, by step."""
    folder = Path(BENCHMARKS.format(study=study))
    files = {path: path.relative_to(folder).with_suffix("").parts[0] for path in folder.rglob("*.tsv")}
    rows = [pd.read_csv(path, sep="\t", na_values="-").assign(step=step) for path, step in files.items()]
    if not rows:
        return pd.DataFrame(columns=["runs", "seconds", "memory"])
    steps = pd.concat(rows).groupby("step")
    return pd.DataFrame(
        {"runs": steps.size(), "seconds": steps["s"].sum(), "memory": steps["max_rss"].max() * 2**20}
    )
