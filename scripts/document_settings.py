"""Writes the table of settings into the guide of each bundle, from the dataclasses that hold the settings.

    python scripts/document_settings.py           # writes bundles/*/docs/README.md
    python scripts/document_settings.py --check   # says which guides are stale, and changes nothing

Meaning and type stand in the docstring of the setting's dataclass; the default is what the config resolves
to, and "preset" where presets differ.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from monai.bundle import ConfigWorkflow

from medaug import stages
from medaug.data.slides.patches import PatchSettings
from medaug.data.split import SplitSettings
from medaug.evaluation.settings import EvaluationSettings
from medaug.files import write_aside
from medaug.presets import PresetName, preset
from medaug.quality.limits import Limits
from medaug.stages.products import plain
from medaug.task import Task

ROOT = Path(__file__).parents[1] / "bundles"
BUNDLES = ("chexpert", "camelyon17", "dermatology")
BEGIN, END = "<!-- settings: written by scripts/document_settings.py -->", "<!-- end of settings -->"

HOMES: Mapping[str, tuple[type, ...]] = {
    "prepare": (stages.PreparationSettings, PatchSettings, SplitSettings, Task),
    "train_diffusion": (stages.GeneratorSettings, stages.GeneratorTraining),
    "train_upsampler": (stages.GeneratorSettings, stages.GeneratorTraining),
    "generate": (stages.SynthesisSettings,),
    "quality": (Limits, stages.QualitySettings),
    "train": (stages.ClassifierSettings, stages.ClassifierTraining),
    "evaluate": (stages.Evaluation, EvaluationSettings),
    "inference": (stages.Inference, stages.InferenceSettings),
}
"""Where the settings of a config are described, besides `Run`."""

LETTERS = dict(zip(HOMES, "PDUGQTEI", strict=True))
ALIASES = {"groups_of": "attributes", "split_unit": "unit"}
"""Settings that a config calls otherwise, since their name alone would say too little there."""

PLACES = {
    "bundle_root": "where the config lies",
    "output_dir": "`output` in the bundle",
    "data_dir": "`data` in `output_dir`",
    "generator_dir": "`output_dir`",
    "model": "`models/model.pt` in `output_dir`, else in the bundle",
    "method": "by what it was trained on",
}
GRID = ("patch_size", "mpp", "level", "tissue_fraction")
"""What new slides share with those of the training."""
VARIES = "preset"

WORDS = {
    r"\bof int\b": "of whole numbers",
    r"\bof float\b": "of numbers",
    r"\bint\b": "whole number",
    r"\bfloat\b": "number",
    r"\bstr\b": "text",
    r"\bbool\b": "`true`, `false`",
    r"mapping of \w+ to": "dictionary of",
    r"\bmapping\b": "dictionary",
    r"\b(tuple|sequence)(s?)\b": r"list\2",
    r"Attribute": "dictionaries",
}
"""The types of docstrings in the words of a config."""


@dataclass(frozen=True)
class Setting:
    """A row of the table, without the configs that have it."""

    name: str
    default: str
    kind: str
    meaning: str


def table(bundle: str) -> str:
    """Return the table of a bundle's settings in Markdown, each once, in the order of the configs."""
    having: dict[Setting, list[str]] = {}
    for stage in HOMES:
        if (ROOT / bundle / f"{stage}.json").is_file():
            for setting in settings(bundle, stage):
                having.setdefault(setting, []).append(LETTERS[stage])
    rows = sorted(having, key=lambda setting: list(dict.fromkeys(s.name for s in having)).index(setting.name))
    cells = ((f"`{s.name}`", " ".join(having[s]), s.default, s.kind, s.meaning) for s in rows)
    lines = ["| setting | in | default | type, choices | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])


def settings(bundle: str, stage: str) -> Iterator[Setting]:
    """Describe every setting of a config."""
    described = descriptions(stage)
    resolved = [_resolved(bundle, stage, name) for name in _presets(bundle, stage)]
    given = given_settings(bundle, stage)
    for name in given:
        kind, meaning = described[ALIASES.get(name, name)]
        default = _of_data_and_phantoms(given[name]) or _default(name, [values[name] for values in resolved])
        if stage == "inference" and name in GRID:
            default = "as trained"
        yield Setting(name, default, kind, meaning)


def _presets(bundle: str, stage: str) -> list[PresetName]:
    """Return the presets that have a stage: one network is enough for some, and they train no upsampler."""
    names = list(get_args(PresetName))
    if stage != "train_upsampler":
        return names
    facts = json.loads((ROOT / bundle / "metadata.json").read_text(encoding="utf-8"))["medaug"]
    return [name for name in names if preset(facts["modality"], name).upsampler is not None]


def given_settings(bundle: str, stage: str) -> dict[str, Any]:
    """Return what a user may set in a config: it comes first, and then what is built from it."""
    content = json.loads((ROOT / bundle / f"{stage}.json").read_text(encoding="utf-8"))
    names = list(content)
    end = min(names.index(name) for name in ("stage", "task") if name in content)
    return {name: content[name] for name in names[:end] if name not in ("imports", "shared")}


def descriptions(stage: str) -> dict[str, tuple[str, str]]:
    """Return type and meaning of each field of a config's dataclasses, as their docstrings say."""
    of_rooms = [home for home in HOMES[stage] if not home.__module__.startswith("medaug.stages")]
    of_stages = [home for home in HOMES[stage] if home not in of_rooms]
    found: dict[str, tuple[str, str]] = {}
    for home in (*of_rooms, stages.Run, *of_stages):  # the last word is that of the stage
        for base in reversed(home.__mro__[:-1]):
            found |= _documented(inspect.getdoc(base) or "")
    return found


def _documented(doc: str) -> dict[str, tuple[str, str]]:
    """Read the section Parameters of a NumPy docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}|\Z)", doc, re.MULTILINE | re.DOTALL)
    if section is None:
        return {}
    entry = r"^(\w[\w, ]*?)(?: : ([^\n]+))?\n((?:    [^\n]*\n?|\n)+)"
    found = {}
    for names, kind, text in re.findall(entry, f"{section[1]}\n", re.MULTILINE):
        meaning = re.sub(r"`medaug\.[\w.]*?(\w+)`", r"`\1`", " ".join(text.split()).replace("``", "`"))
        meaning = re.sub(r"\bNone\b", "`null`", meaning)
        for name in names.split(", "):
            found[name] = _escaped(_kind(kind)), _escaped(meaning.rstrip("."))
    return found


def _kind(text: str) -> str:
    """Write the choices of a docstring's type as a table shows them."""
    choices = re.search(r"\{(.*)\}", text)
    if choices:
        return ", ".join(f"`{choice.strip().strip(chr(34))}`" for choice in choices[1].split(","))
    words = re.sub(r"(,| or) None$", "", text.replace(", optional", ""))
    for pattern, word in WORDS.items():
        words = re.sub(pattern, word, words)
    return words


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _default(name: str, values: list[Any]) -> str:
    if name in PLACES:
        return PLACES[name]
    texts = {json.dumps(plain(value)) for value in values}
    if len(texts) > 1:
        return VARIES
    (text,) = texts
    return f"`{text}`" if len(text) < 80 else "see `prepare.json`"


def _of_data_and_phantoms(value: Any) -> str | None:
    """Return both values of a setting that is one for data of a user and another for phantoms."""
    both = re.fullmatch(r"\$(\S+) if @shared.dataset_dir else (\S+)", str(value))
    return both and f"`{both[1]}`; `{both[2]}` of phantoms"


def _resolved(bundle: str, stage: str, name: str) -> dict[str, Any]:
    """Return what the settings of a config are without a user's word."""
    root, given = ROOT / bundle, given_settings(bundle, stage)
    changed = {"bundle_root": str(root), "output_dir": str(root / "no such run")}
    changed |= {"preset": name} if "preset" in given else {}
    workflow = ConfigWorkflow(str(root / f"{stage}.json"), logging_file=False, **changed)
    stage_object = workflow.parser.get_parsed_content("stage")
    own = vars(stage_object.settings)
    known = vars(stage_object.run) | vars(stage_object) | own
    known |= {name: own[alias] for name, alias in ALIASES.items() if alias in own}
    values = {name: known[name] for name in given if name in known}
    rest = {name: workflow.parser.get_parsed_content(name) for name in given if name not in known}
    return {**values, **rest} | ({"preset": "demo"} if "preset" in given else {})


def written(bundle: str) -> tuple[Path, str]:
    """Return the guide of a bundle, and its text with the table as it should be."""
    path = ROOT / bundle / "docs" / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    return path, f"{before}{BEGIN}\n\n{table(bundle)}\n\n{END}{rest.split(END)[1]}"


def main() -> int:
    """Write or check all guides; 1 where one was stale and only checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where one is stale")
    check = parser.parse_args().check
    stale = [(path, text) for path, text in map(written, BUNDLES) if path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{path.relative_to(ROOT.parent)} {'is stale' if check else 'was written'}")
        if not check:
            with write_aside(path) as aside:
                aside.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
