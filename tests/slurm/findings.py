"""What `mimic slurm_check` finds with a changed profile."""

from pathlib import Path

from cluster_study import changed_profile

from mimic.cluster.check import Profile, check


def findings(folder: Path, *changes: tuple[str, str]) -> dict[str, str]:
    """What is missing, with texts in the profile replaced."""
    changed = folder / "config.yaml"
    changed.write_text(changed_profile(*changes))
    return {finding.what: finding.text for finding in check(Profile(changed)) if not finding.ok}
