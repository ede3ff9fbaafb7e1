"""Step evaluation: every model on the test images. No other step opens them."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import EvaluationTask
from mimic.evaluation.models import evaluate_models


def run(context: Context) -> None:
    """Write models.csv and predictions.safetensors."""
    evaluate_models(
        load_task(context.spec, EvaluationTask),
        data=context.folder("data/data"),
        teachers=context.upstream("teacher"),
        ensemble=context.folder("ensemble/ensemble"),
        students=context.upstream("student"),
        selections=context.upstream("selection"),
        out=context.out,
        threads=context.threads,
        progress=context.progress,
    )
