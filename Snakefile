# The whole study on one page:
#
#   data ─▶ teachers ─▶ ensemble ─▶ logits ─▶ students ─▶ evaluation ─▶ report.html
#
# with a search (docs/search.md): proposal ─▶ trials ─▶ proposal ─▶ … ─▶ selection, ahead of the ensemble
# and of the students.
#
# A job is run when its key differs from the one beside its result (docs/identity.md). Its specs and
# what lies upstream carry the keys; ancient() hides the dates of all other files. Students and the
# steps of a search are known to Snakemake by a record, so that it never deletes a trained model.

from pathlib import Path

from mimic.core.errors import MimicError
from mimic.workflow import Workflow


wildcard_constraints:
    name=r"[A-Za-z0-9_.-]+",


try:
    study = Workflow(Path(config.get("params", "params.yaml")), is_main=workflow.is_main_process)
except MimicError as error:
    raise WorkflowError(str(error)) from None

name = study.study.name


localrules:
    all,
    teachers,
    logits_shards,
    students,
    proposal,  # seconds each: light jobs run beside snakemake, also on a cluster
    selection,
    ensemble,
    report,


rule all:
    input:
        "report.html",
        study.below("."),


rule data:
    input:
        specs=study.specs("data"),
    output:
        study.outputs("data"),
    log:
        f"logs/{name}/data.log",
    benchmark:
        f".mimic/{name}/benchmarks/data.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    message:
        "packing the images"
    shell:
        "exec python -m mimic data --spec {input.specs} --threads {threads} --log {log}"


rule teacher:
    input:
        specs=study.specs("teacher"),
        upstream=study.upstream("teacher"),
        files=ancient(study.files("teacher")),
    output:
        study.outputs("teacher"),
    log:
        f"logs/{name}/teacher/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/teacher/{{name}}.tsv"
    priority: 2  # the longest chain begins here
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "training teacher {wildcards.name}"
    shell:
        "exec python -m mimic teacher --spec {input.specs} --threads {threads} --log {log}"


rule proposal:
    input:
        specs=study.specs("proposal"),
        upstream=study.upstream("proposal"),
        files=ancient(study.files("proposal")),
    output:
        study.outputs("proposal"),
    log:
        f"logs/{name}/proposal/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/proposal/{{name}}.tsv"
    priority: 2
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "proposing points of {wildcards.name}"
    shell:
        "exec python -m mimic proposal --spec {input.specs} --threads {threads} --log {log} --done {output}"


rule trial:
    input:
        specs=study.specs("trial"),
        upstream=study.upstream("trial"),
        files=ancient(study.files("trial")),
    output:
        study.outputs("trial"),
    log:
        f"logs/{name}/trial/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/trial/{{name}}.tsv"
    priority: 1
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "training trial {wildcards.name}"
    shell:
        "exec python -m mimic trial --spec {input.specs} --threads {threads} --log {log} --done {output}"


rule selection:
    input:
        specs=study.specs("selection"),
        upstream=study.upstream("selection"),
        files=ancient(study.files("selection")),
    output:
        study.outputs("selection"),
    log:
        f"logs/{name}/selection/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/selection/{{name}}.tsv"
    priority: 2
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "ranking the trials of {wildcards.name}"
    shell:
        "exec python -m mimic selection --spec {input.specs} --threads {threads} --log {log} --done {output}"


rule ensemble:
    input:
        specs=study.specs("ensemble"),
        upstream=study.upstream("ensemble"),
        files=ancient(study.files("ensemble")),
    output:
        study.outputs("ensemble"),
    log:
        f"logs/{name}/ensemble.log",
    benchmark:
        f".mimic/{name}/benchmarks/ensemble.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "selecting the ensemble on validation images"
    shell:
        "exec python -m mimic ensemble --spec {input.specs} --threads {threads} --log {log}"


rule logits:
    input:
        specs=study.specs("logits"),
        upstream=study.upstream("logits"),
        files=ancient(study.files("logits")),
    output:
        study.outputs("logits"),
    log:
        f"logs/{name}/logits/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/logits/{{name}}.tsv"
    priority: 1
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "computing the ensemble's logits on shard {wildcards.name} of the transfer set"
    shell:
        "exec python -m mimic logits --spec {input.specs} --threads {threads} --log {log}"


rule student:
    input:
        specs=study.specs("student"),
        upstream=study.upstream("student"),
        files=ancient(study.files("student")),
    output:
        study.outputs("student"),
    log:
        f"logs/{name}/student/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/student/{{name}}.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "training student {wildcards.name}"
    shell:
        "exec python -m mimic student --spec {input.specs} --threads {threads} --log {log} --done {output}"


rule evaluation:
    input:
        specs=study.specs("evaluation"),
        upstream=study.upstream("evaluation"),
        files=ancient(study.files("evaluation")),
    output:
        study.outputs("evaluation"),
    log:
        f"logs/{name}/evaluation.log",
    benchmark:
        f".mimic/{name}/benchmarks/evaluation.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    message:
        "evaluating every model on the test images"
    shell:
        "exec python -m mimic evaluation --spec {input.specs} --threads {threads} --log {log}"


rule report:
    input:
        specs=study.specs("report"),
        upstream=study.upstream("report"),
        files=ancient(study.files("report")),
    output:
        study.outputs("report"),
    log:
        f"logs/{name}/report.log",
    benchmark:
        f".mimic/{name}/benchmarks/report.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "writing report.html"
    shell:
        "exec python -m mimic report --spec {input.specs} --threads {threads} --log {log}"


# Targets for people and for dvc.yaml: all the results below one folder.
rule teachers:
    input:
        study.below("teachers"),


rule logits_shards:
    input:
        study.below("logits"),


rule students:
    input:
        study.below("students"),


onstart:
    study.start_helpers(workflow.executor_plugin.name)


onsuccess:
    study.stop_helpers()
    study.note_unrecorded()


onerror:
    study.stop_helpers()
