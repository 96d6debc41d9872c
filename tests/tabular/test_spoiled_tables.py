"""Any spoiled table is read right or refused with a sentence: no silent change, no other exception."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.readers import READERS, SLIDE_READERS
from spoiling.spoilings import SPOILINGS
from spoiling.trial import spoil_and_read
from spoiling.worlds import WORLDS


def test_every_reader_of_tables_and_the_predictions_take_part() -> None:
    read = {name.split()[0] for name in WORLDS}
    assert read == {*READERS, *SLIDE_READERS, "predictions"} - {"folder"}


@pytest.mark.parametrize("world", list(WORLDS))
@settings(max_examples=12, deadline=None)
@given(spoiling=st.sampled_from(list(SPOILINGS)), seed=st.integers(0, 2**32 - 1))
def test_a_spoiled_table_is_read_right_or_refused(world: str, spoiling: str, seed: int) -> None:
    verdict = spoil_and_read(world, spoiling, seed)
    assert verdict is None or verdict.outcome in ("right", "sentence"), verdict


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_good_table_is_read_right(world: str) -> None:
    verdict = spoil_and_read(world, "nothing", 0)
    assert verdict is not None
    assert verdict.outcome == "right"


@pytest.mark.parametrize("spoiling", ["a comma too many once", "a row twice", "a quote not closed"])
@pytest.mark.parametrize("world", ["csv", "chexpert", "predictions"])
def test_a_sentence_names_the_table(world: str, spoiling: str) -> None:
    verdict = spoil_and_read(world, spoiling, 1)
    assert verdict is not None
    assert WORLDS[world].table in verdict.detail
