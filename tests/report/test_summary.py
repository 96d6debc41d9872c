import pandas as pd
import pytest

from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.summary import summary_table

SETTINGS = EvaluationSettings(metrics=["auc", "fnr"], replicates=20, permutations=0, min_group_size=2)


def test_one_line_a_method_and_split(predictions: pd.DataFrame) -> None:
    one_sex_away = predictions.assign(
        **{"attr:sex": predictions["attr:sex"].mask(predictions["domain"] == "away", "F")}
    )
    metrics = compute_metrics(one_sex_away, SETTINGS)
    text = summary_table(metrics, attribute="sex")
    header, _, *lines, remark = text.splitlines()
    assert remark == "These are trained models, not methods: those need at least 3 trainings each."
    assert header.split("  ")[0] == "method"
    assert [head.strip() for head in header.split("  ") if head][-2:] == ["mean AUC", "AUC gap, sex"]
    overall = metrics.query("metric == 'auc' and label == '' and attribute == ''").set_index(
        ["split", "method"]
    )
    where = {"id_test": "in distribution: home", "ood_test": "out of distribution: away"}
    keys = [(split, method) for split in where for method in ("baseline", "label")]
    for line, (split, method) in zip(lines, keys, strict=True):
        row = overall.loc[(split, method)]
        assert line.startswith(method)
        assert where[split] in line
        assert f"{row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]" in line
        assert line.endswith("-") == (split == "ood_test")
    assert summary_table(metrics) == summary_table(metrics, metric="auc", attribute="sex")


@pytest.mark.parametrize("split", ["id_val", "mine"])
def test_phantom_data_other_splits_and_domains_together(predictions: pd.DataFrame, split: str) -> None:
    table = predictions[predictions["method"] == "label"].assign(phantom=True, split=split)
    text = summary_table(
        compute_metrics(table, EvaluationSettings(metrics=["fnr"], replicates=0, permutations=0))
    )
    words = {"id_val": "in distribution, validation: all", "mine": "mine: all"}
    assert words[split] in text
    assert "mean false negative rate" in text
    assert text.endswith("(phantom data)")
    assert len(text.splitlines()) == 4
