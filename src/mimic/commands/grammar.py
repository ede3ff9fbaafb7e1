"""The command line's grammar: for each command a function that names its arguments and says what it does."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import NoReturn

import shtab

from mimic.config.reading import parameter_file
from mimic.dag.steps import STEPS

PARAMS, PROFILE = Path("params.yaml"), Path("profiles/slurm")


class Command(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class Main(Command):
    """The parser of the whole line, whose help is grouped by what a person wants."""

    def error(self, message: str) -> NoReturn:
        super().error(message.partition(" (choose from")[0])

    def format_help(self) -> str:
        lines = ["usage: mimic COMMAND …", "       mimic COMMAND --help", ""]
        for title, commands in GROUPS.items():
            lines += [f"{title}:", *(f"  {_name(add):<13}{_text(add)}" for add in commands), ""]
        steps = wrap(", ".join(STEPS), 78, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([*lines, "one step of the study by hand:", *steps, ""])


def parser() -> argparse.ArgumentParser:
    """The whole grammar. What is parsed names the module of `mimic.commands` that acts on it."""
    main = Main(prog="mimic")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Command)
    for add in (add for group in GROUPS.values() for add in group):
        command = commands.add_parser(_name(add), help=_text(add), description=add.__doc__)
        command.set_defaults(module=add.__name__)
        add(command)
    for step in STEPS.values():
        what = f"Step of the study: {step.does}."
        command = commands.add_parser(step.name, help=step.does, description=what)
        command.set_defaults(module="run")
        command.add_argument("jobs", nargs="*", metavar="JOB", help="of the step, e.g. conv2-1M-logits-s1")
        _add_params(command)
        _add_run(command)
    return main


def use(command: Command) -> None:
    """Make a preset the study at hand: write params.yaml from it."""
    _path(command, "preset", type=str, help="demo, laptop, search, paper, …, or a file")
    command.add_argument("set", nargs="*", metavar="KEY=VALUE", help="e.g. data.path=cifar10.zip")
    _path(command, "--params", default=PARAMS, help=f"the file to write ({PARAMS})")
    command.add_argument(
        "--force", action="store_true", help="replace a params.yaml with changes of your own"
    )


def schema(command: Command) -> None:
    """Check docs/parameters.md and params.schema.json, or write them."""
    command.add_argument("--fix", action="store_true", help="write them")


def check(command: Command) -> None:
    """Check a parameter file, and count its jobs."""
    _add_file(command)
    _add_params(command)
    command.add_argument(
        "--keys",
        action="store_true",
        help="print a JSON object from each job's id to its key, for any parameter file, without results",
    )


def plan(command: Command) -> None:
    """Say what a study will cost, before anything runs."""
    _add_file(command)
    _add_params(command)
    command.add_argument(
        "--hardware", default="here", help="here: measure this machine; or a100, h100, v100, …"
    )
    command.add_argument("--jobs", type=int, help="jobs side by side")
    command.add_argument(
        "--epochs", type=float, metavar="SHARE", help="of max_epochs that patience lasts (0.4)"
    )
    command.add_argument("--json", action="store_true", help="for programs")


def slurm_check(command: Command) -> None:
    """Say what a cluster lacks, before any job."""
    _path(command, "--profile", default=PROFILE, help=f"the profile's folder ({PROFILE})")


def resume(command: Command) -> None:
    """Go on through SLURM after snakemake's own process died."""
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--wait", action="store_true", help="wait for jobs that run (the default)")
    choice.add_argument("--cancel", action="store_true", help="cancel jobs that run, too; they save first")
    command.add_argument("arguments", nargs="*", help="for snakemake; after --")


def why(command: Command) -> None:
    """Explain why jobs would run again, or why one would."""
    command.add_argument(
        "job", nargs="?", metavar="JOB", help="student/conv2-1M-logits-s1, or its name alone"
    )
    _add_params(command)


def track(command: Command) -> None:
    """Send the runs of the study to MLflow."""
    _add_params(command)
    command.add_argument("--follow", type=_whole(1), metavar="PID", help="go on until that process ends")


def mlflow(command: Command) -> None:
    """Open the MLflow UI on localhost."""
    command.add_argument("--port", type=_whole(1, 65_535), default=5000)


def record(command: Command) -> None:
    """Have DVC version what snakemake made."""


def pull(command: Command) -> None:
    """Bring results from a DVC remote, every digest checked."""


def confirm(command: Command) -> None:
    """Fail if results are stale: how a stage of dvc.yaml ends."""
    _path(command, "folders", nargs="+", metavar="FOLDER", help="e.g. results/demo/students")


def clean(command: Command) -> None:
    """Remove what no job needs: old variants, stored results."""
    _add_params(command)
    command.add_argument(
        "--yes", action="store_true", help="remove; without it, only say what would be removed"
    )


def completion(command: Command) -> None:
    """Print a shell's completion: source <(mimic completion bash)."""
    command.add_argument("shell", choices=("bash", "zsh"))


def run(command: Command) -> None:
    """Make the results that snakemake asks for, from their frozen specs."""
    _path(command, "results", nargs="+", metavar="RESULT", help="the folder of a result, or its job.json")
    _path(command, "--cohort", help="a record to write when all of them are there")
    _add_run(command)


GROUPS: dict[str, tuple[Callable[[Command], None], ...]] = {
    "set up a study": (use, check, plan, schema),
    "run and resume on a cluster": (slurm_check, resume),
    "look": (why, track, mlflow),
    "version": (record, pull, confirm),
    "clean up": (clean,),
    "for programs": (run, completion),
}


def _name(add: Callable) -> str:
    return add.__name__.replace("_", "-")


def _text(add: Callable) -> str:
    """The docstring as the entry of a list."""
    return add.__doc__[0].lower() + add.__doc__[1:].removesuffix(".")


def _path(command: Command, name: str, **settings) -> None:
    """An argument that a shell completes with files."""
    command.add_argument(name, **{"type": Path} | settings).complete = shtab.FILE


def _add_params(command: Command) -> None:
    what = f"parameter file, or a preset's name ({PARAMS})"
    _path(command, "--params", type=parameter_file, default=PARAMS, help=what)


def _add_file(command: Command) -> None:
    """The parameter file by its place, too."""

    def given(text: str) -> str | Path:
        return text if text == argparse.SUPPRESS else parameter_file(text)

    what = "the same as --params FILE"
    _path(command, "params", nargs="?", type=given, default=argparse.SUPPRESS, metavar="FILE", help=what)


def _add_run(command: Command) -> None:
    command.add_argument("--threads", type=_whole(1), default=os.cpu_count() or 1, help="processor threads")
    _path(command, "--log", help="a file to append progress to")


def _whole(least: int, most: float = float("inf")) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            bounds = f"from {least} " + (f"to {most}" if most < float("inf") else "up")
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}, not {text!r}")
        return int(text)

    return read
