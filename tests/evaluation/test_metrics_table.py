import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from sklearn import metrics as sk

from medaug.errors import DataError, SettingsError
from medaug.evaluation.metrics_table import (
    METRIC_COLUMNS,
    compute_metrics,
    headline,
    read_metrics,
    write_table,
)
from medaug.evaluation.predictions import read_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Task

Predictions = Callable[..., pd.DataFrame]
QUICK = EvaluationSettings(replicates=0, permutations=0, min_group_size=1)

# the men all have the finding
TWELVE_ROWS = """image_id,patient_id,score:nodule,label:nodule,attr:sex
1,a,0.9,1,F
2,a,0.2,0,F
3,b,0.6,1,F
4,c,0.7,0,F
5,d,0.1,0,F
6,e,0.3,0,F
7,f,0.8,1,M
8,f,0.7,1,M
9,g,0.4,1,M
10,h,0.9,1,M
11,i,0.5,1,
12,j,0.3,0,
"""


def pick(metrics: pd.DataFrame, metric: str, **where: object) -> pd.Series:
    wanted = {"metric": metric, "label": "", "attribute": "", "group": ""} | where
    found = metrics[np.all([metrics[key] == value for key, value in wanted.items()], axis=0)]
    assert len(found) == 1, f"{len(found)} rows for {wanted}"
    return found.iloc[0]


@pytest.fixture
def twelve(tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "twelve.csv").write_text(TWELVE_ROWS)
    return compute_metrics(
        read_predictions(tmp_path / "twelve.csv"), EvaluationSettings(replicates=200, min_group_size=1)
    )


def test_a_group_of_one_class_is_not_estimable_and_says_why(twelve: pd.DataFrame) -> None:
    assert list(twelve.columns) == list(METRIC_COLUMNS)
    men = pick(twelve, "auc", label="nodule", attribute="sex", group="M")
    assert not men["estimable"]
    assert np.isnan(men["value"])
    assert men["reason"] == "no negative image"
    assert (men["n"], men["n_positive"]) == (4, 4)
    women = pick(twelve, "auc", label="nodule", attribute="sex", group="F")
    assert women["estimable"]
    assert women["value"] == pytest.approx(7 / 8)
    gap = pick(twelve, "auc_gap", label="nodule", attribute="sex")
    assert not gap["estimable"]
    assert "a gap needs two" in gap["reason"]
    assert pick(twelve, "sensitivity", label="nodule", attribute="sex", group="M")["value"] == 0.75


def test_rows_without_an_attribute_count_overall_only(twelve: pd.DataFrame) -> None:
    assert pick(twelve, "auc", label="nodule")["n"] == 12
    groups = twelve[
        (twelve["metric"] == "auc") & (twelve["label"] == "nodule") & (twelve["attribute"] == "sex")
    ]
    assert groups["n"].tolist() == [6, 4]


def test_what_is_not_estimable_has_no_value_and_a_reason(twelve: pd.DataFrame) -> None:
    without = twelve[~twelve["estimable"]]
    assert without[["value", "ci_low", "ci_high"]].isna().all(axis=None)
    assert (without["reason"] != "").all()
    assert twelve.loc[twelve["estimable"], "value"].notna().all()


SCIKIT_LEARN = {"auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}


@pytest.mark.parametrize("name", ["auc", "average_precision", "accuracy", "fpr", "fnr"])
def test_groups_gap_and_worst_equal_to_fairlearn(predictions: Predictions, name: str) -> None:
    table = predictions(400)
    result = compute_metrics(table, QUICK)
    known = table[table["label:c1"].notna()]
    truth, score = known["label:c1"], known["score:c1"]
    reference = {
        "accuracy": sk.accuracy_score,
        "fpr": lambda t, d: 1 - sk.recall_score(t, d, pos_label=0),
        "fnr": lambda t, d: 1 - sk.recall_score(t, d),
    } | SCIKIT_LEARN
    answer = score if name in SCIKIT_LEARN else (score >= 0.5).astype(float)
    frame = MetricFrame(
        metrics=reference[name], y_true=truth, y_pred=answer, sensitive_features=known["attr:sex"]
    )
    close = {"rel": 0, "abs": 1e-12}
    assert pick(result, name, label="c1")["value"] == pytest.approx(frame.overall, **close)
    for group in ("F", "M"):
        found = pick(result, name, label="c1", attribute="sex", group=group)["value"]
        assert found == pytest.approx(frame.by_group[group], **close)
    gap = pick(result, f"{name}_gap", label="c1", attribute="sex")["value"]
    assert gap == pytest.approx(frame.difference(), **close)
    poorest = frame.by_group.idxmax() if name in ("fpr", "fnr") else frame.by_group.idxmin()
    worst = pick(result, f"{name}_worst", label="c1", attribute="sex", group=poorest)["value"]
    assert worst == pytest.approx(frame.by_group[poorest], **close)


def test_the_mean_over_labels_and_its_gap(predictions: Predictions) -> None:
    result = compute_metrics(predictions(200), QUICK)
    single = [pick(result, "auc", label=label)["value"] for label in ("c0", "c1")]
    assert pick(result, "auc")["value"] == pytest.approx(np.mean(single), abs=1e-12)
    groups = [pick(result, "auc", attribute="sex", group=group)["value"] for group in "FM"]
    gap = pick(result, "auc_gap", attribute="sex")["value"]
    assert gap == pytest.approx(abs(groups[0] - groups[1]), abs=1e-12)


def test_a_mean_counts_the_patients_of_any_known_label(predictions: Predictions) -> None:
    table = predictions(200)
    table.loc[table.index[:150], "label:c0"] = np.nan
    result = compute_metrics(table, QUICK)
    known = table[table[["label:c0", "label:c1"]].notna().any(axis=1)]
    women = known[known["attr:sex"] == "F"]
    for rows, where in ((known, {}), (women, {"attribute": "sex", "group": "F"})):
        mean = pick(result, "accuracy", **where)
        assert (mean["n"], mean["patients"]) == (len(rows), rows["patient_id"].nunique())


def test_a_group_without_one_of_the_labels_has_no_mean(predictions: Predictions) -> None:
    table = predictions(200)
    table.loc[table["attr:sex"] == "F", "label:c0"] = 0.0
    result = compute_metrics(table, QUICK)
    assert pick(result, "auc", attribute="sex", group="F")["reason"] == "c0: no positive image"
    assert pick(result, "auc", attribute="sex", group="M")["estimable"]
    table["label:c0"] = np.nan
    mean = pick(compute_metrics(table, QUICK), "auc")
    assert mean["estimable"]
    assert mean["reason"] == "mean over 1 of 2 labels"


def test_intervals_contain_the_estimate_and_follow_the_closed_form(predictions: Predictions) -> None:
    table = predictions(600, labels=1).assign(patient_id=lambda t: t["image_id"])
    result = compute_metrics(table, EvaluationSettings(replicates=2000))
    row = pick(result, "accuracy", label="c0")
    spread = np.sqrt(row["value"] * (1 - row["value"]) / row["n"])
    assert row["ci_low"] == pytest.approx(row["value"] - 1.96 * spread, abs=0.15 * spread + 1 / 600)
    assert row["ci_high"] == pytest.approx(row["value"] + 1.96 * spread, abs=0.15 * spread + 1 / 600)
    with_interval = result[result["ci_low"].notna()]
    inside = with_interval["value"].between(with_interval["ci_low"], with_interval["ci_high"])
    assert inside[with_interval["metric"] != "ece"].mean() > 0.97
    assert (with_interval.loc[with_interval["metric"].str.endswith("_gap"), "ci_low"] >= 0).all()


def test_images_of_a_patient_are_drawn_together(predictions: Predictions) -> None:
    """Ten copies of every image carry no more information than one."""
    once = predictions(100, labels=1).assign(patient_id=lambda t: t["image_id"])
    copies = [once.assign(image_id=once["image_id"] + f" copy {i}") for i in range(10)]
    settings = EvaluationSettings(metrics=["auc"], replicates=300)
    columns = ["value", "ci_low", "ci_high"]
    expected = compute_metrics(once, settings)[columns]
    np.testing.assert_allclose(compute_metrics(pd.concat(copies), settings)[columns], expected, atol=1e-12)


def test_deterministic_whatever_the_order_of_rows(predictions: Predictions) -> None:
    table = pd.concat([predictions(100), predictions(100, seed=1, method="other")])
    settings = EvaluationSettings(replicates=50)
    first = compute_metrics(table, settings)
    pd.testing.assert_frame_equal(first, compute_metrics(table.sample(frac=1, random_state=1), settings))
    other = compute_metrics(table, dataclasses.replace(settings, seed=1))
    assert not first["ci_low"].equals(other["ci_low"])
    assert first["value"].equals(other["value"])


def test_several_domains_are_also_taken_together(predictions: Predictions) -> None:
    table = predictions(200)
    table.loc[table.index[:80], "domain"] = "B"
    settings = EvaluationSettings(metrics=["auc"], attributes=["domain"], replicates=0)
    result = compute_metrics(table, settings)
    assert sorted(set(result["domain"])) == ["A", "B", "all"]
    hospitals = [pick(result, "auc", domain=d, label="c0")["value"] for d in "AB"]
    gap = pick(result, "auc_gap", domain="all", label="c0", attribute="domain")["value"]
    assert gap == pytest.approx(abs(hospitals[0] - hospitals[1]), abs=1e-12)
    assert set(result.loc[result["attribute"] == "domain", "domain"]) == {"all"}


def test_hospitals_of_another_split_are_no_groups_of_this_one(predictions: Predictions) -> None:
    table = predictions(200)
    table["domain"] = np.resize(["A", "B", "C", "D"], len(table))
    table["split"] = np.where(table["domain"].isin(["A", "B"]), "id_test", "ood_test")
    result = compute_metrics(table, EvaluationSettings(metrics=["auc"], attributes=["domain"], replicates=0))
    groups = result[(result["attribute"] == "domain") & (result["group"] != "")].groupby("split")["group"]
    assert {split: set(found) for split, found in groups} == {"id_test": {"A", "B"}, "ood_test": {"C", "D"}}


def test_classes_that_exclude_one_another() -> None:
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(5), 300)
    truth = generator.integers(0, 5, 300)
    table = pd.DataFrame({f"score:k{i}": scores[:, i] for i in range(5)})
    table = table.assign(**{f"label:k{i}": (truth == i) * 0.5 + 0.1 for i in range(5)})
    task = Task("multiclass", tuple(f"k{i}" for i in range(5)), high_risk=("k3", "k4"))
    result = compute_metrics(table, QUICK, task)
    decided = scores.argmax(axis=1)
    assert pick(result, "accuracy")["value"] == pytest.approx(sk.accuracy_score(truth, decided))
    assert pick(result, "balanced_accuracy")["value"] == pytest.approx(
        sk.balanced_accuracy_score(truth, decided)
    )
    assert pick(result, "top3_accuracy")["value"] == pytest.approx(
        sk.top_k_accuracy_score(truth, scores, k=3)
    )
    risky = truth >= 3
    pooled = pick(result, "high_risk_sensitivity")
    assert pooled["value"] == pytest.approx((decided == truth)[risky].mean())
    assert pooled["n_positive"] == risky.sum()
    macro = sk.roc_auc_score(truth, scores, multi_class="ovr", average="macro")
    assert pick(result, "auc")["value"] == pytest.approx(macro)
    assert pick(result, "sensitivity", label="k2")["value"] == pytest.approx(
        (decided == 2)[truth == 2].mean()
    )
    assert result[(result["metric"] == "accuracy") & (result["label"] != "")].empty


@pytest.fixture(scope="module")
def conditions() -> pd.DataFrame:
    """Five conditions with soft labels, two sites, a sex that is not always known."""
    generator = np.random.default_rng(1)
    truth, scores = generator.integers(0, 5, 400), generator.dirichlet(np.full(5, 0.7), 400)
    table = pd.DataFrame({f"score:k{i}": scores[:, i] for i in range(5)})
    table = table.assign(**{f"label:k{i}": (truth == i) * 0.5 + 0.1 for i in range(5)})
    return table.assign(
        domain=generator.choice(["A", "B"], 400), **{"attr:sex": generator.choice(["F", "M", None], 400)}
    )


MULTICLASS = {
    "accuracy": lambda truth, scores: sk.accuracy_score(truth, scores.argmax(axis=1)),
    "balanced_accuracy": lambda truth, scores: sk.balanced_accuracy_score(truth, scores.argmax(axis=1)),
    "top3_accuracy": lambda truth, scores: sk.top_k_accuracy_score(truth, scores, k=3, labels=range(5)),
    "balanced_top3_accuracy": lambda truth, scores: sk.top_k_accuracy_score(
        truth, scores, k=3, labels=range(5), sample_weight=1 / np.bincount(truth)[truth]
    ),
    "high_risk_sensitivity": lambda truth, scores: sk.recall_score(
        truth, scores.argmax(axis=1), labels=[3, 4], average="micro"
    ),
}


@pytest.fixture(scope="module")
def of_conditions(conditions: pd.DataFrame) -> pd.DataFrame:
    return compute_metrics(conditions, EvaluationSettings(replicates=0, high_risk=["k4", "k3"]))


@pytest.mark.parametrize("name", MULTICLASS)
@pytest.mark.parametrize("domain", ["A", "all"])
def test_exclusive_classes_by_group_and_gap_equal_to_scikit_learn(
    conditions: pd.DataFrame, of_conditions: pd.DataFrame, name: str, domain: str
) -> None:
    result = of_conditions
    truth = conditions.filter(like="label:").to_numpy().argmax(axis=1)
    scores = conditions.filter(like="score:").to_numpy()
    here = (conditions["domain"] == domain) | (domain == "all")
    chosen = {
        "": here,
        "F": here & (conditions["attr:sex"] == "F"),
        "M": here & (conditions["attr:sex"] == "M"),
    }
    expected = {group: MULTICLASS[name](truth[rows], scores[rows]) for group, rows in chosen.items()}
    assert pick(result, name, domain=domain)["value"] == pytest.approx(expected[""], abs=1e-12)
    for group in "FM":
        found = pick(result, name, domain=domain, attribute="sex", group=group)
        assert found["value"] == pytest.approx(expected[group], abs=1e-12)
        assert found["n"] == chosen[group].sum()
    gap = pick(result, f"{name}_gap", domain=domain, attribute="sex")["value"]
    assert gap == pytest.approx(abs(expected["F"] - expected["M"]), abs=1e-12)


def test_the_sensitivity_of_each_high_risk_condition_by_group_and_gap(conditions: pd.DataFrame) -> None:
    result = compute_metrics(conditions, EvaluationSettings(replicates=0, high_risk=["k3"]))

    truth = conditions.filter(like="label:").to_numpy().argmax(axis=1)
    decided = conditions.filter(like="score:").to_numpy().argmax(axis=1)
    groups = {sex: (conditions["attr:sex"] == sex).to_numpy() for sex in "FM"}
    expected = {sex: (decided == 3)[rows & (truth == 3)].mean() for sex, rows in groups.items()}
    for sex, value in expected.items():
        keys = {"domain": "all", "attribute": "sex", "group": sex}
        assert pick(result, "sensitivity", label="k3", **keys)["value"] == pytest.approx(value)
        assert pick(result, "high_risk_sensitivity", **keys)["value"] == pytest.approx(value)
    gap = pick(result, "sensitivity_gap", label="k3", domain="all", attribute="sex")["value"]
    assert gap == pytest.approx(abs(expected["F"] - expected["M"]))


def test_high_risk_classes_must_be_classes(conditions: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match=r"high-risk class 'melanoma' is not .* are: k0, k1"):
        compute_metrics(conditions, EvaluationSettings(high_risk=["k3", "melanoma"]))
    with pytest.raises(SettingsError, match=r"high_risk must be a list, for example \['k3'\]"):
        EvaluationSettings(high_risk="k3")
    without = compute_metrics(conditions, EvaluationSettings(replicates=0, intersections=[]))
    assert "high_risk_sensitivity" not in set(without["metric"])


def test_phantom_data_are_called_so(predictions: Predictions) -> None:
    assert set(compute_metrics(predictions(40), QUICK)["source"]) == {""}
    assert set(compute_metrics(predictions(40).assign(phantom=True), QUICK)["source"]) == {"phantom data"}


def test_written_table_comes_back(twelve: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    write_table(twelve, path)
    pd.testing.assert_frame_equal(read_metrics(path), twelve, rtol=1e-11)
    assert ",false," in path.read_text()


def test_no_threshold_is_a_reason(predictions: Predictions) -> None:
    val = predictions(60).assign(split="id_val", **{"label:c0": 0.0})
    val["image_id"] += " val"
    settings = EvaluationSettings(threshold="id_val", splits=["id_test"], replicates=0)
    result = compute_metrics(pd.concat([val, predictions(60)]), settings)
    assert pick(result, "accuracy", label="c0")["reason"].startswith("no threshold")
    assert pick(result, "accuracy", label="c1")["estimable"]
    assert set(result["split"]) == {"id_test"}


def test_few_patients_have_a_value_and_no_interval() -> None:
    table = pd.DataFrame({"score:a": np.linspace(0, 1, 19), "label:a": [0] * 10 + [1] * 9})
    metrics = compute_metrics(table, EvaluationSettings(replicates=100))
    auc = pick(metrics, "auc", label="a")
    assert (auc["value"], auc["estimable"]) == (1, True)
    assert np.isnan(auc["ci_low"])
    assert auc["reason"] == "no interval: fewer than 10 patients with, or without, the condition"
    fewer = compute_metrics(table, EvaluationSettings(replicates=100, min_group_size=9))
    assert pick(fewer, "auc", label="a")["ci_low"] < 1


def test_one_patient_has_a_value_and_no_interval() -> None:
    random = np.random.default_rng(0)
    labels, groups = random.integers(0, 2, 80), np.repeat(["F", "M"], 40)
    table = pd.DataFrame({"score:a": random.uniform(size=80), "label:a": labels, "attr:sex": groups})
    table["patient_id"] = ["the only woman"] * 40 + [f"man {i}" for i in range(40)]
    settings = EvaluationSettings(metrics=["auc"], replicates=50, min_group_size=1)
    metrics = compute_metrics(table, settings)
    women, men = (pick(metrics, "auc", label="a", attribute="sex", group=group) for group in "FM")
    gap = pick(metrics, "auc_gap", label="a", attribute="sex")
    assert women["value"] == pytest.approx(sk.roc_auc_score(labels[:40], table["score:a"][:40]))
    for row in (women, gap):
        assert row["estimable"]
        assert np.isnan([row["ci_low"], row["ci_high"]]).all()
        assert "no interval" in row["reason"]
    assert women["reason"] == "no interval: all images are of one patient"
    assert men["ci_low"] < men["value"] < men["ci_high"]


def test_settings_are_json_and_checked(predictions: Predictions) -> None:
    settings = EvaluationSettings()
    assert EvaluationSettings(**json.loads(json.dumps(dataclasses.asdict(settings)))).bins["age"][-1] == "inf"
    for wrong in (
        {"threshold": 2},
        {"threshold": "best"},
        {"confidence": 95},
        {"replicates": -1},
        {"headline": "f1"},
    ):
        with pytest.raises(SettingsError):
            EvaluationSettings(**wrong)
    for name in ("metrics", "attributes", "splits"):
        with pytest.raises(SettingsError, match=rf"{name} must be a list, for example \['sex'\], not 'sex'"):
            EvaluationSettings(**{name: "sex"})
    for wrong in (["sex", "age"], [[]]):
        with pytest.raises(SettingsError, match=r"must be a list of lists .* \[\['sex', 'age'\]\], not"):
            EvaluationSettings(intersections=wrong)
    with pytest.raises(SettingsError, match="bins of 'age' must be a list of edges"):
        EvaluationSettings(bins={"age": [0, float("nan"), 80]})
    with pytest.raises(
        SettingsError, match="no metric 'f1' for these multilabel predictions; there are: acc"
    ):
        compute_metrics(predictions(20), EvaluationSettings(metrics=["f1"]))
    with pytest.raises(DataError, match="no predictions have the split 'ood_test'; there are: id_test"):
        compute_metrics(predictions(20), EvaluationSettings(splits=["ood_test"]))


def test_soft_labels_of_a_finding_are_refused(predictions: Predictions) -> None:
    table = predictions(20)
    table.loc[3, "label:c0"] = 0.4
    with pytest.raises(DataError, match="column label:c0: a label must be 0, 1 or empty"):
        compute_metrics(table, QUICK)


def test_headline_is_estimable_if_anything_is():
    table = pd.DataFrame({"metric": ["auc", "accuracy"], "estimable": [False, True], "label": ""})
    assert headline(table) == "accuracy"
    assert headline(table.assign(estimable=False)) == "auc"
    assert headline(table, "auc") == "auc"
    assert headline(table, "ece") == "accuracy"


def test_a_headline_that_does_not_apply_leaves_the_lead_to_another(
    predictions: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    table = predictions(40)
    asked = compute_metrics(table, dataclasses.replace(QUICK, headline="balanced_top3_accuracy"))
    pd.testing.assert_frame_equal(asked, compute_metrics(table, QUICK))
    assert set(asked.loc[asked["family"] == "headline", "metric"]) >= {"auc"}
    assert "The headline balanced_top3_accuracy does not apply here; auc leads" in caplog.messages


@pytest.mark.parametrize("name", ["selection_rate", "calibration_slope", "calibration_intercept"])
def test_what_has_no_better_direction_cannot_lead(name: str) -> None:
    with pytest.raises(SettingsError, match=f"headline '{name}' cannot lead, as neither .* another metric"):
        EvaluationSettings(headline=name)


def test_top3_accuracy_leads_for_many_exclusive_classes():
    table = pd.DataFrame(
        {"metric": ["auc"] * 4 + ["top3_accuracy"], "label": [*"abcd", ""], "estimable": True}
    )
    assert headline(table) == "top3_accuracy"
    assert headline(table[table["label"] != "d"]) == "auc"
