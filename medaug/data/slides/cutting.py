"""Slides to patches with all cores: each slide is opened once, by one process, and what is cut stays cut."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.slides.patches import PatchSettings
from medaug.data.slides.shards import (
    TABLE,
    Choose,
    Job,
    cut_slide,
    is_cut,
    note_of,
    reject_slide,
    shard_name,
)
from medaug.engine import distributed
from medaug.errors import DataError
from medaug.files import bytes_of, disk_errors
from medaug.parallel import as_done
from medaug.progress import Progress

logger = logging.getLogger(__name__)


def cut(
    slides: pd.DataFrame,
    work: Path,
    settings: PatchSettings,
    choose: Choose,
    sizes: Sequence[int],
    workers: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut the patches of many slides.

    Killed at any moment and called again, it goes on with the slides that are missing, and ends in the same
    patches. Under several processes (torchrun), on one machine or on several with a shared folder, each cuts
    its share of the slides.

    Parameters
    ----------
    slides : DataFrame
        One row a slide: ``slide`` (unique), ``path``, ``file``, ``patient_id``, ``domain``, ``annotation``,
        ``tumour_free``, ``split``.
    work : Path
        Folder that gets a folder for each slide; `medaug.data.slides.storing.store_patches` empties it.
    settings : PatchSettings
        How patches are laid out and chosen.
    choose : callable
        Which patches are taken: `medaug.data.slides.patches.choose` or ``every_patch``.
    sizes : sequence of int
        Sides of the stored images in pixels.
    workers : int, optional
        Cutting processes; default all cores. 0 cuts in this process.

    Returns
    -------
    patches : DataFrame
        What `choose` returned, slide by slide, and where the pixels are: ``work`` (folder of the slide) and
        ``index`` (number of the patch in it).
    rejected : DataFrame
        The rows of the slides that cannot be used, with ``reason``.

    Raises
    ------
    DataError
        A name of a slide comes twice; the disk is full.
    """
    if slides["slide"].duplicated().any():
        row = int(slides["slide"].duplicated().to_numpy().argmax()) + 1
        raise DataError(f"the slide of row {row} has the name of an earlier one; give every slide its own")
    rows = [{str(key): value for key, value in row.items()} for row in slides.to_dict("records")]
    jobs = [Job(row, work / shard_name(row["slide"]), settings, choose, tuple(sizes)) for row in rows]
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
        _cut_share(jobs, workers)
    distributed.barrier()
    if distributed.is_first():
        _log_lost(jobs)
    return _collected(jobs), _rejected(jobs)


def _cut_share(jobs: list[Job], workers: int | None) -> None:
    """Cut this process's share of what is missing, the largest files first, so that no core waits long."""
    missing = [job for job in jobs if not is_cut(job)]
    # Nobody cuts before everybody knows what is missing, so that all agree on the shares.
    distributed.barrier()
    missing.sort(key=lambda job: bytes_of(job.slide["path"]) or 0, reverse=True)
    share = distributed.own_share(missing)
    workers = distributed.own_cores() if workers is None else workers
    patches = slides = 0
    with Progress("Cutting slides", 0, unit="patch") as shown:
        for number, result in as_done(cut_slide, share, workers):
            if isinstance(result, str):
                reject_slide(share[number], result)
            else:
                patches += result
            slides += 1
            shown.expect(round(patches / slides * len(missing)))
            new = 0 if isinstance(result, str) else result
            shown.update(new * distributed.processes(), f"in {slides:,} of {len(share):,} slides")


def _log_lost(jobs: list[Job]) -> None:
    """Say once, of all slides together, what they did not give."""
    notes = [note_of(job.folder) for job in jobs]
    lost = [note["lost"] for note in notes if note.get("lost")]
    if lost:
        logger.warning(
            "%s patches on damaged parts of %s of %s slides are lost, at most %s of one slide",
            *(f"{number:,}" for number in (sum(lost), len(lost), len(jobs), max(lost))),
        )
    if empty := sum(note.get("patches") == 0 for note in notes):
        logger.warning("%s of %s slides gave no patch", f"{empty:,}", f"{len(jobs):,}")


def _collected(jobs: list[Job]) -> pd.DataFrame:
    tables = []
    for job in jobs:
        if note_of(job.folder).get("patches"):
            table = pd.read_parquet(job.folder / TABLE)
            tables.append(table.assign(work=str(job.folder), index=range(len(table))))
    if not tables:
        reasons = _rejected(jobs)["reason"].tolist() or ["no patch has enough tissue, or a label"]
        raise DataError(f"no patch could be cut from {len(jobs)} slide(s); the first reason: {reasons[0]}")
    return pd.concat(tables, ignore_index=True)


def _rejected(jobs: list[Job]) -> pd.DataFrame:
    notes = [note_of(job.folder) for job in jobs]
    found = [
        (job.slide, note["rejected"]) for job, note in zip(jobs, notes, strict=True) if "rejected" in note
    ]
    columns: list[Any] = [*jobs[0].slide, "reason"] if jobs else ["reason"]
    return pd.DataFrame([{**slide, "reason": reason} for slide, reason in found], columns=columns)
