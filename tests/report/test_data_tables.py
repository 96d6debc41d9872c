"""The data in numbers: what a table leaves out, it says."""

import pandas as pd

from medaug.report.data_tables import MOST_GROUPS, attribute_tables


def test_of_many_groups_the_first_are_counted_and_the_caption_says_so():
    groups = [f"scanner {number:02}" for number in range(MOST_GROUPS + 2)]
    table = pd.DataFrame({"domain": "A", "split": "train", "attr:scanner": groups})
    (shown,) = attribute_tables(table)
    assert shown.caption == "Images by scanner, the first 10 of 12 groups"
    assert list(shown.head) == ["Domain", "Split", *groups[:10], "unknown"]
    assert [cell.text for cell in shown.rows[0][2:]] == ["1"] * 10 + ["0"]
    (whole,) = attribute_tables(table[table["attr:scanner"] < "scanner 10"])
    assert whole.caption == "Images by scanner"
