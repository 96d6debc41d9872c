"""The key of a study: what each image is. It lies beside the page and is not for the readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medaug.errors import DataError
from medaug.files import disk_errors, write_aside

FORMAT = "medaug-study-key-1"
COLUMNS = ["image", "image_id", "condition", "truth", "synthetic"]


@dataclass(frozen=True)
class StudyKey:
    """What the page of a study does not say.

    Attributes
    ----------
    study : str
        Identity of the study; the page and every export carry it too.
    title : str
        Heading of the page.
    phantom : bool
        Whether any image is a drawn phantom or comes from a model that saw only phantoms.
    conditions : tuple of str
        Conditions that the images were drawn for, in the order of the task.
    diagnoses : dict of str to str
        Each diagnosis that a reader may give, and the class that it counts as.
    images : DataFrame
        One row an image, in the order of the page: ``image`` (the token that stands for it in the page),
        ``image_id`` (in its store), ``condition``, ``truth`` (tuple of classes), ``synthetic``.
    """

    study: str
    title: str
    phantom: bool
    conditions: tuple[str, ...]
    diagnoses: dict[str, str]
    images: pd.DataFrame

    def save(self, path: Path) -> None:
        """Write the key as JSON; the key of another study is never overwritten (DataError)."""
        if path.exists() and StudyKey.load(path).study != self.study:
            raise DataError(f"{path} is the key of another study; move it away, or choose another output")
        content = {
            "format": FORMAT,
            "study": self.study,
            "title": self.title,
            "phantom": self.phantom,
            "conditions": list(self.conditions),
            "diagnoses": self.diagnoses,
            "images": self.images[COLUMNS].to_dict("records"),
        }
        with disk_errors(path), write_aside(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> StudyKey:
        """Read a key that `save` wrote; DataError where the file is missing, damaged or something else."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as the key of a study ({error})") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f"{path} is not the key of a study; it is the *-key.json beside the page")
        try:
            images = pd.DataFrame(content["images"], columns=COLUMNS)
            images["truth"] = [tuple(truth) for truth in images["truth"]]
            names = tuple(content["conditions"])
            return cls(
                content["study"], content["title"], content["phantom"], names, content["diagnoses"], images
            )
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{path} is a damaged key; make the study again with the same settings") from None


def key_path(page: Path) -> Path:
    """Return where the key of a page lies.

    Examples
    --------
    >>> key_path(Path("study.html")).name
    'study-key.json'
    """
    return page.with_name(f"{page.stem}-key.json")
