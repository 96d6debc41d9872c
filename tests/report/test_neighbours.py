import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from medaug.report import neighbours
from medaug.report.neighbours import nearest_neighbours


@pytest.mark.parametrize("bytes_at_once", [1, 8 * 25 * 3 * 7, 32 << 20])
def test_equals_brute_force_over_the_given_rows(monkeypatch, bytes_at_once):
    monkeypatch.setattr(neighbours, "BYTES_AT_ONCE", bytes_at_once)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (50, 5, 5, 3), dtype=np.uint8)
    queries = generator.integers(0, 256, (6, 5, 5, 3), dtype=np.uint8)
    rows = generator.permutation(50)[:23]
    nearest, distances = nearest_neighbours(queries, images, rows)
    model = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(images[rows].reshape(23, -1) / 1.0)
    expected, found = model.kneighbors(queries.reshape(6, -1) / 1.0)
    assert nearest.tolist() == rows[found[:, 0]].tolist()
    np.testing.assert_allclose(distances, expected[:, 0] / np.sqrt(75), rtol=1e-12)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=12), st.integers(0, 255))
def test_one_pixel_images_by_hand(values, query):
    images = np.array(values, np.uint8).reshape(-1, 1, 1, 1)
    asked = np.array([query], np.uint8).reshape(1, 1, 1, 1)
    nearest, distances = nearest_neighbours(asked, images, np.arange(len(values)))
    differences = [abs(value - query) for value in values]
    assert distances[0] == min(differences)
    assert nearest[0] == differences.index(min(differences))


def test_a_copy_is_found_at_distance_zero():
    images = np.random.default_rng(1).integers(0, 256, (40, 64, 64, 1), dtype=np.uint8)
    nearest, distances = nearest_neighbours(images[[17]], images, np.arange(40))
    assert (nearest[0], distances[0]) == (17, 0.0)
