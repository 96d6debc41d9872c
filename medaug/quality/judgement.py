"""The answer of the judge, and the two files that it is kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import BoolArray
from medaug.errors import DataError
from medaug.files import write_aside
from medaug.quality.limits import Check, Outcome
from medaug.quality.resampling import COLUMNS


@dataclass(frozen=True)
class Judgement:
    """What the judge found.

    Attributes
    ----------
    checks : sequence of Check
        Each question and how it came out.
    numbers : DataFrame
        Every measure of the synthetic images beside that of real ones, with the columns
        `medaug.quality.resampling.COLUMNS`.
    images : DataFrame
        One row a synthetic image, in the order of its store: ``image_id``; ``nearest``, the training image
        that is nearest in features, ``distance`` and ``ratio`` (to that of the next patient); the same in
        pixels (``nearest_in_pixels``, ``pixel_distance`` in grey levels, ``pixel_ratio``); ``copy``; and
        ``agreement``, the probability of what was asked for by a probe trained on real images.
    settings : mapping
        Features, limits, and all that the numbers depend on.
    """

    checks: Sequence[Check]
    numbers: pd.DataFrame
    images: pd.DataFrame
    settings: Mapping[str, Any]

    @property
    def outcome(self) -> Outcome:
        """``failed`` if any check did, else ``undecided`` if any is, else ``passed``."""
        outcomes = [check.outcome for check in self.checks]
        worst: list[Outcome] = [kind for kind in ("failed", "undecided") if kind in outcomes]
        return worst[0] if worst else "passed"

    @property
    def sentence(self) -> str:
        """The answer in words: that the images passed, or what is wrong or not known, and what to do."""
        if self.outcome == "passed":
            return "The synthetic images are good enough by every check."
        first, *others = [check for check in self.checks if check.outcome == self.outcome]
        failed = self.outcome == "failed"
        whole = "are not good enough" if failed else "passed, as far as there are images enough to tell"
        same = "Failed" if failed else "Not known"
        more = f" {same} as well: {', '.join(check.name for check in others)}." if others else ""
        return f"The synthetic images {whole}. {first.sentence}{more}"

    @property
    def usable(self) -> BoolArray:
        """Which of the synthetic images may be used, (len(images),): those that are no copies."""
        usable: BoolArray = ~self.images["copy"].to_numpy(np.bool_)
        return usable

    def write(self, path: Path) -> None:
        """Write the numbers as JSON, and the images beside it as a table (``.parquet``)."""
        with write_aside(path.with_suffix(".parquet")) as aside:
            self.images.to_parquet(aside)
        numbers = self.numbers.astype(object).where(self.numbers.notna(), None)
        content = {
            "outcome": self.outcome,
            "sentence": self.sentence,
            "checks": [asdict(check) for check in self.checks],
            "copies": self.images.loc[self.images["copy"], "image_id"].tolist(),
            "settings": dict(self.settings),
            "numbers": numbers.to_dict("records"),
        }
        with write_aside(path) as aside:
            aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Judgement:
        """Read what `write` wrote.

        Raises
        ------
        DataError
            A file is missing or damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            images = pd.read_parquet(path.with_suffix(".parquet"))
            found = [Check(**check) for check in content["checks"]]
            numbers = pd.DataFrame(content["numbers"], columns=list(COLUMNS))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is damaged ({type(error).__name__}); delete it, to be made anew"
            ) from None
        figures = [column for column in COLUMNS[4:] if column not in ("n", "real_n")]
        numbers[figures] = numbers[figures].astype(np.float64)
        return cls(found, numbers, images, content["settings"])
