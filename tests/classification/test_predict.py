import numpy as np
import pytest
import torch
from torch import nn

from medaug.classification.networks import build_classifier
from medaug.classification.predict import predict, predict_logits, prepare_image
from medaug.errors import DataError
from medaug.task import Task

HOW = {"image_size": 16, "batch_size": 5, "device": "cpu", "method": "baseline", "seed": 4}


class Halves(nn.Module):
    """Logits are the mean brightness of the left and the right half."""

    def forward(self, image):
        return torch.stack([image[..., :8].mean((1, 2, 3)), image[..., 8:].mean((1, 2, 3))], dim=1)


def expected_logits(store, rows):
    pixels = store.images(16)[rows, :, :, 0] / 255
    return np.stack([pixels[:, :, :8].mean((1, 2)), pixels[:, :, 8:].mean((1, 2))], axis=1)


def test_the_table_holds_probabilities_beside_what_the_store_knows(store):
    found = predict(Halves(), store, ["id_test", "ood_test"], store.task, **HOW)
    rows = store.rows("id_test", "ood_test")
    known = store.table.iloc[rows].reset_index(drop=True)
    assert list(found) == [
        *("image_id", "patient_id", "domain", "split", "score:edema", "score:effusion"),
        *("label:edema", "label:effusion", "attr:sex", "attr:age", "seed", "method"),
    ]
    for column in ("image_id", "patient_id", "domain", "split", "label:edema", "attr:sex", "attr:age"):
        assert found[column].equals(known[column])
    scores = 1 / (1 + np.exp(-expected_logits(store, rows)))
    np.testing.assert_allclose(found[["score:edema", "score:effusion"]], scores, rtol=1e-5)
    assert found["score:edema"].dtype == np.float32
    assert set(found["seed"]) == {4}
    assert set(found["method"]) == {"baseline"}


def test_classes_that_exclude_each_other_share_one(make, tmp_path):
    task = Task("multiclass", ("benign", "malignant"))
    store = make(tmp_path / "data", task=task)
    found = predict(Halves(), store, ["id_test"], task, **HOW)
    logits = expected_logits(store, store.rows("id_test"))
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[["score:benign", "score:malignant"]], expected, rtol=1e-5)


def test_the_batch_size_does_not_matter(store):
    network = build_classifier("small_resnet", 2, 1)
    rows = store.rows()
    one, many = (
        predict_logits(network, store, rows, image_size=16, batch_size=b, device="cpu") for b in (7, 50)
    )
    torch.testing.assert_close(one, many)


def test_the_network_keeps_its_mode_and_predicts_without_dropout(store):
    network = build_classifier("small_resnet", 2, 1, dropout=0.5)
    rows = store.rows("id_test")
    how = {"image_size": 16, "batch_size": 4, "device": "cpu"}
    first = predict_logits(network, store, rows, **how)
    assert network.training
    assert torch.equal(first, predict_logits(network, store, rows, **how))
    network.eval()
    predict_logits(network, store, rows, **how)
    assert not network.training


def test_a_store_of_other_classes_is_refused(store):
    with pytest.raises(DataError, match=r"predicts edema, mass; .* labels for edema, effusion"):
        predict(Halves(), store, ["id_test"], Task("multilabel", ("edema", "mass")), **HOW)


def test_no_rows_give_an_empty_table(store):
    assert len(predict(Halves(), store, ["ood_val"], store.task, **HOW)) == 0


def test_logits_are_those_of_the_network_batch_by_batch(store):
    network = build_classifier("small_resnet", 2, 1).eval()
    rows = store.rows("id_test", "ood_test")[::-1].copy()
    found = predict_logits(network, store, rows, image_size=16, batch_size=5, device="cpu")
    images = torch.from_numpy(store.images(16)[rows]).movedim(-1, 1).contiguous() / 255
    with torch.no_grad():
        expected = torch.cat([network(batch) for batch in images.split(5)])
    assert torch.equal(found, expected)
    assert not found.requires_grad


def test_no_random_number_is_taken(store):
    before = torch.get_rng_state()
    predict_logits(Halves(), store, store.rows(), image_size=16, batch_size=5, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_whole_numbers_become_0_to_1_and_fractions_stay():
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    image, label = prepare_image({"image": pixels})
    np.testing.assert_array_equal(image.numpy(), pixels.numpy() / np.float32(255))
    assert label is None
    assert torch.equal(prepare_image({"image": image})[0], image)
