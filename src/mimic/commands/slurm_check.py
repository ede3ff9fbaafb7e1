"""`mimic slurm-check`: whether this cluster can run the study, before any job of it."""

from mimic.cluster.profile import Profile
from mimic.cluster.requirements import check_cluster
from mimic.support.errors import MimicError


def run(options) -> int:
    """Print a line for each thing that must be right. Exit status 1 when one is not."""
    path, ok = options.profile / "config.yaml", True
    if not path.exists():
        raise MimicError(f"{path}: no such file; name the folder of a profile: --profile FOLDER")
    for needed in check_cluster(Profile(path)):
        print(f"{'ok' if needed.ok else 'missing':<8}{needed.what:<11}{needed.text}", flush=True)
        ok &= needed.ok
    return 0 if ok else 1
