from itertools import pairwise

import numpy as np
import pandas as pd

from medaug.analysis.looks import Looks
from medaug.analysis.missed import Cases, missed_cases
from medaug.evaluation.results import Results
from medaug.report.html import write_report
from medaug.report.missed_section import missed_figure, missed_section, missed_tables, ordered
from medaug.report.style import method_styles

METHODS = ["real", "label", "both"]
STYLES = method_styles(METHODS)


def cases(seeds: int = 2) -> Cases:
    """Twenty images with the condition in each split; which are missed depends on their number."""
    parts = []
    for place, method in enumerate(METHODS):
        for seed in range(seeds):
            number = np.arange(40)
            missed = number % 10 < 3 - place + seed
            table = {
                "image_id": [f"secret-{n}" for n in number],
                "patient_id": [f"JANE-{n // 2}" for n in number],
                "split": np.where(number < 20, "id_test", "ood_test"),
                "label:edema": 1.0,
                "score:edema": np.where(missed, 0.2, 0.8),
                "attr:sex": np.where(number % 2, "F", "M"),
            }
            parts.append(pd.DataFrame(table).assign(method=method, seed=seed))
    return missed_cases(pd.concat(parts))


def test_counts_and_overlaps_add_up() -> None:
    counts, overlaps = missed_tables(cases(), METHODS)
    assert list(counts.head) == ["Where", "Group", "Cases", *METHODS]
    everyone = counts.rows[0]
    assert [cell.text for cell in everyone[2:]] == ["20", "6", "4", "2"]
    assert everyone[2].note == "10 patients"
    assert everyone[3].note == f"30.0 %; by chance {20 * (14 / 40) ** 2:.1f} cases"
    assert list(overlaps.head)[2:] == [
        "all of them",
        *(f"{m} only" for m in METHODS),
        "none of them",
        "some of them",
    ]
    numbers = [int(cell.text) for cell in overlaps.rows[0][2:]]
    assert numbers == [2, 2, 0, 0, 14, 2]
    assert [row[1].text for row in counts.rows] == ["all", "F", "M"] * 2


def test_cases_missed_by_the_same_arms_are_together() -> None:
    always = ordered(cases().always[METHODS]).to_numpy()
    patterns = ["".join(map(str, row.astype(int))) for row in always]
    changes = sum(a != b for a, b in pairwise(patterns))
    assert changes == len(set(patterns)) - 1
    assert patterns[0] == "111"
    assert patterns[-1] == "000"


def test_strips_are_as_long_as_what_is_missed() -> None:
    figure = missed_figure(cases(), STYLES, "sex")
    assert figure is not None
    assert len(figure.axes) == 4
    bars = [path.get_extents().width for path in figure.axes[0].collections[0].get_paths()]
    always = cases().always[(cases().groups["sex"] == "F") & (cases().table["split"] == "id_test")]
    assert sum(bars) == always["real"].sum()


def test_one_training_is_not_called_always_and_no_cases_no_section() -> None:
    section = missed_section(cases(seeds=1), STYLES)
    assert section is not None
    assert "these are the misses of one training" in section.text[1]
    assert missed_section(None, STYLES) is None


def test_the_report_shows_counts_and_names_nobody(tmp_path, metrics, predictions, read) -> None:
    found = missed_cases(predictions)
    nothing = pd.DataFrame()
    looks = Looks(found, nothing, nothing)
    write_report(tmp_path / "report.html", Results(metrics, predictions), title="Try", looks=looks)
    page = read(tmp_path / "report.html")
    assert "Cases that every training misses" in page.tables
    assert "Always missed by these methods and no other" in page.tables
    assert not any(name in page.text for name in ("JANE", "image-False"))
