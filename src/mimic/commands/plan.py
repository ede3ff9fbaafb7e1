"""`mimic plan`: what a study will cost, printed before anything runs."""

import json

from mimic.engine.open_study import open_study
from mimic.plan.estimate import make_plan
from mimic.plan.hardware import HERE, named
from mimic.plan.text import as_json, text
from mimic.plan.work import PATIENCE_SHARE, Counts, images_of
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
    counts = Counts(images_of(study.parameters.data, study.folder / "data"), share)
    if known is None:
        from mimic.plan.calibrate import calibrate  # torch takes seconds

        known = calibrate(study, counts, options.jobs)
    plan = make_plan(study, counts, known, [options.jobs] if options.jobs else known.jobs)
    print(json.dumps(as_json(plan), indent=1) if options.json else text(plan))
