"""The steps of a study: for each the function that does it, its task, its files and what it reads."""

from dataclasses import dataclass

from mimic.config.parameters import Parameters
from mimic.data.image_parameters import DataTask
from mimic.distill.distillation import EnsembleTask, LogitsTask
from mimic.evaluation.protocol import ComparisonTask, EvaluationTask
from mimic.search.spaces import ProposalTask, SelectionTask, TrialTask
from mimic.support.frozen import Frozen
from mimic.training.recipe import StudentTask, TeacherTask

SIDECAR = "job.json"
MODEL_FILES = ("model.safetensors", "validation.safetensors", "history.jsonl", "record.json")
TRAINING_IMAGES = ("train.safetensors", "validation.safetensors", "data.json")


class ReportTask(Frozen):
    """Write the report."""

    parameters: Parameters


@dataclass(frozen=True)
class Step:
    """One rule of the study. Its code, for keys, is all that the module of `function` imports."""

    name: str
    does: str  # to follow "Step of the study: "
    function: str  # module:name, of a Context; of many, where a process is shared
    task: type[Frozen]
    files: tuple[str, ...]  # that a job publishes, besides its sidecar
    reads: dict[
        str, tuple[str, ...]
    ]  # of the files of other steps, by step: the test images only to evaluate
    shared: bool = False  # whether jobs may share a process
    settled: str | None = None  # module:name: all that a result depends on, where a search decides some of it

    @property
    def module(self) -> str:
        return self.function.partition(":")[0]


STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step(
            name="data",
            does="read the images, split and pack them",
            function="mimic.data.prepare:prepare",
            task=DataTask,
            files=("train.safetensors", "validation.safetensors", "test.safetensors", "data.json"),
            reads={},
        ),
        Step(
            name="teacher",
            does="train one teacher on hard labels",
            function="mimic.training.train:train_teacher",
            task=TeacherTask,
            files=MODEL_FILES,
            reads={"data": TRAINING_IMAGES},
        ),
        Step(
            name="ensemble",
            does="select the ensemble on validation images",
            function="mimic.distill.members:choose_members",
            task=EnsembleTask,
            files=("ensemble.json", "members.safetensors"),
            reads={
                "data": ("validation.safetensors", "data.json"),
                "teacher": ("model.safetensors", "validation.safetensors", "record.json"),
                "trial": ("model.safetensors", "validation.safetensors", "record.json"),
            },
        ),
        Step(
            name="logits",
            does="compute the ensemble's logits on one shard of the transfer set",
            function="mimic.distill.label:label_shard",
            task=LogitsTask,
            files=("logits.safetensors",),
            reads={
                "data": ("train.safetensors", "data.json"),
                "ensemble": ("ensemble.json", "members.safetensors"),
            },
        ),
        Step(
            name="proposal",
            does="propose the next points of a search",
            function="mimic.search.rounds:propose_round",
            task=ProposalTask,
            files=("proposal.json",),
            reads={"trial": ("record.json", "history.jsonl")},
        ),
        Step(
            name="trial",
            does="train points of a search",
            function="mimic.search.trials:train",
            task=TrialTask,
            files=MODEL_FILES,
            reads={
                "data": TRAINING_IMAGES,
                "logits": ("logits.safetensors",),
                "proposal": ("proposal.json",),
            },
            shared=True,
            settled="mimic.search.trials:settled",
        ),
        Step(
            name="selection",
            does="rank the trials of a search on validation images",
            function="mimic.search.winners:select_trials",
            task=SelectionTask,
            files=("selection.json", "trials.csv", "best.safetensors"),
            reads={"proposal": ("proposal.json",), "trial": ("model.safetensors", "record.json")},
        ),
        Step(
            name="student",
            does="train students",
            function="mimic.distill.students:train",
            task=StudentTask,
            files=MODEL_FILES,
            reads={
                "data": TRAINING_IMAGES,
                "logits": ("logits.safetensors",),
                "selection": ("selection.json",),
            },
            shared=True,
            settled="mimic.distill.students:settled",
        ),
        Step(
            name="evaluation",
            does="measure a model, or the best of a search, on the test images",
            function="mimic.evaluation.measure:evaluate",
            task=EvaluationTask,
            files=("measures.json", "predictions.safetensors", "pictures.safetensors"),
            reads={
                "data": ("test.safetensors", "data.json"),
                "teacher": ("model.safetensors", "record.json"),
                "student": ("model.safetensors", "record.json"),
                "ensemble": ("ensemble.json", "members.safetensors"),
                "selection": ("selection.json", "best.safetensors"),
                "evaluation": ("predictions.safetensors",),  # the ensemble's
            },
        ),
        Step(
            name="comparison",
            does="join the measures of all models in one table",
            function="mimic.evaluation.compare:compare",
            task=ComparisonTask,
            files=("models.csv",),
            reads={"evaluation": ("measures.json",)},
        ),
        Step(
            name="report",
            does="write report.html",
            function="mimic.report.write:write_report",
            task=ReportTask,
            files=(
                "report.html",
                "summary.json",
                "claims.json",
                "table1.csv",
                "table2.csv",
                "figure1.csv",
                "figure1.svg",
                "figure2.csv",
                "figure2.svg",
                "figures.zip",
                "curves.csv",
                "searches.csv",
                "fidelity.csv",
                "robustness.csv",
                "reliability.csv",
                "confusion.csv",
                "disputed.csv",
            ),
            reads={
                "data": ("data.json",),
                "teacher": ("history.jsonl",),
                "student": ("history.jsonl",),
                "ensemble": ("ensemble.json",),
                "logits": (),  # its sidecar alone, for what it cost
                "selection": ("selection.json", "trials.csv"),
                "evaluation": ("predictions.safetensors", "pictures.safetensors"),
                "comparison": ("models.csv",),
            },
        ),
    )
}
