"""Step data: from a source to packed, split images."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import DataTask
from mimic.data.prepare import prepare


def run(context: Context) -> None:
    """Write train, validation and test.safetensors and data.json."""
    task = load_task(context.spec, DataTask)
    prepare(task.data, task.seed, context.out, context.progress)
