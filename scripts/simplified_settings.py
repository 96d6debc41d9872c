"""Draws the simplified settings of the paper's Appendix D, Figures D1 to D4, with the numbers behind them.

    python scripts/simplified_settings.py FOLDER

Conventions. α is the share of *generated* examples here (Appendix D), not of real ones as in Eq. 3. D.1
minimises KL(p ‖ p'), the truth first; D.2 is computed in both directions, since Eq. 6 prints KL(p' ‖ p)
and the text finds infinities that only KL(p ‖ p') has. All optima are found knowing the truth p, so that
generated data cannot but help in D1 and D2: these figures say by how much at best.

What comes out with seed 0 (D1: exact means; D4: 10 random mixtures, logistic regression):

- D1: the paper's run, N = 6, p = 0.2, p̂ = 0.5, has t = 1/6 and α = 0.1 exactly. The mean optimal α falls from
  0.52 at N = 1 to 0.18 at N = 6, 0.12 at 10 and 0.05 at 100, as 1/√N, if not at every single N (19 of 99
  steps rise, by at most 0.006, since t is a multiple of 1/N). It is 1 where p̂ = p, and there only.
- D2: KL(p ‖ p') is infinite without generated data in 89 % of training sets of 5, 48 % of 10, 15 % of 20 and
  0.5 % of 50, never with. At N = 100 it is 0.0108 without and 0.0039 with, at 1,000 it is 0.0010 and 0.0005.
- D3: KL(truth ‖ fit) is 22.3, 0.30, 0.041 and 0.004 for 20, 100, 500 and 5,000 unlabelled points.
- D4: with 20 labelled points, 1,000 generated ones raise the accuracy from 0.45 to 0.75 (5 components in 2
  dimensions), 0.32 to 0.67 (10 in 5) and 0.42 to 0.79 (10 in 10); with 200 by 0.02, 0.01 and 0.02; with 500
  they cost 0.02, 0.02 and 0.01, the fit's own error. Less is gained where labelled points suffice (2 in 10:
  0.97 to 0.99) or classes overlap (10 in 1: 0.20 to 0.29).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from medaug.evaluation.metrics_table import write_table
from medaug.files import write_aside
from simplified import bernoulli, drawings, gaussian_mixture, hidden_attribute


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where figures (PNG, SVG) and tables (CSV) go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--resamples", type=int, default=1000, help="training sets for each point of D1 and D2"
    )
    parser.add_argument("--worlds", type=int, default=10, help="random mixtures for each case of D4")
    settings = parser.parse_args()
    began = time.monotonic()
    first_two(settings.folder, settings.seed, settings.resamples)
    last_two(settings.folder, settings.seed, settings.worlds)
    print(f"Figures and tables are in {settings.folder} ({time.monotonic() - began:.0f} s)")


def first_two(folder: Path, seed: int, resamples: int) -> None:
    """Make Figures D1 and D2."""
    single, curves = bernoulli.single_run(), bernoulli.curves(seed, resamples)
    save(folder, "d1", drawings.d1(single, curves), {"single": single, "curves": curves})
    divergences = hidden_attribute.sweep(seed, resamples)
    save(folder, "d2", drawings.d2(divergences), {"divergences": divergences})


def last_two(folder: Path, seed: int, worlds: int) -> None:
    """Make Figures D3 and D4."""
    fits = gaussian_mixture.fits(seed)
    rows = [(len(found.unlabelled), found.kl) for found in fits]
    divergences = pd.DataFrame(rows, columns=["unlabelled", "kl_from_truth"])
    save(folder, "d3", drawings.d3(fits), {"fits": divergences})
    gains = gaussian_mixture.gains(seed, worlds)
    save(folder, "d4", drawings.d4(gains), {"gains": gains})


def save(folder: Path, name: str, figure: Figure, tables: dict[str, pd.DataFrame]) -> None:
    """Write a figure as PNG and SVG and its tables as CSV; each file is whole or absent."""
    for kind in ("png", "svg"):
        with write_aside(folder / f"{name}.{kind}") as temporary:
            figure.savefig(temporary, format=kind, dpi=150)
    for what, table in tables.items():
        write_table(table, folder / f"{name}_{what}.csv")


if __name__ == "__main__":
    main()
