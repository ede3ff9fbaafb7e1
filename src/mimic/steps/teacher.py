"""Step teacher: one teacher on hard labels."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import TeacherTask
from mimic.training.train import train_teacher


def run(context: Context) -> None:
    """Write the files of a model: weights, validation logits, history, record."""
    train_teacher(load_task(context.spec, TeacherTask), context.folder("data/data"), context)
