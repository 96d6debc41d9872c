import pytest

from medaug.errors import DataError
from medaug.study.diagnoses import diagnosis_classes


@pytest.fixture
def write(tmp_path):
    def make(text):
        path = tmp_path / "list.csv"
        path.write_text(text, "utf-8")
        return path

    return make


def test_classes_and_other_come_first_and_the_list_follows_in_its_order(write):
    path = write("condition,class\nPompholyx, eczema\nLentigo maligna,melanoma\nScar,other\n")
    found = diagnosis_classes(["eczema", "melanoma"], path)
    assert list(found.items()) == [
        ("eczema", "eczema"),
        ("melanoma", "melanoma"),
        ("other", "other"),
        ("Pompholyx", "eczema"),
        ("Lentigo maligna", "melanoma"),
        ("Scar", "other"),
    ]


def test_a_class_named_other_is_there_once():
    assert list(diagnosis_classes(["other", "acne"])) == ["other", "acne"]


def test_a_diagnosis_in_another_spelling_is_the_same(write):
    path = write("condition,class\nECZEMA,eczema\nScar,other\nscar,other\n")
    assert list(diagnosis_classes(["eczema"], path)) == ["eczema", "other", "Scar"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("condition,class\nScar,scar\n", r"row 2: 'Scar' maps to 'scar', which is no class"),
        ("condition,class\nScar,other\nSCAR,eczema\n", r"row 3: .* to 'eczema' and to 'other'"),
        ("condition,class\nECZEMA,other\n", r"row 2: .* maps to 'other' and to 'eczema'"),
        ("name,class\nScar,other\n", "lacks the column\\(s\\) 'condition'"),
        ("condition,class\nScar,other\n ,other\n", "row 3: a condition or a class is empty"),
        ("", "is not a CSV table"),
    ],
)
def test_a_list_that_cannot_be_used_says_where(write, text, sentence):
    with pytest.raises(DataError, match=sentence):
        diagnosis_classes(["eczema"], write(text))


def test_a_list_that_is_not_there_says_so(tmp_path):
    with pytest.raises(DataError, match="is not there or cannot be read"):
        diagnosis_classes(["eczema"], tmp_path / "list.csv")
