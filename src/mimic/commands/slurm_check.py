"""`mimic slurm_check`: whether this cluster can run the study, before any job of it."""

from mimic.cluster.check import Profile, check


def run(options) -> int:
    """Print a line for each thing that must be right. Exit status 1 when one is not."""
    ok = True
    for finding in check(Profile(options.profile / "config.yaml")):
        print(f"{'ok' if finding.ok else 'missing':<8}{finding.what:<11}{finding.text}", flush=True)
        ok &= finding.ok
    return 0 if ok else 1
