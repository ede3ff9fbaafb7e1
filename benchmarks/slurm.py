"""What a training costs through SLURM besides itself, alone and in cohorts of two.

Usage: python benchmarks/slurm.py

Runs the study of tests/slurm/study.yaml twice on a SLURM of this machine's own (tests/slurm/install.sh).
Overhead is the time that SLURM's jobs of the rule `train_students` took, less that of the steps in them: the
starts of two Snakemake processes and of Python with torch.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from mimic.engine.provenance import processor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/slurm"))

from cluster import Cluster
from cluster_study import make_study


def seconds(clock: str) -> int:
    """SLURM's [hours:]minutes:seconds."""
    return sum(int(part) * 60**place for place, part in enumerate(reversed(clock.split(":"))))


def measure(cohort: int, folder: Path) -> str:
    """One line on the study of two nodes, trained by cohorts of so many."""
    with Cluster(folder / "cluster") as cluster:
        study = make_study(folder / "study", cluster)
        params = study.folder / "params.yaml"
        params.write_text(re.sub(r"cohort: \d+", f"cohort: {cohort}", params.read_text()))
        study.start()
        study.finish()
        listed = cluster.run("squeue", "--noheader", "--states=all", "--format=%M %k").stdout
    jobs = [seconds(line.split()[0]) for line in listed.splitlines() if "student" in line]
    sidecars = list(study.folder.glob("results/*/students/*/job.json"))
    own = sum(json.loads(path.read_text())["provenance"]["seconds"] for path in sidecars)
    return (
        f"cohorts of {cohort}: {len(sidecars)} trainings in {len(jobs)} jobs of {sum(jobs)} s together, "
        f"overhead {(sum(jobs) - own) / len(sidecars):.1f} s a training"
    )


if __name__ == "__main__":
    print(f"2 virtual nodes on one machine, {processor()}")
    for cohort in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            print(measure(cohort, Path(folder)), flush=True)
