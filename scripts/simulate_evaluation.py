"""Measure coverage and error rates of the evaluation on made-up predictions whose truth is known.

By default in about two minutes on one core; more runs with, for example::

    python scripts/simulate_evaluation.py --runs 1000 --replicates 1000 --output rates.csv

Every line says what was simulated, the share of runs, and the bounds that it should lie in. The exit status
is 1 where one does not.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys

import numpy as np
import pandas as pd

from simulations import coverage, groups, methods

SIMULATIONS = {"methods": methods.simulate, "groups": groups.simulate, "coverage": coverage.simulate}


def main() -> int:
    """Run the simulations and print their lines as they come."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100, help="evaluations of each case")
    parser.add_argument("--replicates", type=int, default=200, help="bootstrap replicates of each evaluation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=SIMULATIONS, nargs="+", default=list(SIMULATIONS))
    parser.add_argument("--output", help="CSV file to write the lines to")
    options = parser.parse_args()
    lines = []
    for number, (name, simulate) in enumerate(SIMULATIONS.items()):
        if name in options.only:
            generator = np.random.default_rng([options.seed, number])
            for line in simulate(options.runs, options.replicates, generator):
                lines.append(line)
                bounds = f"should be {line.low:.1%} to {line.high:.1%}"
                print(
                    f"{line.share:6.1%}  {line.what} ({line.case}; {line.runs} runs) {bounds}: "
                    f"{'yes' if line.holds else 'NO'}",
                    flush=True,
                )
    if options.output:
        rows = [dataclasses.asdict(line) | {"holds": line.holds} for line in lines]
        pd.DataFrame(rows).to_csv(options.output, index=False)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())
