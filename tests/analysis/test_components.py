import numpy as np
import pytest
from sklearn.decomposition import PCA

from medaug.analysis.components import SHARES, components, components_needed
from medaug.errors import DataError


@pytest.mark.parametrize("shape", [(200, 12), (15, 40)])
def test_as_many_components_as_scikit_learn_keeps(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=shape) * np.linspace(3, 0.1, shape[1])
    expected = [PCA(share, svd_solver="full").fit(features).n_components_ for share in SHARES]
    assert components_needed(features) == expected


def test_sets_are_counted_on_equally_many_images() -> None:
    generator = np.random.default_rng(0)
    sets = {"train": generator.normal(size=(90, 30)), "id_test": generator.normal(size=(50, 30))}
    table = components({**sets, "one": np.ones((1, 30))}, seed=3)
    assert set(table["images"]) == {"train", "id_test"}
    assert (table["size"] == 50).all()
    whole = table[table["images"] == "id_test"]["components"]
    assert list(whole) == components_needed(sets["id_test"])
    assert components({}).empty


@pytest.mark.parametrize("features", [np.ones((1, 3)), np.ones((5, 3))])
def test_images_that_do_not_differ_have_no_components(features: np.ndarray) -> None:
    with pytest.raises(DataError, match="at least two images whose features differ"):
        components_needed(features)
