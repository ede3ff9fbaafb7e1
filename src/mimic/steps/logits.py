"""Step logits: the ensemble's mean logits on one shard of the transfer set."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import LogitsTask
from mimic.distill.label import label_shard


def run(context: Context) -> None:
    """Write logits.safetensors."""
    label_shard(
        load_task(context.spec, LogitsTask),
        data=context.folder("data/data"),
        ensemble=context.folder("ensemble/ensemble"),
        out=context.out / "logits.safetensors",
        threads=context.threads,
        progress=context.progress,
    )
