"""`mimic run`, and every step of the study by hand: make the results of jobs."""

from mimic.dag.steps import SIDECAR
from mimic.engine import runner as engine
from mimic.engine import specs
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.specs import Spec
from mimic.support import disk, publish
from mimic.support.errors import MimicError
from mimic.support.interrupt import Interrupted
from mimic.support.processors import usable


def run(options) -> int:
    """Run jobs, and say in their log how they ended. Exit status 128 + signal when told to end."""
    todo = _frozen(options) if options.command == "run" else _by_hand(options)
    title = todo[0].title + (f" and {len(todo) - 1} more" if todo[1:] else "")
    say = engine.Reporter(title, options.log)
    try:
        engine.run(todo, options.threads or usable(), options.log)
    except Interrupted as interruption:
        say(str(interruption))
        return 128 + interruption.signum
    except MimicError as error:
        say(f"refused: {error}")
        return 2
    except Exception as error:
        if line := disk.refused(error, todo[0].sidecar.parent):
            say(f"failed: {line}")
            return 1
        say(f"failed: {type(error).__name__}: {error}")
        raise
    if options.command == "run" and options.cohort:
        publish.write_json(options.cohort, {spec.name: spec.key for spec in todo})
    return 0


def _frozen(options) -> list[Spec]:
    """The jobs of `mimic run`, as the main process froze them."""
    return [specs.read_spec(path.parent if path.name == SIDECAR else path) for path in options.results]


def _by_hand(options) -> list[Spec]:
    """Jobs of one step, as the parameter file has them now."""
    study, keys, mark = open_study(options.params), Keys(), specs.anew()
    jobs = [study.job(options.command, name) for name in options.jobs or [options.command]]
    return [specs.make_spec(study, job, keys, mark) for job in jobs]
