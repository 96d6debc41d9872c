"""Files as hospitals have them: each is shown as it is right, or refused with the true reason."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoil_images import KINDS, print_table, spoil
from spoiling.images import Case, names_a_person, outcome


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_spoiled_files_are_right_or_refused_with_the_reason(kind, seed):
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns about what it is asked to write
        case = KINDS[kind](np.random.default_rng(seed), Path(folder))
        assert outcome(case) == ("sentence" if case.shows is None else "right")


def test_the_judge_sees_what_is_wrong(tmp_path):
    from PIL import Image

    values = np.arange(60, dtype=np.uint8).reshape(6, 10)
    Image.fromarray(values).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"Doe")
    assert outcome(Case(tmp_path / "a.png", values)) == "right"
    assert outcome(Case(tmp_path / "a.png", values + 2)) == "silent change"
    assert outcome(Case(tmp_path / "a.png", values, "a remark")) == "silent change"
    assert outcome(Case(tmp_path / "a.png", says="damaged")) == "silent change"
    assert outcome(Case(tmp_path / "b.png", values)) == "wrong sentence"
    assert outcome(Case(tmp_path / "b.png", says="empty")) == "wrong sentence"
    assert outcome(Case(tmp_path / "b.png", says="not an image")) == "sentence"
    assert outcome(Case(None)) == "crash"
    assert names_a_person("of Doe")


def test_the_table_counts_every_file(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts = spoil(len(KINDS), seed=1)
    print_table(counts)
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "all"
    assert sum(sum(count.values()) for count in counts.values()) == len(KINDS)
