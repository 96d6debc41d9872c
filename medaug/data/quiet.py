"""Decoders kept from printing: odd but readable files are common, and their messages may quote a header."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what pydicom and tifffile log, and all warnings.

    Examples
    --------
    >>> with quiet():
    ...     logging.getLogger("tifffile").warning("coercing invalid ASCII to bytes: Jane Doe")
    """
    loggers = [logging.getLogger(name) for name in ("pydicom", "tifffile")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
