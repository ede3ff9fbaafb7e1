"""The command line: its help, what it says of bad options, and completion in a shell."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from mimic.__main__ import main
from mimic.commands.grammar import GROUPS, parser
from mimic.dag.steps import STEPS

ROOT = Path(__file__).parents[2]


def test_help_names_every_command_once_and_stays_short(mimic, tmp_path):
    told = mimic(tmp_path, "--help").stdout
    assert mimic(tmp_path).stdout == told
    lines = told.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    for group in GROUPS.values():
        assert all(names.count(name) == 1 for name in group)
    assert ", ".join(list(STEPS)[:3]) in told


def test_help_is_quick():
    """It takes no torch, MLflow or DVC, which take seconds."""
    code = "import sys; from mimic.commands.grammar import parser; parser();"
    code += "print({'torch', 'mlflow', 'dvc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", ["slurm-check", "slurm_check"])
def test_a_name_may_be_written_with_either_dash(mimic, tmp_path, name):
    assert "profiles/slurm/config.yaml: no such file; name the folder" in mimic(tmp_path, name).stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["chek"], "invalid choice: 'chek'; see mimic --help"),
        (["plan", "--jobs", "x"], "mimic plan: argument --jobs: invalid int value: 'x'"),
        (["student", "--threads", "0"], "--threads: must be a whole number from 1 up, not '0'"),
        (["mlflow", "--port", "99999"], "--port: must be a whole number from 1 to 65535, not '99999'"),
        (["why", "--foo"], "unrecognized arguments: --foo"),
        (["resume", "--wait", "--cancel"], "not allowed with argument"),
        (["check", "dmeo"], "presets/dmeo.yaml: no such file; `python -m mimic use PRESET` writes"),
        (["student", "conv9"], "student conv9: no such job in study demo; it has mlp1-200k-logits-s1"),
    ],
)
def test_bad_options_are_refused_in_one_line(mimic, tmp_path, arguments, named):
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    shutil.copy(ROOT / "presets/demo.yaml", tmp_path / "params.yaml")
    done = mimic(tmp_path, *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["why"], ["plan"], ["clean"], ["record"], ["pull"], ["confirm", "x"], ["track"], ["teacher"],
     ["status"], ["use", "demo"], ["schema"], ["resume"]],
    ids=" ".join,
)  # fmt: skip
def test_outside_a_study_a_way_out_is_named(mimic, tmp_path, arguments):
    done = mimic(tmp_path, *arguments)
    assert done.returncode == 2
    assert "; go to the folder" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_params_yaml_the_presets_are_named(mimic, tmp_path):
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    told = mimic(tmp_path, "check").stderr
    assert (
        "params.yaml: no such file; `python -m mimic use PRESET` writes params.yaml from one of demo" in told
    )


@pytest.mark.parametrize(
    "arguments", [["presets/demo.yaml"], ["demo"], ["--params", "presets/demo.yaml"], ["--params", "demo"]]
)
def test_a_parameter_file_goes_by_its_place_its_option_or_its_preset_s_name(arguments):
    given = parser().parse_args(["check", *arguments]).params
    assert given.name == "demo.yaml"
    assert parser().parse_args(["check"]).params == Path("params.yaml")


def test_bash_completes_commands_and_options(mimic, tmp_path):
    script = tmp_path / "completion.sh"
    script.write_text(mimic(tmp_path, "completion", "bash").stdout)
    (tmp_path / "mine.yaml").touch()

    def completed(*words: str) -> list[str]:
        ask = (
            f"source {script}; COMP_WORDS=(mimic {' '.join(words)}); COMP_CWORD={len(words)}; _shtab_mimic; "
        )
        ask += 'printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(
            ["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, env=os.environ
        )
        return done.stdout.split()

    assert completed("slurm") == ["slurm-check"]
    assert completed("check", "--k") == ["--keys"]
    assert completed("check", "--params", "mi") == ["mine.yaml"]


def test_zsh_gets_a_script(mimic, tmp_path):
    assert mimic(tmp_path, "completion", "zsh").stdout.startswith("#compdef mimic")


def test_an_end_while_modules_load_is_no_fault(monkeypatch, capsys):
    """Ctrl-C reaches whatever runs, and a second one may come while the first is answered."""
    earlier = signal.getsignal(signal.SIGINT)

    def interrupt(name: str) -> NoReturn:
        raise KeyboardInterrupt

    try:
        monkeypatch.setattr("importlib.import_module", interrupt)
        assert main(["check"]) == 130
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, earlier)
    assert capsys.readouterr().err == ""
