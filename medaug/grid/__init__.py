"""The study of all arms: which training is compared with which, on which data, with how many seeds.

An arm (`medaug.grid.arms`) is a named way to train a classifier. A study (`medaug.grid.design`) trains each
of its arms with each of its seeds; every training is one command ``python -m monai.bundle run``, and
``scripts/study.smk`` runs them as a Snakemake workflow. What they predict becomes the page of the study,
``index.html`` (`medaug.grid.study_report`), which ``python -m medaug.grid page`` writes again from what is
there.

The room trains nothing and computes no metric: it imports `medaug.stages` to check settings, and
`medaug.evaluation` and `medaug.report` for the page.
"""
