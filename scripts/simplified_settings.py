"""Draws the simplified settings of the paper's Appendix D, Figures D1 to D4, with the numbers behind them."""

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
