"""Event files of TensorBoard that do not say on which machine they were written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tensorboard.summary.writer import event_file_writer
from torch.utils.tensorboard import SummaryWriter

ANYWHERE = "medaug"
"""Stands in names of files where TensorBoard puts the name of the host."""


class EventWriter(SummaryWriter):
    """A `SummaryWriter` whose files do not name the host; TensorBoard has no setting for it.

    Examples
    --------
    >>> with EventWriter("logs") as writer:  # doctest: +SKIP
    ...     writer.add_scalar("loss", 0.1, 1)  # logs/events.out.tfevents.1700000000.medaug.4711.0
    """

    def _get_file_writer(self) -> Any:
        nowhere = SimpleNamespace(gethostname=lambda: ANYWHERE)
        with patch.object(event_file_writer, "socket", nowhere):
            return super()._get_file_writer()  # type: ignore[no-untyped-call]
