from collections.abc import Callable

import pandas as pd

from medaug.evaluation.evaluate import evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.summary import summary_table


def test_one_line_a_method_and_split(predictions: Callable[..., pd.DataFrame]) -> None:
    inside = predictions(100)
    outside = predictions(80, seed=1).assign(split="ood_test", domain="B", **{"attr:sex": "F"})
    outside["image_id"] += " B"
    metrics = evaluate(pd.concat([inside, outside]), EvaluationSettings(metrics=["auc"], replicates=20))
    header, _, first, second = summary_table(metrics).splitlines()
    assert header.split("  ")[0] == "method"
    overall = metrics.query("metric == 'auc' and label == '' and attribute == ''").set_index("split")
    for line, split, place in ((first, "id_test", "in distribution: A"), (second, "ood_test", "out of ")):
        row = overall.loc[split]
        assert place in line
        assert f"{row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]" in line
    assert second.endswith("-")


def test_phantom_data_and_domains_together(predictions: Callable[..., pd.DataFrame]) -> None:
    table = predictions(100).assign(phantom=True)
    table.loc[:40, "domain"] = "B"
    text = summary_table(evaluate(table, EvaluationSettings(metrics=["auc"], replicates=0)))
    assert "in distribution: all" in text
    assert text.endswith("(phantom data)")
    assert len(text.splitlines()) == 4
