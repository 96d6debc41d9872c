"""How fast medaug uses a GPU: training and sampling beside MONAI and diffusers, taking turns.

    python scripts/benchmark.py train_diffusion generate train --device cuda --minutes 8
    python scripts/benchmark.py train_diffusion generate train --device cpu --tiny --minutes 2
    python scripts/benchmark.py train_diffusion generate train --device cuda --minutes 8 --dry

The most telling cases come first; those that the minutes do not reach for are left out. Results come as they
are measured, in a table and in a JSON file that is rewritten each time, so that a run that is cut still tells
something. Peers run as their libraries come, in float32; TensorFloat-32 and the choice of the fastest
convolution are switched on for the whole process, so they profit from these too.
"""

from __future__ import annotations

import argparse
import gc
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from benchmarks.cases import SUBJECTS, Case, Size
from benchmarks.contest import quiet
from benchmarks.gauge import Clock, Entrant, Result, Work, matrix_tflops, write_results
from medaug.engine.acceleration import Acceleration

SECONDS_OF_A_TURN = 1.5
LEAST_SECONDS = 20.0
"""Of the turns of a case on a GPU."""

COLUMNS = ("images/s", "step ms", "TFLOP/s", "share", "GiB", "first s", "medaug is")
Plan = list[tuple[Case, float]]
"""Cases with the seconds of their turns."""


def main(argv: list[str]) -> None:
    """Run the cases that the command line names."""
    how = _parser().parse_args(argv)
    device, end = torch.device(how.device), perf_counter() + 60 * how.minutes
    size = Size.tiny() if how.tiny else Size.full()
    cases = [case for name in how.subjects for case in SUBJECTS[name](size)]
    plan = planned(cases, 60 * how.minutes, device)
    later = [(case, LEAST_SECONDS) for case in cases if case not in dict(plan)]
    for case, seconds in plan:
        whole = seconds + (case.setup if device.type == "cuda" else 0.0)
        print(f"{whole:5.0f} s  {case.title}: {', '.join(case.names)}")
    for case, _ in later:
        print(f"If time is left: {case.title}")
    if not how.dry:
        _run(plan + later, how, device, end)


def _run(plan: Plan, how: argparse.Namespace, device: torch.device, end: float) -> None:
    content = _circumstances(device, how)
    rate = f"{content['matrix_tflops']:.3g} TFLOP/s in bfloat16"
    print(f"\n{content['device']}, matrix product {rate}\n{_heading()}")
    with TemporaryDirectory() as folder:
        for number, (case, seconds) in enumerate(plan):
            if (needed := _needed(case, device)) and needed > end - perf_counter():
                print(f"{case.title}: left out, there is no time")
                continue
            rows = content["results"].setdefault(case.title, [])
            for row in _measured(case, device, Path(folder, str(number)), seconds, content["matrix_tflops"]):
                rows.append(row)
                print(_line(row), flush=True)
                write_results(how.output, content)
            _tidy(device)


def planned(cases: list[Case], seconds: float, device: torch.device) -> Plan:
    """Choose the most telling cases that there is time for, and share out what is left of it."""
    chosen, left = [], seconds
    for case in sorted(cases, key=lambda case: case.rank):
        if (needed := _needed(case, device)) <= left:
            chosen.append(case)
            left -= needed
    least = LEAST_SECONDS if device.type == "cuda" else 0.0
    return [(case, least + left / len(chosen)) for case in chosen]


def _needed(case: Case, device: torch.device) -> float:
    """Return the seconds without which a case need not be begun; on a CPU nothing is compiled."""
    return case.setup + LEAST_SECONDS if device.type == "cuda" else 0.0


def _measured(
    case: Case, device: torch.device, folder: Path, seconds: float, rate: float
) -> Iterator[dict[str, Any]]:
    """Measure all entrants of a case in turns, and give their rows; what fails is a row that says why."""
    print(case.title, flush=True)
    running: list[Running] = []
    with quiet():
        for entrant in case.entrants(device, folder):
            begun = _tried(entrant.name, partial(_begun, case, entrant, Clock(device)))
            if isinstance(begun, Running):
                running.append(begun)
            else:
                yield begun
        end = perf_counter() + seconds
        while running:
            for one in tuple(running):
                if (failed := _tried(one.result.name, one.turn)) is not None:
                    running.remove(one)
                    yield failed
            if perf_counter() > end:
                break
    first = None
    for one in running:
        row = one.result.row(rate, first)
        first = row["images_per_second"] if one.result.name.startswith("medaug") and first is None else first
        yield row


@dataclass(frozen=True, eq=False)
class Running:
    """An entrant that has begun, and how many steps are its turn."""

    result: Result
    work: Work
    steps: int
    clock: Clock

    def turn(self) -> None:
        """Take a turn, and note the speed."""
        seconds = self.clock.seconds(self.work, self.steps)
        self.result.images_per_second.append(self.steps * self.result.images / seconds)


def _tried(name: str, work: Callable[[], Any]) -> Any:
    """Return what the work returns, or a row that says why it failed: one must not end the others."""
    try:
        return work()
    except Exception as error:
        return {"name": name, "failed": f"{type(error).__name__}: {error}"[:300]}


def _begun(case: Case, entrant: Entrant, clock: Clock) -> Running:
    """Build an entrant, make its first step, tell how long that took, find out how many steps are a turn."""
    others, begun = clock.gib(), clock.now()
    work = entrant.begin()
    work()
    first = clock.now() - begun
    result = Result(case.title, entrant.name, entrant.images, entrant.flops, first)
    result.peak_gib = clock.peak_gib(work) - others
    step = clock.seconds(work)
    print(f"  {entrant.name:<40} first step after {first:.1f} s, then {1e3 * step:.1f} ms", flush=True)
    return Running(result, work, max(1, int(SECONDS_OF_A_TURN / step)), clock)


def _tidy(device: torch.device) -> None:
    """Forget what was compiled, of which torch keeps a few of one kind only, and give memory back."""
    torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


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
