# The study of all arms as a Snakemake workflow: python -m snakemake --snakefile scripts/study.smk --cores 2
# Its settings (--config, --configfile) are those of medaug.grid.design.Study. What a rule has made is marked in
# <output>/done; the products themselves know their settings and are continued, not deleted.
from medaug.grid.design import Cell, Study

study = Study.of(config)


def done(*names):
    return "/".join([study.output, "done", *names])


def generator_of(wildcards):
    conditioning = study.all_arms[wildcards.arm].conditioning
    return [done("generators", wildcards.labelled, conditioning, f"seed-{wildcards.seed}")] if conditioning else []


localrules:
    all,
    design,


wildcard_constraints:
    labelled="[^/]+",
    arm="[^/]+",
    conditioning="[^/]+",
    seed=r"\d+",


rule all:
    input:
        f"{study.output}/index.html",


rule prepare:
    output:
        touch(done("data")),
    params:
        command=study.preparation(),
    log:
        f"{study.output}/logs/prepare.log",
    threads: 1
    shell:
        "OMP_NUM_THREADS={threads} {params.command} > {log} 2>&1"


rule generate:
    input:
        done("data"),
    output:
        touch(done("generators", "{labelled}", "{conditioning}", "seed-{seed}")),
    params:
        command=lambda w: study.generation(w.labelled, w.conditioning, int(w.seed)),
    log:
        f"{study.output}/logs/generate-{{labelled}}-{{conditioning}}-seed-{{seed}}.log",
    threads: 1
    priority: 1  # many trainings wait for a generator
    shell:
        "OMP_NUM_THREADS={threads} {params.command} > {log} 2>&1"


rule train:
    input:
        done("data"),
        generator_of,
    output:
        touch(done("runs", "{labelled}", "{arm}", "seed-{seed}")),
    params:
        command=lambda w: study.training(Cell(w.labelled, w.arm, int(w.seed))),
    log:
        f"{study.output}/logs/train-{{labelled}}-{{arm}}-seed-{{seed}}.log",
    threads: 1
    shell:
        "OMP_NUM_THREADS={threads} {params.command} > {log} 2>&1"


rule look:
    input:
        lambda w: [done("runs", w.labelled, arm, f"seed-{w.seed}") for arm in study.names],
        study=ancient(f"{study.output}/study.json"),
    output:
        touch(done("looks", "{labelled}", "seed-{seed}")),
    log:
        f"{study.output}/logs/look-{{labelled}}-seed-{{seed}}.log",
    threads: 1
    shell:
        "OMP_NUM_THREADS={threads} python -m medaug.grid looks {input.study:q} {wildcards.labelled:q} {wildcards.seed} > {log} 2>&1"


rule compare:
    input:
        lambda w: [done("runs", c.labelled, c.arm, f"seed-{c.seed}") for c in study.cells() if c.labelled == w.labelled],
    output:
        touch(done("compared", "{labelled}")),
    params:
        command=lambda w: study.comparison(w.labelled),
    log:
        f"{study.output}/logs/compare-{{labelled}}.log",
    threads: 1
    shell:
        "OMP_NUM_THREADS={threads} {params.command} > {log} 2>&1"


rule design:
    output:
        f"{study.output}/study.json",
    params:
        study=config,
    run:
        study.save(output[0])


rule page:
    input:
        f"{study.output}/study.json",
        [done("compared", labelled) for labelled in study.labelled],
        [done("looks", labelled, f"seed-{seed}") for labelled in study.labelled for seed in study.seeds],
    output:
        f"{study.output}/index.html",
    log:
        f"{study.output}/logs/page.log",
    threads: 1
    shell:
        "OMP_NUM_THREADS={threads} python -m medaug.grid page {input[0]} > {log} 2>&1"
