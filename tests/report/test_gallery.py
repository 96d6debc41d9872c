import base64
import io

import numpy as np
from PIL import Image

from medaug.report.gallery import gallery


def opened(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def test_neighbours_are_the_nearest_training_images(store, synthetic):
    shown = gallery(synthetic, store)
    train = store.rows("train")
    real = store.images()[train].reshape(len(train), -1).astype(float)
    every = synthetic.images().reshape(len(synthetic), -1).astype(float)
    nearest = np.sqrt(((every[:, None] - real) ** 2).mean(axis=2)).min(axis=1)
    assert [name for name, _ in shown.rows] == ["edema", "effusion", "none of the conditions"]
    labels = synthetic.task.labels(synthetic.table)
    members = [labels[:, 0] >= 0.5, labels[:, 1] >= 0.5, (labels < 0.5).all(axis=1)]
    for (_, pairs), member in zip(shown.rows, members, strict=True):
        assert 1 <= len(pairs) <= 4
        assert all(np.isclose(nearest[member], pair.distance).any() for pair in pairs)


def test_reference_is_the_distance_of_unseen_real_images(store, synthetic):
    tests, train = store.rows("id_test"), store.rows("train")
    pixels = store.images().reshape(len(store), -1).astype(float)
    nearest = np.sqrt(((pixels[tests][:, None] - pixels[train]) ** 2).mean(axis=2)).min(axis=1)
    assert nearest.min() <= gallery(synthetic, store).reference <= nearest.max()


def test_a_copied_patient_shows_at_distance_zero(store):
    shown = gallery(store, store)
    distances = [pair.distance for _, pairs in shown.rows for pair in pairs]
    assert 0.0 in distances


def test_mark_is_in_the_pixels_below_the_image(store, synthetic):
    pair = gallery(synthetic, store).rows[0][1][0]
    marked, real = opened(pair.synthetic), opened(pair.real)
    assert marked.shape[0] > marked.shape[1]
    assert real.shape[0] == real.shape[1]
    assert marked[-1, 0].tolist() == [0xA3, 0x47, 0x00]


def test_real_captions_hold_conditions_only(store, synthetic):
    allowed = {"edema", "effusion", "edema, effusion", "none of the conditions", "labels unknown"}
    assert {pair.shows for _, pairs in gallery(synthetic, store).rows for pair in pairs} <= allowed


def test_store_without_training_images(synthetic, new_store):
    shown = gallery(synthetic, new_store("tests", ["id_test"] * 6))
    assert "no training images" in shown.note
    assert all(not pair.real for _, pairs in shown.rows for pair in pairs)
