from __future__ import annotations

import numpy as np

from medaug.quality.copies import Nearest, closer_than_real, nearest


def test_the_nearest_image_and_how_much_nearer_it_is_than_that_of_the_next_patient() -> None:
    random = np.random.default_rng(0)
    some, known = (
        random.normal(size=(7, 5)).astype(np.float32),
        random.normal(size=(20, 5)).astype(np.float32),
    )
    patients = np.repeat(np.arange(10), 2)
    found = nearest(some, known, patients)
    for row, point in enumerate(some):
        distances = np.linalg.norm(known - point, axis=1)
        first = distances.argmin()
        second = distances[patients != patients[first]].min()
        assert found.places[row] == first
        np.testing.assert_allclose(found.distance[row], distances[first] / np.sqrt(5), rtol=1e-4)
        np.testing.assert_allclose(found.ratio[row], distances[first] / second, rtol=1e-4)


def test_a_copy_is_half_as_far_as_usual_both_in_distance_and_in_ratio() -> None:
    held_out = Nearest(np.zeros(3, int), np.array([2.0, 3, 4]), np.array([0.8, 0.9, 0.7]))
    images = Nearest(np.zeros(4, int), np.array([1.4, 1.4, 3, 1.6]), np.array([0.39, 0.41, 0.1, 0.1]))
    assert closer_than_real(images, held_out).tolist() == [True, False, False, False]
