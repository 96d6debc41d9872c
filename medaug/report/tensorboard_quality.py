"""The judgement of synthetic images written to TensorBoard: the numbers, and the answer in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medaug.engine.event_files import EventWriter
from medaug.files import replaced
from medaug.quality.judgement import Judgement


def write_quality(folder: Path, judgement: Judgement) -> None:
    """Show every number that could be estimated, beside that of real images, and all sentences.

    Parameters
    ----------
    folder : Path
        TensorBoard folder; what an earlier judgement left in it is replaced.
    judgement : Judgement
        What to show.
    """
    with replaced(folder) as aside:
        _write(aside, judgement)


def _write(folder: Path, judgement: Judgement) -> None:
    for kind, column in (("synthetic", "value"), ("real", "real")):
        with EventWriter(str(folder / kind)) as writer:
            for row in judgement.numbers[judgement.numbers[column].notna()].to_dict("records"):
                writer.add_scalar(_tag({str(k): v for k, v in row.items()}), row[column])
    with EventWriter(str(folder)) as writer:
        checks = [f"- **{check.name}** {check.outcome}. {check.sentence}" for check in judgement.checks]
        writer.add_text("quality", "\n".join([judgement.sentence, "", *checks]))


def _tag(row: dict[str, Any]) -> str:
    who = [part for part in (row["label"], row["attribute"], row["group"]) if part]
    return "/".join([str(row["measure"]), *who] if who else [str(row["measure"]), "all images"])
