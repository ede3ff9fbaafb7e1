"""Step student: one student on the transfer set."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import StudentTask
from mimic.distill.students import train_student


def run(context: Context) -> None:
    """Write the files of a model: weights, validation logits, history, record."""
    shards = [folder / "logits.safetensors" for folder in context.upstream("logits").values()]
    train_student(load_task(context.spec, StudentTask), context.folder("data/data"), shards, context)
