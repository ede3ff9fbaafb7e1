# The whole study on one page:
#
#   data ─▶ teachers ─▶ ensemble ─▶ logits ─▶ students ─▶ evaluation ─▶ report.html
#
# A job is run when its key differs from the one beside its result (docs/identity.md). Its spec and
# the sidecars upstream carry the keys; ancient() hides the dates of all other files.

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


rule all:
    input:
        "report.html",


rule data:
    input:
        spec=study.spec("data"),
    output:
        study.outputs("data"),
    log:
        f"logs/{name}/data.log",
    benchmark:
        f".mimic/{name}/benchmarks/data.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "packing the images"
    shell:
        "exec python -m mimic data --spec {input.spec} --threads {threads} --log {log}"


rule teacher:
    input:
        spec=study.spec("teacher"),
        sidecars=study.sidecars("teacher"),
        files=ancient(study.upstream("teacher")),
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
    resources:
        mem_mb=4000,
        runtime=1440,
    message:
        "training teacher {wildcards.name}"
    shell:
        "exec python -m mimic teacher --spec {input.spec} --threads {threads} --log {log}"


rule ensemble:
    input:
        spec=study.spec("ensemble"),
        sidecars=study.sidecars("ensemble"),
        files=ancient(study.upstream("ensemble")),
    output:
        study.outputs("ensemble"),
    log:
        f"logs/{name}/ensemble.log",
    benchmark:
        f".mimic/{name}/benchmarks/ensemble.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "selecting the ensemble on validation images"
    shell:
        "exec python -m mimic ensemble --spec {input.spec} --threads {threads} --log {log}"


rule logits:
    input:
        spec=study.spec("logits"),
        sidecars=study.sidecars("logits"),
        files=ancient(study.upstream("logits")),
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
    resources:
        mem_mb=4000,
        runtime=480,
    message:
        "computing the ensemble's logits on shard {wildcards.name} of the transfer set"
    shell:
        "exec python -m mimic logits --spec {input.spec} --threads {threads} --log {log}"


rule student:
    input:
        spec=study.spec("student"),
        sidecars=study.sidecars("student"),
        files=ancient(study.upstream("student")),
    output:
        study.outputs("student"),
    log:
        f"logs/{name}/student/{{name}}.log",
    benchmark:
        f".mimic/{name}/benchmarks/student/{{name}}.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=1440,
    message:
        "training student {wildcards.name}"
    shell:
        "exec python -m mimic student --spec {input.spec} --threads {threads} --log {log}"


rule evaluation:
    input:
        spec=study.spec("evaluation"),
        sidecars=study.sidecars("evaluation"),
        files=ancient(study.upstream("evaluation")),
    output:
        study.outputs("evaluation"),
    log:
        f"logs/{name}/evaluation.log",
    benchmark:
        f".mimic/{name}/benchmarks/evaluation.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    message:
        "evaluating every model on the test images"
    shell:
        "exec python -m mimic evaluation --spec {input.spec} --threads {threads} --log {log}"


rule report:
    input:
        spec=study.spec("report"),
        sidecars=study.sidecars("report"),
        files=ancient(study.upstream("report")),
    output:
        study.outputs("report"),
    log:
        f"logs/{name}/report.log",
    benchmark:
        f".mimic/{name}/benchmarks/report.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "writing report.html"
    shell:
        "exec python -m mimic report --spec {input.spec} --threads {threads} --log {log}"


# Targets for people and for dvc.yaml: all the results of one step.
rule teachers:
    input:
        study.all("teacher"),


rule logits_shards:
    input:
        study.all("logits"),


rule students:
    input:
        study.all("student"),


onstart:
    study.start_tracking()


onsuccess:
    study.stop_tracking()


onerror:
    study.stop_tracking()
