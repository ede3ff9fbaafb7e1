"""The command line: `python -m mimic COMMAND`. Every step of the study, and what a person needs around it."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from mimic.core.errors import MimicError

STEPS = {
    "data": "read the images, split and pack them",
    "teacher": "train one teacher on hard labels",
    "ensemble": "select the ensemble on validation images",
    "logits": "compute the ensemble's logits on one shard of the transfer set",
    "proposal": "propose the next points of a search",
    "trial": "train points of a search",
    "selection": "rank the trials of a search on validation images",
    "student": "train students",
    "evaluation": "evaluate every model on the test images",
    "report": "write report.html",
}


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    main = argparse.ArgumentParser(prog="python -m mimic", description=__doc__.splitlines()[0])
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for step, text in STEPS.items():
        command = commands.add_parser(step, help=text, description=f"Step of the study: {text}.")
        command.add_argument(
            "name", nargs="*", default=[step], help="which jobs of the step, e.g. conv2-1M-logits-s1"
        )
        command.add_argument(
            "--params", type=Path, default=Path("params.yaml"), help="the study's parameters"
        )
        command.add_argument(
            "--spec", type=Path, nargs="+", help="frozen specs, instead of --params (the Snakefile's way)"
        )
        command.add_argument("--done", type=Path, help="a record to write when all of them are done")
        command.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="processor threads")
        command.add_argument("--log", type=Path, help="a file to append progress to")
    check = commands.add_parser("check", help="check a parameter file and list its jobs")
    check.add_argument("--params", type=Path, default=Path("params.yaml"))
    plan = commands.add_parser("plan", help="say what a study will cost, before anything runs")
    plan.add_argument("--params", type=Path, default=Path("params.yaml"), help="a file, or a preset's name")
    plan.add_argument("--hardware", default="here", help="here: measure this machine; or a100, h100, v100, …")
    plan.add_argument("--jobs", type=int, help="jobs side by side")
    plan.add_argument("--epochs", type=float, metavar="SHARE", help="of max_epochs that patience lasts (0.4)")
    plan.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("parameters", help="print every key of params.yaml")
    use = commands.add_parser("use", help="make a preset the study at hand: write params.yaml from it")
    use.add_argument("preset", help="demo, laptop, search, paper, or a file")
    use.add_argument("set", nargs="*", metavar="KEY=VALUE", help="e.g. data.path=cifar10.zip")
    use.add_argument("--params", type=Path, default=Path("params.yaml"))
    use.add_argument("--force", action="store_true", help="replace a params.yaml with changes of your own")
    track = commands.add_parser("track", help="send the runs of the study to MLflow")
    track.add_argument("--params", type=Path, default=Path("params.yaml"))
    track.add_argument("--follow", type=int, metavar="PID", help="go on until that process ends")
    commands.add_parser("mlflow", help="open the MLflow UI on localhost").add_argument(
        "--port", type=int, default=5000
    )
    clean = commands.add_parser(
        "clean", help="remove what no job of params.yaml needs: old variants, stored results"
    )
    clean.add_argument("--params", type=Path, default=Path("params.yaml"))
    clean.add_argument(
        "--yes", action="store_true", help="remove; without it, only say what would be removed"
    )
    commands.add_parser("record", help="have DVC version what snakemake made")
    commands.add_parser("pull", help="bring results from a DVC remote, every digest checked")
    confirm = commands.add_parser("confirm", help="fail if results are stale (how a stage of dvc.yaml ends)")
    confirm.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="e.g. results/demo/students")
    slurm = Path("profiles/slurm")
    check = commands.add_parser("slurm_check", help="say what a cluster lacks, before any job")
    check.add_argument("--profile", type=Path, default=slurm, help=f"the profile's folder ({slurm})")
    resume = commands.add_parser("resume", help="go on through SLURM after snakemake's own process died")
    choice = resume.add_mutually_exclusive_group()
    choice.add_argument("--wait", action="store_true", help="wait for jobs that run (the default)")
    choice.add_argument("--cancel", action="store_true", help="cancel jobs that run, too; they save first")
    resume.add_argument("arguments", nargs="*", help="for snakemake; after --")
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What the user can mend is said in one line."""
    options = parser().parse_args(arguments)
    try:
        if options.command in STEPS:
            return run_step(options)
        command = importlib.import_module(f"mimic.commands.{options.command}")
        return command.run(options) or 0
    except MimicError as error:
        print(f"mimic: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run_step(options: argparse.Namespace) -> int:
    """Run jobs of a step, from their frozen specs or from a parameter file."""
    from mimic.core import runner, specs
    from mimic.core.identity import Keys
    from mimic.training.interrupt import Interrupted

    if options.spec:
        todo = [specs.read_spec(path) for path in options.spec]
    else:
        from mimic.workflow import open_study

        study, keys = open_study(options.params), Keys()
        jobs = [study.job(options.command, name) for name in options.name]
        todo = [specs.make_spec(study.name, job, keys) for job in jobs]
    if other := {spec.step for spec in todo} - {options.command}:
        raise MimicError(f"{options.spec[0]}: is the spec of a {other.pop()}, not of a {options.command}")
    progress = {spec.name: runner.Reporter(spec.title, options.log) for spec in todo}
    title = todo[0].title + (f" and {len(todo) - 1} more" if todo[1:] else "")
    say = runner.Reporter(title, options.log)
    module = importlib.import_module(f"mimic.steps.{options.command}")
    step = module.run_together if hasattr(module, "run_together") else runner.one_by_one(module.run)
    try:
        settle = getattr(module, "settle", lambda context: None)
        runner.run(todo, step, options.threads, progress, settle)
    except Interrupted as interruption:
        say(str(interruption))
        return 128 + interruption.signum
    except MimicError as error:
        say(f"refused: {error}")
        return 2
    except Exception as error:
        say(f"failed: {type(error).__name__}: {error}")
        raise
    if options.done:
        specs.write_record(options.done, {spec.name: spec.key for spec in todo})
    return 0


if __name__ == "__main__":
    sys.exit(main())
