from __future__ import annotations

import pytest

from medaug.data.sources import sources
from medaug.errors import SettingsError


def test_sources() -> None:
    assert sources(None, "chexpert", {}) == []
    assert sources("/a", "csv", {"domain": "x"}, "/b", "chestxray14", None) == [
        {"reader": "csv", "folder": "/a", "options": {"domain": "x"}},
        {"reader": "chestxray14", "folder": "/b", "options": {}},
    ]
    with pytest.raises(SettingsError, match="--dataset_dir"):
        sources(None, "chexpert", {}, "/b", "chestxray14")


def test_several_external_sources() -> None:
    first = {"reader": "scin", "folder": "/a", "options": {}}
    alike = sources("/a", "scin", {}, ["/b", "/c"], "scin", {"labels": "raters"})
    assert alike == [first, *({**first, "folder": f, "options": {"labels": "raters"}} for f in ("/b", "/c"))]

    options = [{"labels": "malignancy"}, {}]
    assert sources("/a", "scin", {}, ["/b", "/c"], ["ddi", "pad_ufes_20"], options) == [
        first,
        {"reader": "ddi", "folder": "/b", "options": {"labels": "malignancy"}},
        {"reader": "pad_ufes_20", "folder": "/c", "options": {}},
    ]
    with pytest.raises(SettingsError, match="external_reader has 1 entries, but external_dir names 2"):
        sources("/a", "scin", {}, ["/b", "/c"], ["ddi"])
