from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medaug.errors import DataError
from medaug.grid.design import Study
from medaug.grid.study_report import write_study_report


@pytest.fixture(scope="session")
def page(study: Study) -> str:
    return write_study_report(study).read_text(encoding="utf-8")


def test_prints(page):
    assert page
