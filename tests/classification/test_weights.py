import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.engines import SupervisedTrainer

from medaug.classification.losses import masked_bce, masked_focal, soft_cross_entropy, weighted
from medaug.classification.mixture import MixedRows, MixedStoreBatches
from medaug.classification.weights import importance_weights, oversampled_rows, prepare_weighted_batch
from medaug.data.sampling import Batch, BatchSampler, batch_loader
from medaug.data.skew import Skew, skewed
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

SKIN = Task("multiclass", ("naevus", "melanoma"), attributes=(Attribute("sex", ("F", "M")),))


def skin_store(path, rows):
    """A store without pixels from (melanoma weight, sex, split) triples."""
    melanoma, sex, split = map(list, zip(*rows, strict=True))
    table = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(len(rows))],
            "domain": "A",
            "split": split,
            "label:naevus": 1 - np.array(melanoma, np.float32),
            "label:melanoma": np.array(melanoma, np.float32),
            "attr:sex": sex,
        }
    )
    return ImageStore(path, SKIN, table, {}, (2,), 1)


# Naevus: 3 women, 1 man. Melanoma: 1 woman, 4 men. The most weighted class is the hard label.
ROWS = [
    *[(0.0, "F", "train")] * 3,
    (0.4, "M", "train"),
    (0.6, "F", "train"),
    *[(1.0, "M", "train")] * 4,
    (1.0, None, "train"),
    (np.nan, "F", "train"),
    (1.0, "F", "id_test"),
    (np.nan, "M", "unlabelled"),
]


@pytest.fixture
def skin(tmp_path):
    return skin_store(tmp_path, ROWS)


def test_w1_by_hand(skin):
    # p_f = 1/2; p(F|naevus) = 3/4, p(M|naevus) = 1/4, p(F|melanoma) = 1/5, p(M|melanoma) = 4/5.
    expected = np.array([4 / 6] * 3 + [2.0, 5 / 2] + [5 / 8] * 4 + [1.0] * 4)
    np.testing.assert_allclose(importance_weights(skin, "sex", 1.0), expected, rtol=1e-6)
    np.testing.assert_allclose(importance_weights(skin, "sex", 0.5), np.sqrt(expected), rtol=1e-6)
    np.testing.assert_allclose(importance_weights(skin, "sex", 2.0), expected**2, rtol=1e-6)


def test_level_zero_is_no_weighting(skin):
    weights = importance_weights(skin, "sex", 0.0)
    assert weights.dtype == np.float32
    assert weights.tolist() == [1.0] * len(ROWS)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from("FM")), min_size=1, max_size=40))
def test_weighted_counts_of_the_groups_of_a_class_are_even(tmp_path_factory, pairs):
    cells = [(y, a) for y in (0.0, 1.0) for a in "FM"]  # so that every class occurs in every group
    rows = [(y, a, "train") for y, a in cells + pairs]
    store = skin_store(tmp_path_factory.getbasetemp(), rows)
    weights = importance_weights(store, "sex", 1.0).astype(float)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    for y in (0.0, 1.0):
        sums = [sum(w for w, row in zip(weights, rows, strict=True) if row[:2] == (y, a)) for a in "FM"]
        assert sums[0] == pytest.approx(sums[1], rel=1e-5)


def test_several_conditions_are_one_class_together(store):
    weights, table = importance_weights(store, "sex", 1.0), store.table
    train = table["split"] == "train"
    for row in np.flatnonzero(train):
        same = train & (table[store.task.label_columns] == table.loc[row, store.task.label_columns]).all(
            axis=1
        )
        share = (table.loc[same, "attr:sex"] == table.loc[row, "attr:sex"]).mean()
        assert weights[row] == pytest.approx(0.5 / share)
    assert (weights[~train] == 1).all()


def test_what_is_no_level_or_attribute_is_refused(skin):
    for level in (-1.0, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match=r"equality level must be a number from 0 on"):
            importance_weights(skin, "sex", level)
    with pytest.raises(SettingsError, match=r"no attribute 'age'; there are: sex, domain"):
        importance_weights(skin, "age", 1.0)


def test_oversampling_makes_groups_even_and_keeps_every_row(tmp_path):
    store = skin_store(
        tmp_path, [(0.0, "F", "train")] * 11 + [(1.0, "M", "train")] * 4 + [(1.0, None, "train")]
    )
    rows, counts = np.unique(oversampled_rows(store, "sex", 0), return_counts=True)
    assert rows.tolist() == list(range(16))
    assert counts[:11].tolist() == [1] * 11
    assert sorted(counts[11:15]) == [2, 3, 3, 3]
    assert counts[15] == 1


def test_the_stream_of_real_rows_is_even_over_groups(store, synthetic):
    few = skewed(store, Skew("sex", {"M": 3}, "left_out"))
    stream = MixedRows(few, synthetic, 0.5, seed=0, oversample="sex")
    rows = stream.rows(np.arange(48))
    real = store.table["attr:sex"].iloc[rows[rows < len(store)]]
    assert real.value_counts().to_dict() == {"F": 12, "M": 12}
    assert real[real == "M"].index.nunique() == 3
    plain = MixedRows(few, synthetic, 0.5, seed=0).rows(np.arange(48))
    assert rows[rows >= len(store)].tolist() == plain[plain >= len(store)].tolist()


def test_oversampling_within_class_makes_the_groups_of_each_class_even(skin):
    """Over all images there are 4 women and 5 men; of each class one of the two is rare."""
    rows, counts = np.unique(oversampled_rows(skin, "sex", 0, within_class=True), return_counts=True)
    assert rows.tolist() == skin.rows("train").tolist()
    naevi, melanomas = counts[:4].tolist(), counts[4:9].tolist()
    assert naevi == [1, 1, 1, 3]
    assert melanomas == [4, 1, 1, 1, 1]
    assert counts[9:].tolist() == [1, 1]  # of unknown sex, and of unknown class


def test_oversampling_within_class_takes_all_conditions_together(store):
    counts = pd.Series(oversampled_rows(store, "sex", 0, within_class=True)).value_counts()
    drawn = store.table.assign(times=counts).dropna(subset="times")
    assert sorted(drawn.index) == store.rows("train").tolist()
    sums = drawn.groupby([*store.task.label_columns, "attr:sex"])["times"].sum().unstack().dropna()
    assert len(sums) == 3  # of four label vectors; no training image of a man has the other
    np.testing.assert_array_equal(sums["F"], sums["M"])


@pytest.mark.parametrize("within_class", [False, True])
def test_oversampling_needs_a_known_group(skin, within_class):
    nobody = dataclasses.replace(skin, table=skin.table.assign(**{"attr:sex": None}))
    with pytest.raises(DataError, match=r"no training image whose sex is known"):
        oversampled_rows(nobody, "sex", 0, within_class)


def test_batches_carry_the_weight_of_real_rows_and_one_for_synthetic_rows(store, synthetic):
    weights = np.arange(len(store), dtype=np.float32)
    batch = Batch(np.arange(4), np.array([len(store) + 2, 5, 2, len(store)]))
    assert MixedStoreBatches(store, synthetic, 16, weights=weights)[batch]["weight"].tolist() == [1, 5, 2, 1]
    assert MixedStoreBatches(store, synthetic, 16)[batch]["weight"].tolist() == [1] * 4
    with pytest.raises(DataError, match=r"'weight' has 3 values"):
        MixedStoreBatches(store, None, 16, weights=weights[:3])


LOSSES = pytest.mark.parametrize("loss", [masked_bce, masked_focal, soft_cross_entropy])


@LOSSES
def test_a_weight_is_a_factor_of_its_row_and_the_divisor_stays(loss):
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.eye(3).repeat(2, 1)
    targets[4] = float("nan")
    weights = torch.tensor([0.0, 1.0, 2.0, 0.5, 9.0, 3.0])
    alone = torch.stack([loss(logits[i : i + 1], targets[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(loss(logits, targets, weights), (weights * alone).sum() / 6)
    assert torch.equal(loss(logits, targets, torch.ones(6)), loss(logits, targets))


@LOSSES
def test_weighted_shares_of_a_batch_average_to_the_whole(loss):
    generator = torch.Generator().manual_seed(1)
    logits, weights = torch.randn(8, 3, generator=generator), torch.rand(8, generator=generator)
    targets = torch.softmax(torch.randn(8, 3, generator=generator), dim=1)
    whole = weighted(loss)(logits, (targets, weights))
    shares = [weighted(loss)(logits[i::2], (targets[i::2], weights[i::2])) for i in range(2)]
    torch.testing.assert_close(sum(shares) / 2, whole)


def test_monais_trainer_follows_the_weights(store):
    """With weight on women only, a constant network learns the women's prevalence."""
    women = (store.table["attr:sex"] == "F").to_numpy()
    dataset = MixedStoreBatches(store, None, 16, weights=women.astype(np.float32))
    sampler = BatchSampler(MixedRows(store, None, 1.0, seed=0), batch_size=24, iterations=300)

    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = torch.nn.Parameter(torch.zeros(2))

        def forward(self, image):
            return self.logits.expand(len(image), 2)

    network = Constant()
    SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        epoch_length=300,
        train_data_loader=batch_loader(dataset, sampler, workers=0),
        network=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=0.1),
        loss_function=weighted(masked_bce),
        prepare_batch=prepare_weighted_batch,
        decollate=False,
    ).run()
    rows = women & (store.table["split"] == "train").to_numpy()
    expected = store.task.labels(store.table)[rows].mean(axis=0)
    np.testing.assert_allclose(network.logits.detach().sigmoid(), expected, atol=1e-3)
