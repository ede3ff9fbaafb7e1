"""Step report: from everything measured to report.html."""

import shutil

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import ReportTask
from mimic.report.build import build_report


def run(context: Context) -> None:
    """Write report.html, its copy for the top folder, and its tables and figures as files."""
    task = load_task(context.spec, ReportTask)
    sidecars = [upstream.sidecar for upstream in context.spec.upstream.values()]
    study = context.spec.sidecar.parents[1]
    build_report(study, task.parameters, context.out, sidecars)
    shutil.copyfile(context.out / "report.html", context.out / "front_page.html")
