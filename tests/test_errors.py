import pytest

from medaug.errors import DataError, told_in_one_sentence


def test_what_is_wrong_with_the_input_ends_the_program_with_one_sentence():
    with pytest.raises(SystemExit, match="error: images are missing"), told_in_one_sentence():
        raise DataError("images are missing")


def test_what_is_wrong_with_the_program_keeps_its_traceback():
    with pytest.raises(ValueError, match="not a number"), told_in_one_sentence():
        raise ValueError("not a number")
