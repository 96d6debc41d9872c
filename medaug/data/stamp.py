"""The stamp of a synthetic image: what a file says of itself, whoever names its folder.

A PNG file has it in a text chunk, a DICOM file in Synthetic Data (0008,001C) and Image Comments, a NIfTI file
in an extension of its header.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from medaug.data.dicom import is_dicom, read_attributes
from medaug.data.table import is_synthetic
from medaug.progress import progress

KEYWORD = "SyntheticData"
"""Keyword of the text chunk, as DICOM calls its attribute."""
NIFTI_COMMENT = 6
"""Code of an extension that holds plain text."""

_HEAD = 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_GZIP = b"\x1f\x8b"
_LONGEST = 2**20


@dataclass(frozen=True)
class Stamp:
    """What a synthetic image was made by, and what it was asked to show.

    Parameters
    ----------
    store : str
        Digest of the store that it comes from.
    number : int
        Its row there, from 1.
    image : str
        Its ``image_id`` there.
    generator : str
        Program, and digests of the models.
    seed : int
        Seed of the run.
    condition : mapping of str to float or str
        The labels and attributes that were asked for; what is missing was unknown.
    phantom : bool
        Whether the generator saw only drawn images.
    """

    store: str
    number: int
    image: str
    generator: str
    seed: int
    condition: Mapping[str, float | str]
    phantom: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The stamp as plain values.

        Examples
        --------
        >>> Stamp("3f9a", 1, "synthetic-0000000", "medaug", 0, {"label:edema": 1.0}).content["synthetic"]
        True
        """
        return {"synthetic": True, **asdict(self)}

    @property
    def text(self) -> str:
        """The stamp as JSON, in ASCII."""
        return json.dumps(self.content)

    @property
    def sentence(self) -> str:
        """What a viewer should show."""
        drawn = " of phantoms" if self.phantom else ""
        return f"Synthetic image{drawn}, drawn by {self.generator}, seed {self.seed}: no picture of a patient"

    @classmethod
    def parse(cls, text: str) -> Stamp | None:
        """Read what `text` wrote; None where it is something else."""
        try:
            content = json.loads(text)
            content.pop("synthetic")
            return cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def says_synthetic(path: Path) -> bool:
    """Whether a file says of itself that it is synthetic, by this or any other program's DICOM attribute.

    Only its beginning is read. A file that cannot be read, or of another format, says nothing.
    """
    return _mark(path) is not None


def read_stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file, None where it has none that this program wrote."""
    return Stamp.parse(_mark(path) or "")


def with_stamps(table: pd.DataFrame) -> pd.DataFrame:
    """Return a reader's table whose column ``synthetic`` says what table and files (``path``) say."""
    shown = progress(table["path"], "Looking for synthetic images", len(table), unit="file")
    stamped = pd.Series([says_synthetic(Path(path)) for path in shown], index=table.index, dtype=bool)
    return table.assign(synthetic=is_synthetic(table) | stamped)


def _mark(path: Path) -> str | None:
    """Return the text beside the mark, empty where there is only the mark; None without a mark."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head.startswith(_PNG):
                return _of_png(file)
            if is_dicom(head):
                return _of_dicom(path)
            if head.startswith(_GZIP):
                with gzip.open(path) as unpacked:
                    return _of_nifti(unpacked, unpacked.read(_HEAD))
            return _of_nifti(file, head)
    except Exception:  # whatever a damaged file makes a decoder raise; preparing it says what is wrong
        return None


def _of_png(file: IO[bytes]) -> str | None:
    """Look at the chunks before the pixels, where writers put text."""
    file.seek(len(_PNG))
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"tEXt" and length < _LONGEST:
            keyword, _, text = file.read(length).partition(b"\0")
            if keyword == KEYWORD.encode():
                return text.decode("latin-1")
            length = 0
        file.seek(length + 4, 1)
    return None


def _of_dicom(path: Path) -> str | None:
    said, comments = read_attributes(path, ("SyntheticData", "ImageComments"))
    return comments if said.strip().upper() == "YES" else None


def _of_nifti(file: IO[bytes] | gzip.GzipFile, head: bytes) -> str | None:
    import nibabel

    if head[344:347] == b"n+1":
        kind = nibabel.Nifti1Header
    elif head[4:7] == b"n+2":
        kind = nibabel.Nifti2Header
    else:
        return None
    file.seek(0)
    header = kind.from_fileobj(file)  # type: ignore[no-untyped-call]
    comments = [e.get_content() for e in header.extensions if e.get_code() == NIFTI_COMMENT]
    texts = (bytes(comment).rstrip(b"\0").decode("utf-8", "replace") for comment in comments)
    return next((text for text in texts if Stamp.parse(text) is not None), None)
