"""The page of a study: one HTML file with everything in it, and the key beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medaug.data.store import ImageStore
from medaug.errors import SettingsError
from medaug.files import disk_errors, write_aside
from medaug.progress import progress
from medaug.randomness import derive_seed
from medaug.study.choice import ChoiceSettings, choose
from medaug.study.diagnoses import diagnosis_classes
from medaug.study.key import StudyKey, key_path
from medaug.study.rendering import render

FORMAT = "medaug-study-1"
SCRIPTS = ("search.js", "combobox.js", "study.js")
NOTE = "From a blinded reader study; this image may be synthetic."


def make_study(
    output: Path,
    stores: Sequence[ImageStore],
    settings: ChoiceSettings,
    *,
    title: str = "Reader study",
    diagnoses: Path | None = None,
    size: int | None = None,
) -> StudyKey:
    """Write the page of a study and, beside it, its key.

    The page is blinded: neither labels nor what is real or synthetic is in it, images bear random names,
    stand in random order and are all of one size. It needs no network and says in its heading that images
    may be synthetic.

    Parameters
    ----------
    output : Path
        The page, for example ``study.html``; the key becomes ``study-key.json``.
    stores : sequence of ImageStore
        Real, synthetic or mixed, of one task.
    settings : ChoiceSettings
        Which images, how many, with which seed.
    title : str
        Heading of the page.
    diagnoses : Path, optional
        A CSV ``condition,class`` of further diagnoses, see `medaug.study.diagnoses.diagnosis_classes`.
    size : int, optional
        Side of the images in pixels; default the largest that all stores have.

    Returns
    -------
    StudyKey
        What was written to the key.

    Raises
    ------
    SettingsError, DataError
        See `choose` and `diagnosis_classes`; the stores have no size in common; the output is no HTML file
        or the key there belongs to another study.

    Examples
    --------
    ``make_study(Path("study.html"), [real, synthetic], ChoiceSettings(images_per_class=10, seed=1))``
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"the output is an HTML file, for example study.html, not {str(output)!r}")
    chosen = choose(stores, settings)
    names = diagnosis_classes(stores[0].task.classes, diagnoses)
    pixels = _pictures(chosen, stores, _common_size(stores, size))
    pictures = list(progress(pixels, "Embedding images", total=len(chosen)))
    identity = hashlib.sha256(json.dumps([title, list(names), pictures]).encode()).hexdigest()
    study = f"{derive_seed(settings.seed, 'study', identity):016x}"
    tokens = [f"{derive_seed(settings.seed, study, place):016x}" for place in range(len(chosen))]
    phantom = any(stores[number].phantom for number in chosen["store"].unique())
    shown = tuple(name for name in stores[0].task.classes if name in set(chosen["condition"]))
    key = StudyKey(study, title, phantom, shown, names, chosen.assign(image=tokens))
    key.save(key_path(output))
    _write(output, key, pictures)
    return key


def _common_size(stores: Sequence[ImageStore], size: int | None) -> int:
    """Return the size of all images; different sizes would tell real from synthetic."""
    common = set.intersection(*(set(store.sizes) for store in stores))
    if size is not None and size in common:
        return size
    there = "; ".join(f"{store.path}: {', '.join(map(str, store.sizes))}" for store in stores)
    if size is not None or not common:
        raise SettingsError(f"not all stores have images of size {size or 'in common'} ({there})")
    return max(common)


def _pictures(chosen: pd.DataFrame, stores: Sequence[ImageStore], size: int) -> Iterator[str]:
    """Give data URIs in the order of the page, grey only where all stores are grey."""
    mode = "L" if all(store.channels == 1 for store in stores) else "RGB"
    images = [store.images(size) for store in stores]
    for number, row in zip(chosen["store"], chosen["row"], strict=True):
        pixels = np.asarray(images[number][row])
        yield _png_uri(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert(mode))


def _png_uri(picture: Image.Image) -> str:
    """Return a PNG that says of itself, real or not, that it may be synthetic."""
    note = PngInfo()
    note.add_text("Comment", NOTE)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", pnginfo=note)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _write(output: Path, key: StudyKey, pictures: list[str]) -> None:
    images = [{"image": i, "picture": p} for i, p in zip(key.images["image"], pictures, strict=True)]
    data = {"format": FORMAT, "study": key.study, "diagnoses": list(key.diagnoses), "images": images}
    script = "\n" + "\n".join(map(_template_text, SCRIPTS))
    html = render(
        "study.html.j2",
        title=key.title,
        phantom=key.phantom,
        count=len(images),
        data=Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")),
        style=Markup(_template_text("study.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    with disk_errors(output), write_aside(output) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")


def _template_text(name: str) -> str:
    return (resources.files("medaug.study") / "templates" / name).read_text(encoding="utf-8")
