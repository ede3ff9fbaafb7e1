"""The command line's grammar: every command, what it does, and its arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import NoReturn

import shtab

from mimic.config.reading import parameter_file
from mimic.dag.steps import STEPS


class Command(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and takes options between other arguments."""

    _is_intermixing = False

    def parse_known_args(self, args=None, namespace=None):
        found, left = super().parse_known_args(args, namespace)
        if not left or self._subparsers or self._is_intermixing:
            return found, left
        self._is_intermixing = True  # what follows calls this method
        return self.parse_known_intermixed_args(args)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class Main(Command):
    """The parser of the whole line, whose help is grouped by what a person wants."""

    def error(self, message: str) -> NoReturn:
        super().error(message.partition(" (choose from")[0])

    def format_help(self) -> str:
        lines = ["usage: mimic COMMAND …", "       mimic COMMAND --help", ""]
        for title, commands in GROUPS.items():
            lines += [f"{title}:", *(f"  {name:<13}{does}" for name, (does, *_) in commands.items()), ""]
        steps = wrap(", ".join(STEPS), 78, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([*lines, "one step of the study by hand:", *steps, ""])


def parser() -> argparse.ArgumentParser:
    """The whole grammar. What is parsed names the module of `mimic.commands` that acts on it."""
    entries = [
        (name, does, f"{does[0].upper()}{does[1:]}.", name.replace("-", "_"), arguments)
        for group in GROUPS.values()
        for name, (does, *arguments) in group.items()
    ]
    entries += [
        (step.name, step.does, f"Step of the study: {step.does}.", *STEP_BY_HAND.get(step.name, RUN_STEP))
        for step in STEPS.values()
    ]
    main = Main(prog="mimic")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Command)
    for name, does, description, module, arguments in entries:
        command = commands.add_parser(name, help=does, description=description)
        command.set_defaults(module=module)
        for add in arguments:
            add(command)
    return main


Argument = Callable[[argparse.ArgumentParser], None]  # adds itself


def argument(name: str, **settings) -> Argument:
    return lambda command: command.add_argument(name, **settings)


def path(name: str, **settings) -> Argument:
    """An argument that a shell completes with files."""

    def add(command: argparse.ArgumentParser) -> None:
        command.add_argument(name, **{"type": Path} | settings).complete = shtab.FILE

    return add


def flag(name: str, what: str) -> Argument:
    return argument(name, action="store_true", help=what)


def either(*arguments: Argument) -> Argument:
    """At most one of some arguments."""

    def add(command: argparse.ArgumentParser) -> None:
        choice = command.add_mutually_exclusive_group()
        for one in arguments:
            one(choice)

    return add


def whole(least: int, most: float = float("inf")) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            bounds = f"from {least} " + (f"to {most}" if most < float("inf") else "up")
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}, not {text!r}")
        return int(text)

    return read


def given_file(text: str) -> str | Path:
    """A parameter file, where it is given by its place: argparse has its default read, too."""
    return text if text == argparse.SUPPRESS else parameter_file(text)


PARAMS, PROFILE = Path("params.yaml"), Path("profiles/slurm")
STUDY = path(
    "--params", type=parameter_file, default=PARAMS, help=f"parameter file, or a preset's name ({PARAMS})"
)
FILE = path(
    "params", nargs="?", type=given_file, default=argparse.SUPPRESS, metavar="FILE",
    help="the same as --params FILE",
)  # fmt: skip
JOBS = argument("jobs", nargs="*", metavar="JOB", help="of the step, e.g. conv2-1M-logits-s1")
RUN = (
    argument("--threads", type=whole(1), help="processor threads (one a processor that it may use)"),
    path("--log", help="a file to append progress to"),
)

RUN_STEP = "run", (JOBS, STUDY, *RUN)  # the module of a step's command, and its arguments
BESIDE = argument(
    "--beside", metavar="OTHER",
    help="set the report that is there beside that of OTHER: a folder such as results/laptop, or a commit",
)  # fmt: skip
STEP_BY_HAND = {"report": ("report", (*RUN_STEP[1], BESIDE))}

GROUPS: dict[str, dict[str, tuple[str | Argument, ...]]] = {
    "set up a study": {
        "use": (
            "make a preset the study at hand: write params.yaml from it",
            path("preset", type=str, help="demo, laptop, search, paper, …, or a file"),
            argument("set", nargs="*", default=[], metavar="KEY=VALUE", help="e.g. data.path=cifar10.zip"),
            path("--params", default=PARAMS, help=f"the file to write ({PARAMS})"),
            flag("--force", "replace a params.yaml with changes of your own"),
        ),
        "check": (
            "check a parameter file, and count its jobs", FILE, STUDY,
            flag("--keys", "print a JSON object from each job's id to its key, for any parameter file, "
                 "without results"),
        ),
        "plan": (
            "say what a study will cost, before anything runs", FILE, STUDY,
            argument("--hardware", default="here", help="here: measure this machine; or a100, h100, v100, …"),
            argument("--jobs", type=int, help="jobs side by side"),
            argument("--epochs", type=float, metavar="SHARE", help="of max_epochs that patience lasts (0.4)"),
            flag("--json", "for programs"),
        ),
        "schema": (
            "check docs/parameters.md and params.schema.json, or write them", flag("--fix", "write them")
        ),
    },
    "run and resume on a cluster": {
        "slurm-check": (
            "say what a cluster lacks, before any job",
            path("--profile", default=PROFILE, help=f"the profile's folder ({PROFILE})"),
        ),
        "resume": (
            "go on through SLURM after snakemake's own process died",
            either(
                flag("--wait", "wait for jobs that run (the default)"),
                flag("--cancel", "cancel jobs that run, too; they save first"),
            ),
            argument("arguments", nargs="*", help="for snakemake; after --"),
        ),
    },
    "look": {
        "why": (
            "explain why jobs would run again, or why one would",
            argument("job", nargs="?", metavar="JOB", help="student/conv2-1M-logits-s1, or its name alone"),
            STUDY,
        ),
        "status": (
            "say how far a study is, here or elsewhere, from its files",
            path("folder", nargs="?", default=Path("."), metavar="FOLDER", help="of its Snakefile (.)"),
            path("--params", type=parameter_file, help="parameter file (that of the last snakemake there)"),
            argument("--watch", nargs="?", type=whole(1), const=2, metavar="S", help="every S seconds (2)"),
            argument("--jobs", type=whole(1), help="jobs side by side (as many as ever were)"),
            flag("--json", "for programs"),
        ),
        "track": (
            "send the runs of the study to MLflow", STUDY,
            argument("--follow", type=whole(1), metavar="PID", help="go on until that process ends"),
        ),
        "mlflow": (
            "open the MLflow UI on localhost",
            argument("--port", type=whole(1, 65_535), default=5000),
        ),
    },
    "version": {
        "record": ("have DVC version what snakemake made",),
        "pull": ("bring results from a DVC remote, every digest checked",),
        "confirm": (
            "fail if results are stale: how a stage of dvc.yaml ends",
            path("folders", nargs="+", metavar="FOLDER", help="e.g. results/demo/students"),
        ),
    },
    "clean up": {
        "clean": (
            "remove what no job needs: old variants, stored results", STUDY,
            flag("--yes", "remove; without it, only say what would be removed"),
        ),
    },
    "for programs": {
        "run": (
            "make the results that snakemake asks for, from their frozen specs",
            path("results", nargs="+", metavar="RESULT", help="the folder of a result, or its job.json"),
            path("--cohort", help="a record to write when all of them are there"), *RUN,
        ),
        "completion": (
            "print a shell's completion: source <(mimic completion bash)",
            argument("shell", choices=("bash", "zsh")),
        ),
    },
}  # fmt: skip
