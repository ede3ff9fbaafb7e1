# The whole study:
#
#   data ─▶ teachers ─▶ ensemble ─▶ logits ─▶ students ─▶ evaluation ─▶ report.html
#
# with a search (docs/search.md): proposal ─▶ trials ─▶ proposal ─▶ … ─▶ selection, whose trials the ensemble
# may choose as teachers, and whose best point a student is trained with.
#
# Keys decide what is stale (docs/identity.md). `study` writes a spec for each job; the last line below adds it to
# the inputs of the job's rule, newer than an earlier result that is stale. No other date or trigger counts
# (profiles/default). `mimic run` makes the results whose job.json it is given, as their specs say.

from pathlib import Path

from snakemake.utils import min_version

from mimic.workflow import SnakefileStudy

min_version("9.27")  # path variables

study = SnakefileStudy(Path(config.get("params", "params.yaml")), workflow)
p = study.parameters  # params.yaml, typed


pathvars:
    results=f"results/{p.study}",
    cohorts=f".mimic/{p.study}/cohorts",
    logs=f"logs/{p.study}",
    benchmarks=f".mimic/{p.study}/benchmarks",


wildcard_constraints:
    models="teachers|students",
    search=r"[A-Za-z0-9_.-]+",
    round=r"\d{2}",


TEACHERS = study.names("teacher")
STUDENTS = study.names("student")
SHARDS = study.names("logits")
ROUNDS = study.rounds()  # of searches: by the place of each, its trials
EVALUATED = study.names("evaluation")  # teachers, the ensemble, students, and the best trials of searches

MODEL = ["model.safetensors", "validation.safetensors", "history.jsonl", "record.json"]
TO_TRAIN_ON = [
    f"<results>/data/{file}" for file in ("train.safetensors", "validation.safetensors", "data.json")
]
RUN = "exec python -m mimic run --threads {threads} --log {log}"
# Results are names of what the store keeps: hard links, or copies where there are none. The sidecar comes last.
PUBLISH = (
    "set -- {output.job}; for kept in {params.kept}; do for file in $kept/[!j]* $kept/job.json; do"
    " ln -f $file $(dirname $1) || cp $file $(dirname $1); done; shift; done 2> {log}"
)


localrules:  # seconds each: they run beside snakemake, also on a cluster
    all,
    teachers,
    ensemble_and_logits,
    students,
    evaluation_and_report,
    proposal,
    selection,
    ensemble,
    student,
    comparison,
    report,


rule all:
    input:
        study.results(),


rule data:
    output:
        expand(
            "<results>/data/{file}",
            file=["train.safetensors", "validation.safetensors", "test.safetensors", "data.json"],
        ),
        job="<results>/data/job.json",
    log:
        "<logs>/data.log",
    benchmark:
        "<benchmarks>/data.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    params:
        seed=p.seed,
        data=p.data,
    message:
        "packing the images"
    shell:
        f"{RUN} {{output.job}}"


rule teacher:
    input:
        TO_TRAIN_ON,
    output:
        expand("<results>/teachers/{{teacher}}/{file}", file=MODEL),
        job="<results>/teachers/{teacher}/job.json",
    log:
        "<logs>/teacher/{teacher}.log",
    benchmark:
        "<benchmarks>/teacher/{teacher}.tsv"
    wildcard_constraints:
        teacher="[^/]+",
    priority: 2  # the longest chain begins here
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        seed=p.seed,
        precision=p.precision,
        augmentation=p.augmentation,
        teachers=p.teachers,
    message:
        "training teacher {wildcards.teacher}"
    shell:
        f"{RUN} {{output.job}}"


# A search is a chain of rounds: each proposal sees the trials of all earlier rounds.
rule proposal:
    input:
        lambda w: study.files_read("proposal", f"{w.search}-r{w.round}", "trial"),
    output:
        "<results>/{models}/searches/{search}/r{round}/proposal.json",
        job="<results>/{models}/searches/{search}/r{round}/job.json",
    log:
        "<logs>/proposal/{models}/{search}-r{round}.log",
    benchmark:
        "<benchmarks>/proposal/{models}/{search}-r{round}.tsv"
    priority: 2
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        search=p.search,
    message:
        "proposing the points of round {wildcards.round} of {wildcards.search}"
    shell:
        f"{RUN} {{output.job}}"


# Trials, and students, that see the same images share a process: a cohort, named after its first member. Its
# members read the same files; those that are trained already cost nothing.
rule train_trials:
    input:
        TO_TRAIN_ON,
        lambda w: study.files_read("trial", w.cohort, "logits", "proposal"),
    output:
        cohort="<cohorts>/trial/{cohort}.json",
    log:
        "<logs>/trial/{cohort}.log",
    benchmark:
        "<benchmarks>/trial/{cohort}.tsv"
    priority: 1
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        seed=p.seed,
        precision=p.precision,
        augmentation=p.augmentation,
        transfer=p.transfer,
        search=p.search,
        members=lambda w: study.members("trial", w.cohort),
        untrained=lambda w: study.untrained("trial", w.cohort),
    message:
        "training trial {params.untrained}"
    shell:
        f"{RUN} --cohort {{output.cohort}} {{params.members}}"


# All that follows a trial reads its whole round, so one job publishes a round: a rule for each number of trials.
for trials in sorted({len(names) for names in ROUNDS.values()}):

    rule:
        name:
            f"round_of_{trials}"
        input:
            lambda w: study.trained("trial", *ROUNDS[w.place]),
        output:
            expand(
                "<results>/{{models}}/searches/{{place}}/t{trial:02d}/{file}",
                trial=range(1, trials + 1),
                file=MODEL,
            ),
            job=expand(
                "<results>/{{models}}/searches/{{place}}/t{trial:02d}/job.json", trial=range(1, trials + 1)
            ),
        log:
            "<logs>/placed/{models}/{place}.log",
        wildcard_constraints:
            place=study.places(trials),
        localrule: True
        conda:
            "envs/mimic.yaml"
        params:
            kept=lambda w: study.kept("trial", *ROUNDS[w.place]),
        message:
            "publishing the trials of {wildcards.place}"
        shell:
            PUBLISH


rule selection:
    input:
        lambda w: study.files_read("selection", w.search, "proposal", "trial"),
    output:
        expand(
            "<results>/{{models}}/searches/{{search}}/{file}",
            file=["selection.json", "trials.csv", "best.safetensors"],
        ),
        job="<results>/{models}/searches/{search}/job.json",
    log:
        "<logs>/selection/{models}/{search}.log",
    benchmark:
        "<benchmarks>/selection/{models}/{search}.tsv"
    priority: 2
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        search=p.search,
    message:
        "ranking the trials of {wildcards.search}"
    shell:
        f"{RUN} {{output.job}}"


rule ensemble:
    input:
        "<results>/data/validation.safetensors",
        "<results>/data/data.json",
        study.files_read("ensemble", "ensemble", "teacher", "trial"),
    output:
        "<results>/ensemble/ensemble.json",
        "<results>/ensemble/members.safetensors",
        job="<results>/ensemble/job.json",
    log:
        "<logs>/ensemble.log",
    benchmark:
        "<benchmarks>/ensemble.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        ensemble=p.ensemble,
    message:
        "selecting the ensemble on validation images"
    shell:
        f"{RUN} {{output.job}}"


rule logits:
    input:
        "<results>/data/train.safetensors",
        "<results>/data/data.json",
        "<results>/ensemble/ensemble.json",
        "<results>/ensemble/members.safetensors",
    output:
        "<results>/logits/{shard}/logits.safetensors",
        job="<results>/logits/{shard}/job.json",
    log:
        "<logs>/logits/{shard}.log",
    benchmark:
        "<benchmarks>/logits/{shard}.tsv"
    priority: 1
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        seed=p.seed,
        precision=p.precision,
        augmentation=p.augmentation,
        transfer=p.transfer,
    message:
        "computing the ensemble's logits on shard {wildcards.shard} of the transfer set"
    shell:
        f"{RUN} {{output.job}}"


rule train_students:
    input:
        TO_TRAIN_ON,
        # hard-label twins learn the labels of the training images, all others the ensemble's logits
        logits=lambda w: (
            []
            if study.job("student", w.cohort).task.arm == "labels"
            else expand("<results>/logits/{shard}/logits.safetensors", shard=SHARDS)
        ),
        # what a search has found, where there is one: students/searches/{search}/selection.json
        found=lambda w: study.files_read("student", w.cohort, "selection"),
    output:
        cohort="<cohorts>/student/{cohort}.json",
    log:
        "<logs>/student/{cohort}.log",
    benchmark:
        "<benchmarks>/student/{cohort}.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        seed=p.seed,
        precision=p.precision,
        augmentation=p.augmentation,
        transfer=p.transfer,
        students=p.students,
        hard_label_twins=p.hard_label_twins,
        dropout_twins=p.dropout_twins,
        weight_decay_twins=p.weight_decay_twins,
        members=lambda w: study.members("student", w.cohort),
        untrained=lambda w: study.untrained("student", w.cohort),
    message:
        "training student {params.untrained}"
    shell:
        f"{RUN} --cohort {{output.cohort}} {{params.members}}"


rule student:
    input:
        lambda w: study.trained("student", w.student),
    output:
        expand("<results>/students/{{student}}/{file}", file=MODEL),
        job="<results>/students/{student}/job.json",
    log:
        "<logs>/placed/{student}.log",
    wildcard_constraints:
        student="[^/]+",
    conda:
        "envs/mimic.yaml"
    params:
        kept=lambda w: study.kept("student", w.student),
    message:
        "publishing student {wildcards.student}"
    shell:
        PUBLISH


rule evaluation:
    input:
        "<results>/data/test.safetensors",
        "<results>/data/data.json",
        # the weights and the record of a teacher, a student, the ensemble, or the best of a search
        lambda w: study.files_read("evaluation", w.model, "teacher", "student", "ensemble", "selection"),
        # what the ensemble says, to measure the others beside it
        lambda w: study.files_read("evaluation", w.model, "evaluation"),
    output:
        "<results>/evaluation/{model}/measures.json",
        "<results>/evaluation/{model}/predictions.safetensors",
        "<results>/evaluation/{model}/pictures.safetensors",
        job="<results>/evaluation/{model}/job.json",
    log:
        "<logs>/evaluation/{model}.log",
    benchmark:
        "<benchmarks>/evaluation/{model}.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 2
    params:
        seed=p.seed,
        precision=p.precision,
        augmentation=p.augmentation,
        evaluation=p.evaluation,
    message:
        "evaluating {wildcards.model} on the test images"
    shell:
        f"{RUN} {{output.job}}"


rule comparison:
    input:
        expand("<results>/evaluation/{model}/measures.json", model=EVALUATED),
    output:
        "<results>/comparison/models.csv",
        job="<results>/comparison/job.json",
    log:
        "<logs>/comparison.log",
    benchmark:
        "<benchmarks>/comparison.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    message:
        "joining the measures of all models"
    shell:
        f"{RUN} {{output.job}}"


rule report:
    input:
        "<results>/data/data.json",
        "<results>/ensemble/ensemble.json",
        "<results>/comparison/models.csv",
        expand("<results>/teachers/{teacher}/history.jsonl", teacher=TEACHERS),
        expand("<results>/students/{student}/history.jsonl", student=STUDENTS),
        expand(
            "<results>/evaluation/{model}/{file}",
            model=EVALUATED,
            file=["predictions.safetensors", "pictures.safetensors"],
        ),
        study.files_read("report", "report", "selection"),
    output:
        expand(
            "<results>/report/{file}",
            file=[
                "summary.json",
                "claims.json",
                "figure1.csv",
                "figure2.csv",
                "figures.zip",
                "curves.csv",
                "searches.csv",
                "fidelity.csv",
                "robustness.csv",
                "reliability.csv",
                "confusion.csv",
                "disputed.csv",
            ],
        ),
        "report.html",  # that of the study at hand
        report(
            "<results>/report/report.html",
            caption="docs/captions/page.rst",
            category="The page",
            labels={"what": "the answer, and all that it rests on"},
        ),
        [
            report(
                f"<results>/report/{file}",
                caption=f"docs/captions/{caption}.rst",
                category=category,
                labels={"what": what},
            )
            for category, file, caption, what in [
                ("Figures", "figure1.svg", "figure1", "1 accuracy over parameters"),
                ("Figures", "figure2.svg", "figure2", "2 accuracy over training FLOPs"),
                ("Tables", "table1.csv", "table1", "1 hard labels and mimics"),
                ("Tables", "table2.csv", "table2", "2 students by family and size"),
            ]
        ],
        job="<results>/report/job.json",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "envs/mimic.yaml"
    threads: 1
    params:
        everything=p,
    message:
        "writing report.html"
    shell:
        f"{RUN} {{output.job}}"


# Targets for people and for the stages of dvc.yaml.
rule teachers:
    input:
        study.results("teacher"),
        [file for file in study.results("proposal", "trial", "selection") if "/teachers/" in file],


rule ensemble_and_logits:
    input:
        study.results("ensemble", "logits"),


rule students:
    input:
        study.results("student"),
        [file for file in study.results("proposal", "trial", "selection") if "/students/" in file],


rule evaluation_and_report:
    input:
        study.results("evaluation", "comparison", "report"),


onstart:
    study.begin()


onsuccess:
    study.stop_helpers()
    study.note_unrecorded()


onerror:
    study.note_saved()
    study.stop_helpers()


study.follow_keys()  # one more input for each rule: the spec of its job, newer than what is stale
