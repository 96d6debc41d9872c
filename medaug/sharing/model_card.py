"""The model card of a bundle that is given away, made from what the run has left (Mitchell et al., 2019).

Source: M. Mitchell et al., Model cards for model reporting, FAT* 2019, doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from medaug.evaluation.metrics import in_words
from medaug.report.arm_names import arm_name
from medaug.report.group_words import BORDERS, FEWEST, bin_words, group_words
from medaug.report.words import NOT_ESTIMABLE, interval, listing, number, plural
from medaug.sharing.card_baseline import BesideBaseline
from medaug.sharing.card_data import condition_table, label_sentence, split_table, tested_on
from medaug.sharing.card_facts import Facts
from medaug.sharing.card_words import MEANINGS, TERMS, markdown_table, place
from medaug.sharing.source import Source

LIMITS = (
    "Research only: not a medical device, not validated for clinical decisions, and measured on the images "
    "named above alone. Elsewhere it may be worse: evaluate it on your own patients first (see Use).",
    "A group that is too small to be measured is not a group in which the model is right.",
    "It is one training. Intervals are over patients of these test sets; they do not tell how another "
    "training would turn out.",
    "Synthetic images are drawn, not taken: they show no patient and prove nothing about one.",
)
PHANTOM = (
    "**Drawn phantoms, no patients, whatever hospital is named: the figures show that the program works, "
    "nothing about medicine.** "
)
OUTCOMES = {
    "passed": "Its images are good enough by every check",
    "failed": "Its images are not good enough; failed (see below)",
    "undecided": "Its images passed, but there were too few to tell",
}
OF_GROUPS = (
    f"Not estimable: fewer than {FEWEST} patients in all, or with or without a condition; intersections of "
    "groups that are not estimable are left out. Patients are those of whom any condition is known."
)
MOST_NAMES = 10
"""Conditions that the first line names."""


def model_card(source: Source) -> str:
    """Return the card as Markdown; its first ten lines are what a reader must know."""
    facts, beside, metadata = Facts(source), BesideBaseline(source), source.config("metadata")
    sections = {
        "The data in numbers": [split_table(source)],
        "Labels": [label_sentence(source), condition_table(source)],
        "Beside the baseline": beside.section(),
        "Conditions": [_condition_metrics(facts)],
        "Groups": [_group_metrics(facts)],
        "The generator": [_generator(source)],
        "How it was trained": [_training(source)],
        "Limits": [_bullets(LIMITS)],
        "How to read this": [_bullets(_terms(facts))],
        "Use": [USE.format(name=source.bundle.name)],
        "Licence": [
            "The licence in `LICENSE` covers this bundle. Whether weights may be given on depends on the "
            "terms of the data, too, that they were trained on."
        ],
    }
    head = _head(source, facts, beside, metadata)
    body = [f"## {title}\n\n" + "\n\n".join(filter(None, parts)) for title, parts in sections.items()]
    return "\n\n".join([head, *body]) + "\n"


def _head(source: Source, facts: Facts, beside: BesideBaseline, metadata: Mapping[str, Any]) -> str:
    lines = {
        "What it is for": f"{metadata['task']}: {_conditions(source.info.task.classes)}. "
        f"{metadata['intended_use']}.",
        "Tested on": (PHANTOM if source.info.phantom else "") + tested_on(source, facts.splits),
        "How well": facts.how_well(),
        "How fairly": facts.how_fairly(),
        "Beside the baseline": beside.sentence(),
        "Where it fails": facts.where_it_fails(),
        "Generator": _answer(source),
    }
    return f"# {metadata['name']}\n\n" + "\n".join(f"- **{what}.** {said}" for what, said in lines.items())


def _conditions(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        return "all are listed under Labels"
    return listing(list(names))


def _answer(source: Source) -> str:
    if not source.generator_files:
        return "This bundle has none."
    if source.judgement is None:
        return "Nobody has judged its images."
    judgement = source.judgement
    because = [check.name for check in judgement.checks if check.outcome == judgement.outcome]
    return OUTCOMES[judgement.outcome] + (f": {listing(because)}." if judgement.outcome != "passed" else ".")


def _terms(facts: Facts) -> list[str]:
    metrics = dict.fromkeys([facts.metric, facts.label_metric or facts.metric])
    meanings = [f"{in_words(name)}: {MEANINGS[name]}." for name in metrics if name in MEANINGS]
    has_ranges = any(group != bin_words(group) for group in facts.table["group"])
    return [*meanings, *TERMS, *([BORDERS] if has_ranges else [])]


def _condition_metrics(facts: Facts) -> str:
    """Return what is measured of each condition; those of which nothing is known are named below."""
    metric = facts.label_metric
    if metric is None:
        return "Nothing is measured by condition."
    labels = [name for name in dict.fromkeys(facts.table["label"]) if name]
    cells = {name: [_cell(facts, split, "", "", name, metric) for split in facts.splits] for name in labels}
    known = [[name, *found] for name, found in cells.items() if set(found) != {NOT_ESTIMABLE}]
    unknown = [name for name, found in cells.items() if set(found) == {NOT_ESTIMABLE}]
    measured = (
        markdown_table([f"{in_words(metric)} [interval]", *map(place, facts.splits)], known) if known else ""
    )
    rest = f"Not estimable in any test set: {listing(unknown)}." if unknown else ""
    return "\n\n".join(filter(None, (measured, rest)))


def _group_metrics(facts: Facts) -> str:
    single = facts.table[(facts.table["metric"] == facts.metric) & (facts.table["attribute"] != "")]
    groups = single[["attribute", "group"]].drop_duplicates().itertuples(index=False, name=None)
    rows = []
    for attribute, group in groups:
        cells = [_cell(facts, split, attribute, group) for split in facts.splits]
        if " & " not in attribute or set(cells) != {NOT_ESTIMABLE}:
            rows.append([group_words(attribute, group), *cells])
    rows.insert(0, ["all together", *(_cell(facts, split) for split in facts.splits)])
    heading = [f"{facts.words} [interval]", *map(place, facts.splits)]
    return (
        f"{OF_GROUPS}\n\n{markdown_table(heading, rows)}"
        if rows[1:]
        else "The images say nothing about groups."
    )


def _cell(
    facts: Facts, split: str, attribute: str = "", group: str = "", label: str = "", metric: str = ""
) -> str:
    rows = facts.rows(split, metric, attribute=attribute, label=label)
    rows = rows[(rows["group"] == group) & rows["estimable"]]
    if rows.empty:
        return NOT_ESTIMABLE
    row = rows.iloc[0]
    told = f"{number(row['value'])} {interval(row['ci_low'], row['ci_high'])}".strip()
    with_it = f", {int(row['ill']):,} with it" if label and row["ill"] > 0 else ""
    return f"{told}, {plural(int(row['patients']), 'patient')}{with_it}" if row["patients"] > 0 else told


def _generator(source: Source) -> str:
    judgement = source.judgement
    if not source.generator_files:
        return "This bundle has no generator: it draws nothing."
    if judgement is None:
        return "Nobody has judged the images of this generator: run `quality.json` before you use them."
    checks = [[check.name, check.outcome, check.sentence] for check in judgement.checks]
    return f"{judgement.sentence}\n\n{markdown_table(['Check', 'Outcome', 'In words'], checks)}"


def _training(source: Source) -> str:
    trained = source.settings(source.run / "models" / "model.pt")
    names = ("network_name", "image_size", "iterations", "batch_size", "learning_rate", "loss_name", "seed")
    facts = [["method", arm_name(source.info.method)]]
    facts += [[name.replace("_", " "), str(trained[name])] for name in names if name in trained]
    facts += [[f"version of {name}", version] for name, version in sorted(source.versions.items())]
    return markdown_table(["What", "Value"], facts)


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


USE = """Install medaug and MONAI in the versions that `configs/metadata.json` names. Look before you trust:

```
python -m medaug.sharing inspect {name}.zip
```

Then, where the file was unpacked, predict your images, or audit any model's fairness on your own patients
(`mine.csv` has `score:<class>`, `label:<class>`, `patient_id`, `attr:<name>`):

```
python -m monai.bundle run --config_file {name}/configs/inference.json --dataset_dir images --output_dir out
python -m monai.bundle run --config_file {name}/configs/evaluate.json --predictions mine.csv --output_dir out
```

All settings are in `docs/guide.md`."""
