"""Files of tensors and plain Python values: written whole or not at all, read without running their code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from medaug.errors import CheckpointError
from medaug.files import disk_errors, write_aside


@dataclass(frozen=True)
class CheckpointFormat:
    """One kind of file, known by a tag in it.

    Parameters
    ----------
    tag : str
        Format and version, for example ``"medaug-classifier-1"``.
    what : str
        What such a file is called in a sentence.
    way_out : str
        What to do about a file that is of no use.
    older : tuple of str
        Tags of older versions that are read too.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scale.pt"
    >>> scales = CheckpointFormat("scale-1", "scale", "delete it")
    >>> scales.write(path, {"factor": torch.ones(())})
    >>> scales.read(path)
    {'format': 'scale-1', 'factor': tensor(1.)}
    """

    tag: str
    what: str
    way_out: str
    older: tuple[str, ...] = ()

    def write(self, path: Path, content: Mapping[str, Any]) -> None:
        """Write tensors and plain Python values (dictionaries, lists, tuples, numbers, strings)."""
        with disk_errors(path), write_aside(path) as temporary:
            torch.save({"format": self.tag, **content}, temporary)

    def read(self, path: Path) -> dict[str, Any]:
        """Return what was written, with tensors on the CPU.

        Raises
        ------
        CheckpointError
            The file is missing, damaged, or of another kind.
        """
        return self.checked(path, self.load(path))

    def load(self, path: Path) -> Any:
        """Return the tensors and plain values of a file, whatever its kind, on the CPU.

        Raises
        ------
        CheckpointError
            The file is missing or damaged.
        """
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise CheckpointError(f"there is no {self.what} {path}; train it first") from None
        except Exception as error:  # torch raises a different type for each kind of damage
            reason = type(error).__name__
            raise CheckpointError(
                f"{path} cannot be read as a {self.what} ({reason}); {self.way_out}"
            ) from error

    def checked(self, path: Path, content: Any) -> dict[str, Any]:
        """Return the content of a file that is of this kind; of another kind it is a CheckpointError."""
        if not isinstance(content, dict) or content.get("format") not in (self.tag, *self.older):
            raise CheckpointError(f"{path} is not a {self.what} of medaug ({self.tag}); {self.way_out}")
        return content

    @contextmanager
    def unpacking(self, path: Path) -> Iterator[None]:
        """Turn what goes wrong with the content of a file (a missing key, say) into one CheckpointError."""
        try:
            yield
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(
                f"{path} does not hold a whole {self.what}: {reason}; {self.way_out}"
            ) from error
