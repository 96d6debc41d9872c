"""Looking into a bundle that somebody gave away, before it is trusted, without running any of it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medaug.sharing.config_code import code_in_config, code_in_logging
from medaug.sharing.contents import Contents, contents, seekable
from medaug.sharing.findings import MEANINGS, Finding
from medaug.sharing.manifest import LARGE_FILES, MANIFEST, digest
from medaug.sharing.pickled_code import code_in_model, is_model

REQUIRED = (
    *("LICENSE", MANIFEST, "configs/metadata.json", "configs/inference.json"),
    *("docs/README.md", "models/model.pt"),
)
METADATA = (
    *("version", "changelog", "monai_version", "pytorch_version", "numpy_version"),
    *("required_packages_version", "task", "description", "authors", "copyright", "network_data_format"),
)
"""What the MONAI Bundle specification asks of ``metadata.json``."""

_MODELS = frozenset({".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".ts"})
_PROGRAMS = frozenset({".py", ".pyc", ".pyd", ".so", ".dll", ".exe", ".sh", ".bat", ".ipynb", ".pth"})
_HARMLESS = frozenset({"", ".md", ".txt", ".json", ".conf", ".png", ".jpg", *_MODELS})
_PLAIN = frozenset({"LICENSE", MANIFEST, LARGE_FILES})


@dataclass(frozen=True)
class Inspection:
    """What was found in a bundle.

    Parameters
    ----------
    path : Path
        The zip or folder.
    files : int
        How many files it has.
    findings : tuple of Finding
        All that speaks against it.
    """

    path: Path
    files: int
    findings: tuple[Finding, ...]

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings

    def text(self) -> str:
        """Return the findings by kind, and the verdict."""
        lines = [self._heading()]
        for kind, meaning in MEANINGS.items():
            if own := [finding for finding in self.findings if finding.kind == kind]:
                lines += [f"\n{meaning}:", *(f"  {item.where}: {item.what}" for item in own)]
        return "\n".join([*lines, f"\n{self.verdict()}"])

    def verdict(self) -> str:
        """Return the answer in a sentence."""
        if self.trusted:
            return (
                "Verdict: nothing speaks against it. It holds configs with medaug's own code, tensors and "
                "text. Its list of hashes came with it: compare the SHA-256 above with what the giver says."
            )
        kinds = sorted({finding.kind for finding in self.findings})
        return (
            f"Verdict: DO NOT USE IT before you have read what is listed ({len(self.findings)} findings: "
            f"{', '.join(kinds)}). None of it was run."
        )

    def _heading(self) -> str:
        what = f"{self.path.name}: {self.files} files"
        return what if self.path.is_dir() else f"{what}, SHA-256 {digest(self.path)}"


def inspect(path: Path) -> Inspection:
    """Look into the zip or the folder of a bundle; nothing of it is run, unpacked or imported.

    Raises
    ------
    DataError
        There is no zip and no folder, or the zip is damaged.

    Examples
    --------
    >>> inspect(Path("chexpert.zip")).trusted  # doctest: +SKIP
    True
    """
    with contents(path) as held:
        found = [*held.findings, *_missing(held), *_hashes(held), *_metadata(held)]
        for name in held.files:
            found += _of_file(held, name)
        return Inspection(path, len(held.files), tuple(dict.fromkeys(found)))


def _missing(held: Contents) -> Iterator[Finding]:
    for name in REQUIRED:
        if name not in held.files:
            yield Finding("missing", name, "is not there")


def _hashes(held: Contents) -> Iterator[Finding]:
    """Compare every file with the list, and the list with the files."""
    listed = dict(_listed(held))
    for name in held.files:
        if name == MANIFEST:
            continue
        if name not in listed:
            yield Finding("hash", name, f"is not in {MANIFEST}")
            continue
        with held.open(name) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != listed[name]:  # type: ignore[arg-type]
                yield Finding("hash", name, "was changed: its SHA-256 is another")
    for name in listed.keys() - held.files.keys():
        yield Finding("hash", name, f"is in {MANIFEST}, but not there")


def _listed(held: Contents) -> Iterator[tuple[str, str]]:
    if MANIFEST in held.files:
        for line in held.read(MANIFEST).decode("utf-8", "replace").splitlines():
            value, _, name = line.partition("  ")
            yield name, value.lower()


def _metadata(held: Contents) -> Iterator[Finding]:
    name = "configs/metadata.json"
    if name not in held.files:
        return
    try:
        content = json.loads(held.read(name))
    except ValueError:
        yield Finding("metadata", name, "is no JSON")
        return
    missing = [key for key in METADATA if not isinstance(content, dict) or key not in content]
    if missing:
        yield Finding("metadata", name, f"lacks {', '.join(missing)}")
    elif content["version"] not in content["changelog"]:
        yield Finding("metadata", name, "has a version that its changelog does not tell of")


def _of_file(held: Contents, name: str) -> Iterator[Finding]:
    """Look into one file, by what it is."""
    suffix = PurePosixPath(name).suffix.lower()
    with held.open(name) as file:
        head = file.read(2)
    if suffix in _MODELS or is_model(head):
        yield from _of_model(held, name)
    elif suffix in _PROGRAMS:
        yield Finding("code", name, "is a program; what is imported may be looked for in the bundle first")
    elif suffix == ".json":
        yield from code_in_config(name, held.read(name).decode("utf-8", "replace"))
    elif suffix == ".conf":
        yield from code_in_logging(name, held.read(name).decode("utf-8", "replace"))
    elif name not in _PLAIN and suffix not in _HARMLESS:
        yield Finding("unread", name, "is of a kind that is not looked into")


def _of_model(held: Contents, name: str) -> Iterator[Finding]:
    with held.open(name) as file:
        try:
            for what in code_in_model(seekable(file)):
                yield Finding("pickle", name, what)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            yield Finding("pickle", name, "is damaged, or made to look so")
