"""What a person sees of Snakemake's events."""

import io
import json
import logging
import time

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from mimic.progress.screen import Screen
from mimic.progress.status import Running, Status
from mimic.support.terminal import Terminal


class Call:
    """One call of Snakemake, whose clock stands at noon until it is moved."""

    def __init__(self, stream) -> None:
        self.stream, self.begun = stream, []
        self.now = time.mktime((2026, 1, 2, 12, 0, 0, 0, 0, -1))
        words = DefaultFormatter(show_failed_logs=True).format
        self.screen = Screen(Terminal(stream), words, self.begun.append, lambda: self.now)

    def tell(self, event=None, msg="None", level=logging.INFO, **content) -> None:
        record = {"event": event, "msg": msg, "levelno": level, "levelname": logging.getLevelName(level)}
        self.screen.handle(logging.makeLogRecord(record | content))

    def begin(self, jobid: int, message: str | None, output=("x",)) -> None:
        self.tell(LogEvent.JOB_INFO, jobid=jobid, rule_msg=message, rule_name="rule", output=list(output))

    def finish(self, jobid: int, done: int, total: int) -> None:
        self.tell(LogEvent.JOB_FINISHED, job_id=jobid)
        self.tell(LogEvent.PROGRESS, done=done, total=total)

    def start(self, total: int, cores: int = 2) -> None:
        self.tell(msg="Building DAG of jobs...")
        self.tell(LogEvent.WORKFLOW_STARTED, msg="Workflow has started!")
        self.tell(msg="Using shell: /usr/bin/bash")
        self.tell(LogEvent.RESOURCES_INFO, msg="Provided cores: 2", cores=cores)
        self.tell(LogEvent.RESOURCES_INFO, msg="Rules claiming more threads will be scaled down.")
        self.tell(LogEvent.RUN_INFO, msg="Job stats: …", stats={"total": total, "teacher": total})


@pytest.fixture
def in_file() -> Call:
    return Call(io.StringIO())


@pytest.fixture
def on_terminal(tty) -> Call:
    return Call(tty)


def record(folder, accuracy: float | None) -> str:
    path = folder / "record.json"
    path.write_text(json.dumps({"validation_accuracy": accuracy}))
    return str(path)


def test_a_file_gets_one_plain_line_a_job_when_it_ends(in_file, tmp_path):
    in_file.start(3)
    in_file.begin(1, "training teacher t1", ["model.safetensors", record(tmp_path, 0.6325)])
    in_file.tell(LogEvent.SHELLCMD, msg="Shell command: python", shellcmd="python")
    in_file.tell(LogEvent.JOB_STARTED, msg="Execute 1 jobs...", jobs=[1])
    in_file.now += 130
    in_file.finish(1, 1, 3)
    in_file.begin(2, "packing the images")
    in_file.finish(2, 2, 3)
    in_file.begin(3, None, output=[])  # a target that a person asked for
    in_file.finish(3, 3, 3)
    assert in_file.stream.getvalue().splitlines() == [
        "12:00:00 3 jobs to run",
        "12:02:10 1/3 training teacher t1  2.2 min  validation accuracy 63.2 %",
        "12:02:10 2/3 packing the images  0 s",
    ]


def test_a_diverged_training_has_no_accuracy(in_file, tmp_path):
    in_file.begin(1, "training teacher t1", [record(tmp_path, None)])
    in_file.finish(1, 1, 3)
    assert "accuracy" not in in_file.stream.getvalue()


def test_the_last_line_of_a_terminal_tells_of_all_and_leaves_at_the_end(on_terminal):
    on_terminal.start(3)
    on_terminal.begin(1, "training teacher t1")
    on_terminal.begin(2, "training teacher t2")
    shown = on_terminal.stream.shown
    assert shown[-1] == "0 of 3 done, 2 running, 1 left · training teacher t1 · training teacher t2"
    on_terminal.now += 61
    on_terminal.finish(1, 1, 3)
    assert on_terminal.stream.shown == [
        "12:00:00 3 jobs to run",
        "12:01:01 1/3 training teacher t1  61 s",
        "1 of 3 done, 1 running, 1 left · training teacher t2",
    ]
    on_terminal.finish(2, 2, 3)
    on_terminal.begin(3, "writing report.html")
    on_terminal.finish(3, 3, 3)
    assert on_terminal.stream.shown[-1] == "12:01:01 3/3 writing report.html  0 s"


def test_the_live_line_knows_the_time_left_the_accuracy_and_the_epoch(on_terminal):
    on_terminal.start(9)
    on_terminal.begin(1, "training student conv1-s1, conv2-s1")
    at_work = (Running("student conv2-s1", 3, 20, 0.5), Running("student other", 1, 20, 0.1))
    status = Status("tiny", 7, 5, at_work, 240.0, True, (("teacher", 0.71),))
    on_terminal.screen.tell(status)
    assert on_terminal.stream.shown[-1].startswith(
        "0 of 9 done, 1 running, 8 left · about 4.0 min · validation: teacher 71.0 % · training student"
    )
    on_terminal.screen.tell(Status("tiny", 7, 5, at_work, 240.0))
    told = "by plan 4.0 min · training student conv1-s1, conv2-s1 epoch 3/20 …"
    assert on_terminal.stream.shown[-1].endswith(told)


def test_a_file_gets_what_the_helper_tells_as_a_line(in_file):
    in_file.start(9)
    in_file.screen.tell(Status("tiny", 7, 5, (), 240.0, True))
    assert in_file.stream.getvalue().endswith("12:00:00 0 of 9 done, 0 running, 9 left · about 4.0 min\n")


def test_the_helper_begins_with_the_jobs_and_knows_how_many_run_side_by_side(in_file):
    in_file.start(3, cores=8)
    assert in_file.begun == [8]


def test_a_failed_job_shows_its_log_and_not_its_files(in_file, tmp_path):
    log = tmp_path / "t1.log"
    log.write_text("teacher t1: failed: RuntimeError: too hot\n")
    in_file.begin(1, "training teacher t1")
    in_file.now += 5
    in_file.tell(
        LogEvent.JOB_ERROR, "Error in rule teacher, jobid: 1", logging.ERROR, jobid=1, rule_name="teacher",
        rule_msg=None, input=["in"] * 99, output=["out"] * 99, log=[str(log)], conda_env=None,
        shellcmd="python -m mimic run", aux={"external_jobid": "77"}, indent=False,
    )  # fmt: skip
    told = in_file.stream.getvalue()
    assert "12:00:05 training teacher t1 failed after 5 s\n" in told
    for words in (f"Logfile {log}:", "RuntimeError: too hot", "external_jobid: 77", "python -m mimic run"):
        assert words in told
    assert "input" not in told and "None" not in told


def test_a_run_that_is_told_to_end_calls_no_job_failed(in_file):
    in_file.start(3)
    in_file.begin(1, "training teacher t1")
    in_file.tell(msg="Terminating processes on user request, this might take some time.")
    in_file.tell(LogEvent.ERROR, "RuleException:\nCalledProcessError", logging.ERROR)
    in_file.tell(LogEvent.JOB_ERROR, "Error in rule teacher, jobid: 1", logging.ERROR, jobid=1)
    in_file.tell(msg="mimic: 1 training is saved", level=logging.WARNING)
    in_file.tell(LogEvent.ERROR, "WorkflowError:\nAt least one job did not …", logging.ERROR)
    assert in_file.stream.getvalue().splitlines()[1:] == [
        "12:00:00 stopping; trainings save their state", "mimic: 1 training is saved",
    ]  # fmt: skip


def test_messages_are_kept_and_noise_is_not(in_file):
    in_file.tell(msg="Nothing to be done (all requested files are present and up to date).")
    in_file.tell(msg="mimic: SLURM answers again", level=logging.WARNING)
    in_file.tell(LogEvent.ERROR, "WorkflowError:\nno", logging.ERROR)
    in_file.tell("of a later snakemake", "news")
    in_file.tell(msg="Select jobs to execute...")
    assert in_file.stream.getvalue().splitlines() == [
        "Nothing to be done (all requested files are present and up to date).",
        "mimic: SLURM answers again", "WorkflowError:", "no", "news",
    ]  # fmt: skip
