import os
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from medaug.data.slides.annotation import rasterise, read_annotation
from medaug.errors import DataError

SQUARE = [(2, 2), (12, 2), (12, 12), (2, 12)]
INNER = [(5, 5), (9, 5), (9, 9), (5, 9)]


def outline(points, group="Tumor", kind="Polygon"):
    places = "".join(f'<Coordinate Order="{i}" X="{x}" Y="{y}" />' for i, (x, y) in enumerate(points))
    head = f'<Annotation Name="a" Type="{kind}" PartOfGroup="{group}" Color="#F4FA58">'
    return f"{head}<Coordinates>{places}</Coordinates></Annotation>"


def asap(folder, *outlines):
    path = folder / "slide.xml"
    path.write_text(
        '<?xml version="1.0"?><ASAP_Annotations><Annotations>'
        + "".join(outlines)
        + '</Annotations><AnnotationGroups><Group Name="Tumor" PartOfGroup="None" Color="#FF0000" />'
        "</AnnotationGroups></ASAP_Annotations>"
    )
    return path


def same(geometry, expected):
    return geometry.symmetric_difference(expected).area == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("group", ["Tumor", "tumor", "metastases", "_0", "_1"])
def test_groups_of_tumour(tmp_path, group):
    annotation = read_annotation(asap(tmp_path, outline(SQUARE, group)))
    assert same(annotation.tumour, box(2, 2, 12, 12))
    assert annotation.uncertain.is_empty


@pytest.mark.parametrize("group", ["normal", "Exclusion", "_2"])
def test_a_hole_is_cut_out_of_every_tumour_outline(tmp_path, group):
    path = asap(tmp_path, outline(INNER, group), outline(SQUARE), outline([(0, 0), (7, 0), (7, 7), (0, 7)]))
    expected = box(2, 2, 12, 12).union(box(0, 0, 7, 7)).difference(box(5, 5, 9, 9))
    assert same(read_annotation(path).tumour, expected)


@pytest.mark.parametrize("group", ["None", "necrosis"])
def test_other_groups_are_uncertain(tmp_path, group):
    annotation = read_annotation(asap(tmp_path, outline(SQUARE), outline(INNER, group)))
    assert same(annotation.tumour, box(2, 2, 12, 12))
    assert same(annotation.uncertain, box(5, 5, 9, 9))


def test_overlapping_outlines_are_one_region(tmp_path):
    path = asap(tmp_path, outline(SQUARE), outline([(10, 2), (20, 2), (20, 12), (10, 12)], "metastases"))
    annotation = read_annotation(path)
    assert annotation.tumour.area == pytest.approx(18 * 10)
    assert len(annotation.tumour.geoms) == 1


def test_points_follow_their_order_not_their_place_in_the_file(tmp_path):
    path = asap(tmp_path, outline(SQUARE))
    lines = path.read_text().replace('Order="1"', 'Order="9"').replace('Order="2"', 'Order="1"')
    path.write_text(lines.replace('Order="9"', 'Order="2"'))
    # 0, 2, 1, 3 of the square crosses itself: two triangles of 25 each.
    assert read_annotation(path).tumour.area == pytest.approx(50)


def test_a_ring_that_runs_back_along_a_bridge_keeps_its_hole(tmp_path):
    keyhole = [*SQUARE, (2, 5), (5, 5), (5, 9), (9, 9), (9, 5), (5, 5), (2, 5)]
    annotation = read_annotation(asap(tmp_path, outline(keyhole)))
    assert same(annotation.tumour, box(2, 2, 12, 12).difference(box(5, 5, 9, 9)))


def test_an_outline_drawn_round_twice_is_not_a_hole(tmp_path):
    annotation = read_annotation(asap(tmp_path, outline(SQUARE + SQUARE)))
    assert same(annotation.tumour, box(2, 2, 12, 12))


def test_a_figure_of_eight_keeps_both_loops(tmp_path):
    annotation = read_annotation(asap(tmp_path, outline([(0, 0), (4, 4), (4, 0), (0, 4)])))
    assert annotation.tumour.is_valid
    assert annotation.tumour.area == pytest.approx(8)


def test_an_outline_without_area_holds_nothing(tmp_path):
    assert read_annotation(asap(tmp_path, outline([(0, 0), (4, 4), (8, 8)]))).tumour.is_empty


def test_rectangles_and_splines_are_outlines_and_dots_are_none(tmp_path):
    far = [(x + 100, y) for x, y in SQUARE]
    dots = [outline([(1, 1)], kind="Dot"), outline([(1, 1), (5, 5)], kind="Measurement")]
    path = asap(tmp_path, outline(SQUARE, kind="Rectangle"), outline(far, kind="Spline"), *dots)
    assert same(read_annotation(path).tumour, box(2, 2, 12, 12).union(box(102, 2, 112, 12)))


def test_an_annotation_with_no_outline_is_empty(tmp_path):
    annotation = read_annotation(asap(tmp_path))
    assert annotation.tumour.is_empty
    assert annotation.uncertain.is_empty
    assert not rasterise(annotation.tumour, 0, 0, 5, 4).any()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "truncated, damaged or no XML"),
        ("<!doctype html><html><p>Sign in</html>", "truncated, damaged or no XML"),
        ("<html><body /></html>", "another form"),
        ("<ASAP_Annotations><Annotations>", "truncated, damaged or no XML"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "truncated, damaged or no XML"),
    ],
)
def test_other_files_are_refused(tmp_path, content, reason):
    path = tmp_path / "Doe, Jane.xml"
    path.write_text(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_annotation(path)
    assert "Doe" not in str(caught.value)


def test_binary_and_missing_files_are_refused(tmp_path):
    (tmp_path / "binary.xml").write_bytes(bytes(range(256)))
    for name in ("binary.xml", "missing.xml"):
        with pytest.raises(DataError, match="the annotation"):
            read_annotation(tmp_path / name)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (outline(SQUARE[:2]), "outline 1 of the annotation has 2 point"),
        (outline([]), "has 0 point"),
        (outline([("x", 1), (2, 2), (3, 1)]), "outline 1 .* in numbers"),
        (outline([("nan", 1), (2, 2), (3, 1)]), "not finite"),
        (outline(SQUARE).replace('X="12"', ""), "without Order, X and Y"),
    ],
)
def test_a_bad_outline_is_named(tmp_path, bad, reason):
    with pytest.raises(DataError, match=reason):
        read_annotation(asap(tmp_path, outline(INNER), bad))


def test_a_pixel_is_inside_where_its_centre_is():
    # The edge at 2.5 runs through the centres of column 2 (which belong to its right), 2.6 leaves them out.
    assert rasterise(MultiPolygon([box(2.5, 0, 4, 1)]), 0, 0, 5, 1).tolist() == [[0, 0, 1, 1, 0]]
    assert rasterise(MultiPolygon([box(2.6, 0, 4, 1)]), 0, 0, 5, 1).tolist() == [[0, 0, 0, 1, 0]]
    # Neighbours that share an edge through centres share no pixel and leave none out.
    left, right = (rasterise(MultiPolygon([box(a, 0, b, 1)]), 0, 0, 5, 1) for a, b in ((0, 2.5), (2.5, 5)))
    assert (left ^ right).all()


def test_a_hole_counted_by_hand():
    ring = MultiPolygon([Polygon([(1, 1), (6, 1), (6, 6), (1, 6)], [[(3, 3), (5, 3), (5, 5), (3, 5)]])])
    expected = [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 1, 0],
        [0, 1, 1, 0, 0, 1, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert rasterise(ring, 0, 0, 7, 7).tolist() == expected
    # The window from (3, 3); every second pixel: centres 1, 3 and 5 lie on edges, left and top are inside.
    assert rasterise(ring, 3, 3, 4, 2).tolist() == [[0, 0, 1, 0], [0, 0, 1, 0]]
    assert rasterise(ring, 0, 0, 3, 3, downsample=2.0).tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]


def test_a_window_beyond_the_outline_or_within_it():
    region = MultiPolygon([box(0, 0, 100, 100)])
    assert rasterise(region, 40, 40, 5, 5).all()
    for x, y in ((-20, 40), (120, 40), (40, -20), (40, 120)):
        assert not rasterise(region, x, y, 5, 5).any()
    assert rasterise(region, 0, 0, 4, 0).shape == (0, 4)


def centres(x, y, width, height, downsample):
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    return np.meshgrid(x + columns * downsample, y + rows * downsample)


coordinates = st.floats(-5, 45).map(lambda value: round(value, 3))
corners = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12)


@settings(deadline=None, max_examples=80)
@given(st.lists(corners, min_size=1, max_size=3), st.integers(-3, 10), st.sampled_from([1.0, 1.7, 4.0]))
def test_every_centre_as_shapely_has_it(rings, corner, downsample):
    regions = [shapely.make_valid(Polygon(ring), method="structure") for ring in rings]
    parts = [p for p in shapely.get_parts(shapely.union_all(regions)) if p.geom_type == "Polygon"]
    region = MultiPolygon(parts)
    x, y = centres(corner, corner / 2, 24, 20, downsample)
    clear = (
        shapely.distance(region.boundary, shapely.points(x, y)) > 1e-9 if parts else np.ones(x.shape, bool)
    )
    expected = shapely.contains_xy(region, x, y)
    found = rasterise(region, corner, corner / 2, 24, 20, downsample)
    assert (found == expected)[clear].all()


def test_a_real_annotation_of_camelyon17():
    if "MEDAUG_REAL_DATA" not in os.environ:
        pytest.skip("MEDAUG_REAL_DATA is not set")
    path = Path(os.environ["MEDAUG_REAL_DATA"], "slides", "patient_004_node_4.xml")
    annotation = read_annotation(path)
    assert annotation.uncertain.is_empty
    assert len(annotation.tumour.geoms) == 3
    # Their bounds, read off the file by eye, and the shoelace formula over its lines.
    assert annotation.tumour.bounds == pytest.approx((10626.2002, 75345.3984, 13482.7998, 89160.6016))
    text = path.read_text()
    areas = []
    for part in text.split("<Annotation ")[1:]:
        lines = [line for line in part.splitlines() if "<Coordinate " in line]
        x, y = (np.array([float(line.split(f'{a}="')[1].split('"')[0]) for line in lines]) for a in "XY")
        areas.append(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)
    assert sorted(p.area for p in annotation.tumour.geoms) == pytest.approx(sorted(areas))
    pixels = rasterise(annotation.tumour, 10600, 75300, 2900, 13900)
    assert pixels.sum() == pytest.approx(sum(areas), rel=1e-3)
