"""What a pathologist outlined on a slide: ASAP XML, as geometry and as exact pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import shapely
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from medaug.arrays import BoolArray, FloatArray, IntArray
from medaug.errors import DataError

TUMOUR_GROUPS = frozenset({"tumor", "tumour", "metastases", "metastasis", "_0", "_1"})
"""Groups that outline tumour, in lower case: CAMELYON17, ASAP's own example, CAMELYON16."""

NORMAL_GROUPS = frozenset({"normal", "exclusion", "_2"})
"""Groups that outline what is no tumour within a tumour outline."""

_SHAPES = frozenset({"polygon", "spline", "rectangle"})

Kind = Literal["tumour", "normal", "uncertain"]


@dataclass(frozen=True)
class Annotation:
    """Outlined regions of a slide, in level-0 pixels; pixel (0, 0) covers [0, 1) x [0, 1).

    Parameters
    ----------
    tumour : MultiPolygon
        Tumour, without what was outlined as normal or excluded within it.
    uncertain : MultiPolygon
        Regions whose group is ``None`` or unknown; nothing is said about them.
    """

    tumour: MultiPolygon
    uncertain: MultiPolygon


def read_annotation(path: Path) -> Annotation:
    """Read an ASAP annotation (Automated Slide Analysis Platform, as in CAMELYON16 and CAMELYON17).

    Tumour is the union of the groups ``Tumor``, ``metastases``, ``_0`` and ``_1`` less the union of
    ``normal``, ``Exclusion`` and ``_2`` (upper and lower case alike). An outline that crosses or touches
    itself is made valid: what it winds around is inside, so a ring that runs back along a bridge keeps its
    hole. Splines are taken as the polygon through their points; dots and measurements have no area and
    are skipped.

    Parameters
    ----------
    path : Path
        An ``.xml`` file.

    Returns
    -------
    Annotation
        Valid geometry; both parts are empty where nothing is outlined.

    Raises
    ------
    DataError
        The file cannot be read, is no ASAP annotation, or an outline has fewer than three points or a
        coordinate that is no number. The message is the reason alone: no path and nothing that the file
        says, because it is kept beside the slide's ``file`` in ``rejected.csv``.

    Examples
    --------
    >>> len(read_annotation(Path("patient_004_node_4.xml")).tumour.geoms)  # doctest: +SKIP
    3
    """
    parts: dict[Kind, list[BaseGeometry]] = {"tumour": [], "normal": [], "uncertain": []}
    for number, element in enumerate(_root(path).iterfind("./Annotations/Annotation")):
        if element.get("Type", "").lower() in _SHAPES:
            parts[_kind(element)].append(_region(element, f"outline {number} of the annotation"))
    tumour = shapely.difference(shapely.union_all(parts["tumour"]), shapely.union_all(parts["normal"]))
    return Annotation(_polygons(tumour), _polygons(shapely.union_all(parts["uncertain"])))


def rasterise(
    geometry: MultiPolygon, x: float, y: float, width: int, height: int, downsample: float = 1.0
) -> BoolArray:
    """Return which pixels of a window are inside: exactly those whose centre is.

    Along each row of pixel centres, every edge of the outline that is crossed turns inside into outside
    (even-odd rule). Edges are half open, so regions that share an edge share no pixel and leave none out.

    Parameters
    ----------
    geometry : MultiPolygon
        Valid regions in level-0 pixels.
    x, y : float
        Upper left corner of the window in level-0 pixels.
    width, height : int
        Size of the window in its own pixels.
    downsample : float
        Level-0 pixels per pixel of the window.

    Returns
    -------
    bool array (height, width)

    Examples
    --------
    >>> rasterise(MultiPolygon([shapely.box(1, 0, 3, 1)]), 0, 0, 4, 2).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    return Outline(geometry).rasterise(x, y, width, height, downsample)


class Outline:
    """The edges of regions, kept for rasterising many windows of one slide.

    Parameters
    ----------
    geometry : MultiPolygon
        Valid regions in level-0 pixels.
    """

    def __init__(self, geometry: MultiPolygon) -> None:
        self._edges = _edges(geometry)
        self._top = self._edges[:, 1]
        self._bottom = self._edges[:, 3]
        self._left = self._edges[:, ::2].min(axis=1, initial=np.inf)

    def rasterise(self, x: float, y: float, width: int, height: int, downsample: float = 1.0) -> BoolArray:
        """Return which pixels of a window are inside; see `rasterise`."""
        rows = y + (np.arange(height) + 0.5) * downsample
        right, below = x + width * downsample, y + height * downsample
        near = (self._top < below) & (self._bottom > y) & (self._left < right)
        edges = self._edges[near]
        first, last = np.searchsorted(rows, edges[:, 1]), np.searchsorted(rows, edges[:, 3])
        row = _ranges(first, last)
        x0, y0, x1, y1 = edges.repeat(last - first, axis=0).T
        crossing = x0 + (rows[row] - y0) / (y1 - y0) * (x1 - x0)
        column = np.clip(np.ceil((crossing - x) / downsample - 0.5), 0, width).astype(np.int64)
        turns = np.bincount(row * (width + 1) + column, minlength=height * (width + 1))
        inside: BoolArray = turns.reshape(height, width + 1).cumsum(axis=1)[:, :width] % 2 == 1
        return inside


def _ranges(first: IntArray, last: IntArray) -> IntArray:
    """Join the numbers from each first up to its last, not included."""
    counts = last - first
    starts = np.cumsum(counts) - counts
    joined: IntArray = np.arange(counts.sum()) - np.repeat(starts - first, counts)
    return joined


def _edges(geometry: MultiPolygon) -> FloatArray:
    """Return the edges that are not level as (edges, 4): upper x, y, lower x, y."""
    points, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(geometry)), return_index=True)
    same = ring[1:] == ring[:-1]
    edges = np.hstack([points[:-1], points[1:]])[same].reshape(-1, 4)
    upward = edges[:, 1] > edges[:, 3]
    edges[upward] = edges[upward][:, [2, 3, 0, 1]]
    falling: FloatArray = edges[edges[:, 1] < edges[:, 3]]
    return falling


def _root(path: Path) -> ElementTree.Element:
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"the annotation cannot be read ({error.strerror})") from None
    except (ElementTree.ParseError, LookupError, ValueError):
        raise DataError("the annotation is truncated, damaged or no XML; export it again from ASAP") from None
    if root.tag != "ASAP_Annotations":
        raise DataError("the annotation is XML of another form; export it from ASAP")
    return root


def _kind(element: ElementTree.Element) -> Kind:
    group = element.get("PartOfGroup", "None").strip().lower()
    if group in TUMOUR_GROUPS:
        return "tumour"
    return "normal" if group in NORMAL_GROUPS else "uncertain"


def _region(element: ElementTree.Element, where: str) -> BaseGeometry:
    points = _points(element, where)
    if len(points) < 3:
        raise DataError(f"{where} has {len(points)} point(s); an outline needs three, remove or finish it")
    return shapely.make_valid(shapely.Polygon(points), method="structure", keep_collapsed=False)


def _points(element: ElementTree.Element, where: str) -> FloatArray:
    """Return the corners (points, 2) in the order in which they were drawn."""
    found = element.findall("./Coordinates/Coordinate")
    try:
        ordered = sorted(found, key=lambda point: int(point.attrib["Order"]))
        points = np.array([[float(p.attrib["X"]), float(p.attrib["Y"])] for p in ordered], np.float64)
    except (KeyError, ValueError):
        raise DataError(f"{where} has a coordinate without Order, X and Y in numbers; correct it") from None
    if not np.isfinite(points).all():
        raise DataError(f"{where} has a coordinate that is not finite; correct it")
    return points.reshape(-1, 2)


def _polygons(geometry: BaseGeometry) -> MultiPolygon:
    """Keep what has an area."""
    parts: list[Any] = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return MultiPolygon(parts)
