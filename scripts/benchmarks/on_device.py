"""How fast medaug uses a GPU: training and sampling beside MONAI and diffusers, taking turns.

    python scripts/benchmark.py train_diffusion generate train --device cuda --minutes 8
    python scripts/benchmark.py train_diffusion generate train --device cpu --tiny --minutes 2
    python scripts/benchmark.py train_diffusion generate train --device cuda --minutes 8 --dry

Results come as they are measured, in a table and in a JSON file that is rewritten each time, so that a run
that is cut still tells something. Peers run as their libraries come, in float32; TensorFloat-32 and the
choice of the fastest convolution are switched on for the whole process, so they profit from these too.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from benchmarks.cases import SUBJECTS, Case, Size
from benchmarks.contest import quiet
from benchmarks.gauge import Clock, Entrant, Result, matrix_tflops, write_results
from medaug.engine.acceleration import Acceleration

SECONDS_OF_A_TURN = 1.5
COLUMNS = ("images/s", "step ms", "TFLOP/s", "share", "GiB", "first s", "medaug is")


def main(argv: list[str]) -> None:
    """Run the cases that the command line names."""
    how = _parser().parse_args(argv)
    device = torch.device(how.device)
    size = Size.tiny() if how.tiny else Size.full()
    cases = [case for name in how.subjects for case in SUBJECTS[name](size)]
    shares = _seconds(cases, 60 * how.minutes)
    for case, seconds in zip(cases, shares, strict=True):
        print(f"{seconds:5.0f} s  {case.title}: {', '.join(case.names)}")
    if how.dry:
        return
    content = _circumstances(device, how)
    rate = f"{content['matrix_tflops']:.3g} TFLOP/s in bfloat16"
    print(f"\n{content['device']}, matrix product {rate}\n{_heading()}")
    with TemporaryDirectory() as folder:
        for number, (case, seconds) in enumerate(zip(cases, shares, strict=True)):
            rows = content["results"].setdefault(case.title, [])
            for row in _measured(case, device, Path(folder, str(number)), seconds, content["matrix_tflops"]):
                rows.append(row)
                print(_line(row), flush=True)
                write_results(how.output, content)


def _measured(
    case: Case, device: torch.device, folder: Path, seconds: float, rate: float
) -> Iterator[dict[str, Any]]:
    """Measure all entrants of a case in turns, and give their rows; what fails is a row that says why."""
    clock, end = Clock(device), perf_counter() + seconds
    print(case.title)
    running = []
    with quiet():
        for entrant in case.entrants(device, folder):
            try:
                running.append(_begun(case, entrant, clock))
            except Exception as error:  # one that does not run here must not end the others
                yield {"name": entrant.name, "failed": f"{type(error).__name__}: {error}"[:300]}
        while running:
            for result, work, times in running:
                result.images_per_second.append(times * result.images / clock.seconds(work, times))
            if perf_counter() > end:
                break
    first = None
    for result, _, _ in running:
        row = result.row(rate, first)
        first = row["images_per_second"] if result.name.startswith("medaug") and first is None else first
        yield row
    running.clear()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _begun(case: Case, entrant: Entrant, clock: Clock) -> tuple[Result, Any, int]:
    """Build an entrant, make its first step and find out how many steps are a turn."""
    begun = clock.now()
    work = entrant.begin()
    work()
    first = clock.now() - begun
    result = Result(case.title, entrant.name, entrant.images, entrant.flops, first)
    result.peak_gib = clock.peak_gib(work)
    return result, work, max(1, int(SECONDS_OF_A_TURN / clock.seconds(work)))


def _seconds(cases: list[Case], whole: float) -> list[float]:
    """Share the time out by weight."""
    return [whole * case.weight / sum(c.weight for c in cases) for case in cases]


def _circumstances(device: torch.device, how: argparse.Namespace) -> dict[str, Any]:
    facts = Acceleration.of(device, {}).facts(device)
    name = platform.processor() or platform.machine() if device.type == "cpu" else facts["device"]
    side = 512 if how.tiny else 8192
    return {
        "device": name,
        "torch": torch.__version__,
        "acceleration": facts,
        "matrix_tflops": matrix_tflops(device, side),
        "minutes": how.minutes,
        "tiny": how.tiny,
        "results": {},
    }


def _heading() -> str:
    return f"{'':<42}" + "".join(f"{name:>11}" for name in COLUMNS)


def _line(row: dict[str, Any]) -> str:
    if "failed" in row:
        return f"  {row['name']:<40} failed: {row['failed']}"
    ratio = "" if row["medaug_is"] is None else f"{row['medaug_is']:.2f} x"
    figures = (
        *(f"{row[n]:,.3g}" for n in ("images_per_second", "step_ms", "tflops")),
        f"{row['share_of_matrix_rate']:.1%}",
        *(f"{row[n]:.3g}" for n in ("peak_gib", "first_step_seconds")),
        ratio,
    )
    return f"  {row['name']:<40}" + "".join(f"{figure:>11}" for figure in figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subjects", nargs="+", choices=list(SUBJECTS))
    parser.add_argument("--device", required=True, help="cuda or cpu")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all, compilation included")
    parser.add_argument("--tiny", action="store_true", help="networks and images that a CPU can do")
    parser.add_argument(
        "--dry", action="store_true", help="only say what would be done, and with how much time"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("benchmark.json"), help="where results are written"
    )
    return parser
