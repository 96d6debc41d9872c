import pytest

from medaug.report.words import in_sentence


@pytest.mark.parametrize(
    ("heading", "inside"),
    [("Balanced accuracy", "balanced accuracy"), ("AUC gap", "AUC gap"), ("F1 score", "F1 score"), ("", "")],
)
def test_headings_lose_their_capital_inside_a_sentence(heading, inside):
    assert in_sentence(heading) == inside
