import numpy as np
import pandas as pd
import pytest

from medaug.analysis.image_sets import external_parts, is_part, part_name, real_sets


def table(*parts: tuple[str, str, int]) -> pd.DataFrame:
    rows = [(split, domain) for split, domain, count in parts for _ in range(count)]
    return pd.DataFrame(rows, columns=["split", "domain"])


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([("train", "A", 2), ("id_val", "A", 1), ("id_test", "A", 1)], ["train", "id_test"]),
        # WILDS has no test in distribution, and validates on a hospital of its own
        (
            [("train", "A", 2), ("id_val", "A", 1), ("ood_val", "B", 1), ("ood_test", "C", 1)],
            ["train", "id_val", "ood_val", "ood_test"],
        ),
        ([("train", "A", 2), ("ood_val", "B", 1), ("ood_test", "B", 1)], ["train", "ood_test"]),
        ([("unlabelled", "A", 2), ("left_out", "A", 1)], []),
    ],
)
def test_sets_are_those_that_an_evaluation_shows(parts: list[tuple[str, str, int]], names: list[str]) -> None:
    images = table(*parts)
    found = real_sets(images)
    assert list(found) == names
    for name, rows in found.items():
        assert rows.tolist() == [row for row, split in enumerate(images["split"]) if split == name]


def test_external_data_sets_of_enough_images_are_sets() -> None:
    images = table(("ood_test", "scans", 2), ("train", "home", 3), ("ood_test", "clinic", 4))
    rows = np.array([0, 1, 5, 6, 7, 8])
    parts = external_parts(images, "ood_test", rows, 2)
    assert {name: some.tolist() for name, some in parts.items()} == {
        "ood_test: clinic": [5, 6, 7, 8],
        "ood_test: scans": [0, 1],
    }
    assert list(external_parts(images, "ood_test", rows, 3)) == ["ood_test: clinic"]
    assert external_parts(images, "ood_test", rows[:2], 1) == {}
    assert external_parts(images, "id_test", rows, 1) == {}


def test_a_part_is_known_by_its_name() -> None:
    assert is_part("ood_test", "ood_test: a: b")
    assert part_name("ood_test: a: b") == "a: b"
    assert not is_part("ood_test", "ood_test")
    assert not is_part("ood_val", "ood_test: a")
