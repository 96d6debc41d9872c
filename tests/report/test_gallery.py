import base64
import io

import numpy as np
import pandas as pd
from PIL import Image

from medaug.data.store import StoreWriter
from medaug.report.gallery import gallery
from medaug.report.image_figures import real_picture
from medaug.task import Task


def opened(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def test_neighbours_are_the_nearest_training_images(store, synthetic):
    shown = gallery(synthetic, store)
    learnt_from = np.flatnonzero(store.table["split"].isin(["train", "unlabelled"]))
    assert len(learnt_from) > len(store.rows("train"))
    real = store.images()[learnt_from].reshape(len(learnt_from), -1).astype(float)
    every = synthetic.images().reshape(len(synthetic), -1).astype(float)
    nearest = np.sqrt(((every[:, None] - real) ** 2).mean(axis=2)).min(axis=1)
    assert shown.searched == len(learnt_from)
    assert [row.condition for row in shown.rows] == ["edema", "effusion", "none of the conditions"]
    labels = synthetic.task.labels(synthetic.table)
    members = [labels[:, 0] >= 0.5, labels[:, 1] >= 0.5, (labels < 0.5).all(axis=1)]
    for row, member in zip(shown.rows, members, strict=True):
        assert 1 <= len(row.pairs) <= 4
        assert all(np.isclose(nearest[member], pair.distance).any() for pair in row.pairs)


def test_reference_is_the_distance_of_unseen_real_images(store, synthetic):
    tests, learnt_from = store.rows("id_test"), store.rows("train", "unlabelled")
    pixels = store.images().reshape(len(store), -1).astype(float)
    nearest = np.sqrt(((pixels[tests][:, None] - pixels[learnt_from]) ** 2).mean(axis=2)).min(axis=1)
    assert nearest.min() <= gallery(synthetic, store).reference <= nearest.max()


def test_a_copied_patient_shows_at_distance_zero(store):
    shown = gallery(store, store)
    distances = [pair.distance for row in shown.rows for pair in row.pairs]
    assert 0.0 in distances


def test_mark_is_in_the_pixels_below_the_image(store, synthetic):
    pair = gallery(synthetic, store).rows[0].pairs[0]
    marked, real = opened(pair.synthetic), opened(pair.real)
    assert marked.shape[0] > marked.shape[1]
    assert real.shape[0] == real.shape[1]
    assert marked[-1, 0].tolist() == [0xA3, 0x47, 0x00]


def test_real_captions_hold_conditions_only(store, synthetic):
    allowed = {"edema", "effusion", "edema, effusion", "none of the conditions", "labels unknown"}
    assert {pair.shows for row in gallery(synthetic, store).rows for pair in row.pairs} <= allowed


def test_store_without_training_images(synthetic, new_store):
    shown = gallery(synthetic, new_store("tests", ["id_test"] * 6))
    assert "no training images" in shown.note
    assert not shown.shows_real
    assert shown.searched == 0


def test_a_copy_of_an_unlabelled_patient_is_found(store, new_store):
    """The generator learnt from patients whose labels nobody knows, and may have copied them."""
    row = store.rows("unlabelled")[2]
    copied = new_store("copies", ["train"] * 6)
    pixels = np.array(copied.images())
    pixels[:] = store.images()[row]
    np.save(copied.path / "images-8.npy", pixels)
    shown = gallery(copied, store)
    assert {pair.distance for row in shown.rows for pair in row.pairs} == {0.0}
    picture = opened(real_picture(np.asarray(store.images()[row])))
    assert np.array_equal(opened(shown.rows[0].pairs[0].real), picture)


def soft_store(path, labels):
    """A store of one grey level an image, 20 times its row; the last row is of the test."""
    table = pd.DataFrame(labels, columns=["label:mole", "label:wart"]).astype(np.float32)
    names = [f"i{n}" for n in range(len(table))]
    table = table.assign(image_id=names, patient_id=names, file="x.png", domain="home", synthetic=False)
    table["split"] = ["train"] * (len(table) - 1) + ["id_test"]
    images = (
        np.full((len(table), 8, 8, 1), 20, np.uint8)
        * np.arange(len(table), dtype=np.uint8)[:, None, None, None]
    )
    writer = StoreWriter(path, Task("multiclass", ("mole", "wart")), table, (8,), 1)
    writer.write(range(len(table)), {8: images})
    return writer.finish({})


def test_real_images_of_a_condition_are_labelled_with_it_for_certain(tmp_path):
    nan = float("nan")
    labels = [(0.9, 0.1), (0.89, 0.11), (1, 0), (nan, nan), (0.0, 1.0), (0.95, 0.05), (1, 0)]
    labels += [(0.92, 0.08), (0.9, 0.1), (1.0, 0.0)]
    store = soft_store(tmp_path / "data", labels)
    certain = {row.condition: row.certain for row in gallery(store, store, seed=3).rows}
    assert {name: some.images for name, some in certain.items()} == {"mole": 6, "wart": 1}
    assert [len(some.pictures) for some in certain.values()] == [4, 1]
    levels = {int(opened(uri).mean().round()) // 20 for uri in certain["mole"].pictures}
    assert len(levels) == 4
    assert levels <= {0, 2, 5, 6, 7, 8}
    assert gallery(store, store, seed=3) == gallery(store, store, seed=3)
    drawn = {gallery(store, store, seed=seed).rows[0].certain.pictures[0] for seed in range(8)}
    assert len(drawn) > 1


def test_without_a_certain_label_the_condition_says_so(tmp_path):
    store = soft_store(tmp_path / "data", [(0.6, 0.4), (0.7, 0.3), (1.0, 0.0)])
    (row,) = gallery(store, store).rows
    assert (row.certain.images, list(row.certain.pictures)) == (0, [])


def test_without_patients_pictures_no_real_image_is_shown(synthetic):
    shown = gallery(synthetic, None)
    assert all(row.certain is None for row in shown.rows)
    assert not shown.shows_real
