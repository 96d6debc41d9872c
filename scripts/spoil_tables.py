"""Spoil a thousand tables, read them all, and count what comes out.

    python scripts/spoil_tables.py [--tables 1000] [--seed 0]

Every reader, and the predictions, meet every way of spoiling once a round. Good are the right values
(what could not be understood is unknown and logged) and sentences; a crash, a silent change and a sentence
that names a person are faults, and shown.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from spoiling.spoilings import SPOILINGS
from spoiling.trial import OUTCOMES, spoil_and_read
from spoiling.worlds import WORLDS


def spoil_many(tables: int, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Return counts by way of spoiling (rows) and outcome (columns), and a line about each fault."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in SPOILINGS}
    pairs, faults = list(product(SPOILINGS, WORLDS)), []
    while sum(map(Counter.total, counts.values())) < tables:
        number, seed = seed, seed + 1
        for place in np.random.default_rng(number).permutation(len(pairs)):
            spoiling, world = pairs[place]
            verdict = spoil_and_read(world, spoiling, number)
            if verdict is not None:
                counts[spoiling][verdict.outcome] += 1
                if verdict.outcome in ("crash", "silent"):
                    faults.append(f"{world}, {spoiling}, seed {number}: {verdict.outcome}: {verdict.detail}")
            if sum(map(Counter.total, counts.values())) == tables:
                break
    return _as_table(counts), faults


def _as_table(counts: dict[str, Counter[str]]) -> pd.DataFrame:
    table = pd.DataFrame(
        [{name: counted[name] for name in OUTCOMES} for counted in counts.values()], index=list(counts)
    )
    return pd.concat([table, table.sum().rename("together").to_frame().T])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts and the faults; fail where there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    table, faults = spoil_many(chosen.tables, chosen.seed)
    print(table.to_string())
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
