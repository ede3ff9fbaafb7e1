"""`mimic plan`: what a study will cost, printed before anything runs."""

import json

from mimic.dag.study import Study
from mimic.engine.open_study import open_study
from mimic.plan.estimate import make_plan
from mimic.plan.hardware import HERE, Hardware, named
from mimic.plan.text import as_json, text
from mimic.plan.work import PATIENCE_SHARE, Assumptions, Images, images_of, work_of
from mimic.support.errors import MimicError


def run(options) -> None:
    """Print the plan of a study on some hardware, in numbers of jobs side by side.

    Raises MimicError for options that are no number in range, and for what is wrong in the parameters.
    """
    if options.jobs is not None and not 1 <= options.jobs <= 100_000:
        raise MimicError(f"--jobs {options.jobs}: must be from 1 to 100000")
    share = PATIENCE_SHARE if options.epochs is None else options.epochs
    if not 0 < share <= 1:
        raise MimicError(f"--epochs {share:g}: must be a share of max_epochs, above 0 and at most 1")
    known = None if options.hardware == HERE else named(options.hardware)
    study = open_study(options.params)
    images = images_of(study.parameters.data, study.folder / "data")
    assumptions = Assumptions(share)
    hardware = known or _here(study, images, assumptions, options.jobs)
    jobs = [options.jobs] if options.jobs else hardware.jobs
    plan = make_plan(study, images, hardware, assumptions, jobs)
    print(json.dumps(as_json(plan), indent=1) if options.json else text(plan))


def _here(study: Study, images: Images, assumptions: Assumptions, jobs: int | None) -> Hardware:
    """This machine, measured by as many processes as will run at once."""
    from mimic.plan.calibrate import Sample, calibrate, representative, side_by_side

    most = side_by_side()
    if jobs and jobs > most:
        raise MimicError(f"--jobs {jobs}: this machine runs {most} at once; give at most that, or --hardware")
    trainings = [work_of(job, images, assumptions).training for job in study.jobs()]
    sample = Sample(
        nets=representative(training.net for training in trainings if training),
        classes=images.classes,
        precision=study.parameters.precision,
        augmentation=study.parameters.augmentation,
        threads=1,
    )
    return calibrate(sample, jobs or most)
