"""Step ensemble: from the teachers' validation logits to the members."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import EnsembleTask
from mimic.data.packed import open_split
from mimic.distill.members import choose_members


def run(context: Context) -> None:
    """Write ensemble.json and members.safetensors."""
    task = load_task(context.spec, EnsembleTask)
    validation = open_split(context.folder("data/data"), "validation")
    teachers = context.upstream("teacher") | context.upstream("trial")
    choose_members(teachers, validation.labels_N, task.ensemble, context.out, context.progress)
