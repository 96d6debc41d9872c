"""What can go wrong, in one sentence each, with the file, row or key and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MedaugError(ValueError):
    """Base of all errors that are the input's fault, not the program's."""


class DataError(MedaugError):
    """A folder, table, image or store cannot be used."""


class SettingsError(MedaugError):
    """A setting is not understood, or differs from the one that a product was made with."""


class CheckpointError(MedaugError):
    """A model file is damaged, or belongs to another network."""


class TrainingError(MedaugError):
    """Training cannot go on."""


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """End the program with one sentence, not a traceback, where the input is at fault.

    Raises
    ------
    SystemExit
        In place of a `MedaugError`, with its message.
    """
    try:
        yield
    except MedaugError as error:
        raise SystemExit(f"error: {error}") from None
