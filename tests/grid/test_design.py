from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from medaug.errors import SettingsError
from medaug.grid.design import Cell, Study

BUNDLE = str(Path(__file__).parents[2] / "bundles" / "chexpert")


def options(command: str) -> dict[str, object]:
    """Read a command as MONAI does."""
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "monai.bundle", "run"]
    pairs = dict(zip(words[4::2], words[5::2], strict=True))
    return {name.removeprefix("--"): _literal(value) for name, value in pairs.items()}


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def study(**given: object) -> Study:
    return Study.of({"bundle": BUNDLE, "output": "out", **given})


def test_cells_are_arms_times_seeds_times_labels():
    made = study(arms=["label", "heuristic"], seeds=[3, 5], labelled={"all": {}, "few": {"label_budget": 10}})
    cells = list(made.cells())
    assert len(cells) == len(set(cells)) == 3 * 2 * 2
    assert {c.arm for c in cells} == {"baseline", "label", "heuristic"}
    assert len({made.run(c) for c in cells}) == len(cells)


def test_a_training_is_one_command_with_the_settings_of_its_arm():
    made = study(arms=["label_and_property"], train={"iterations": "60"}, generate={"images": "40"})
    found = options(made.training(Cell("all", "label_and_property", 2)))
    assert found["config_file"] == f"{BUNDLE}/train.json"
    assert (found["seed"], found["iterations"], found["real_fraction"]) == (2, 60, 0.5)
    assert found["method"] == "label_and_property"
    assert found["properties"] == ["sex"]
    assert (found["generate"], found["prepare"]) == ({"images": 40}, {"seed": 0})
    assert found["generator_dir"] == "out/generators/all/label_and_property/seed-2"
    assert found["compare_with_baseline"] is False


def test_a_training_of_real_images_needs_no_generator():
    found = options(study().training(Cell("all", "baseline", 0)))
    assert "generator_dir" not in found
    assert found["real_fraction"] == 1.0


@pytest.mark.parametrize(
    ("bundle", "preset", "train", "share"),
    [
        ("camelyon17", "paper", {}, 0.0),  # "all models are trained purely on synthetic images" (Figure G2)
        ("camelyon17", "demo", {}, 0.5),
        ("chexpert", "paper", {}, 0.5),
        ("camelyon17", "paper", {"real_fraction": "0.3"}, 0.3),
    ],
)
def test_arms_that_mix_have_the_share_of_train_or_else_of_the_preset(bundle, preset, train, share):
    folder = str(Path(BUNDLE).with_name(bundle))
    made = study(
        bundle=folder,
        preset=preset,
        train=train,
        arms=["label_and_property_heuristic", "own"],
        own_arms={
            "own": {"conditioning": "label"},
            "third": {"conditioning": "label", "real_fraction": 0.25},
        },
    )
    shares = {
        arm: options(made.training(Cell("all", arm, 0)))["real_fraction"]
        for arm in ("baseline", "label_and_property_heuristic", "own", "third", "synthetic_only")
    }
    assert list(shares.values()) == [1.0, share, share, 0.25, 0.0]
    assert made.all_arms["own"].settings["real_fraction"] == share


def test_all_trainings_know_how_images_are_generated_as_their_size_follows_from_it():
    made = study(arms=["label"], generate={"upsample": False})
    for arm in ("baseline", "label"):
        assert options(made.training(Cell("all", arm, 0)))["generate"] == {"upsample": False}


@pytest.mark.parametrize(
    ("arms", "looked_at"),
    [
        (["focal"], None),
        (["label", "focal"], "label"),
        (["label", "filtered"], "label_and_property"),
    ],
)
def test_all_arms_look_at_the_images_of_one_generator(arms, looked_at):
    assert study(arms=arms).looked_at == looked_at


def test_the_generator_has_the_settings_that_its_trainings_ask_for():
    made = study(arms=["label"], diffusion={"iterations": 9}, labelled={"few": {"label_budget": 10}})
    generator, training = made.generation("few", "label", 1), made.training(Cell("few", "label", 1))
    shared = ("seed", "properties", "label_budget", "prepare", "diffusion", "data_dir", "preset")
    one, other = options(generator), options(training)
    assert [one[name] for name in shared] == [other[name] for name in shared]
    assert one["output_dir"] == other["generator_dir"]
    assert one["properties"] == []


def test_the_evaluation_takes_all_trainings_with_the_same_labels():
    made = study(arms=["label"], seeds=[0, 1], labelled={"a": {}, "b": {"label_budget": 5}})
    found = options(made.comparison("b"))
    assert found["predictions"] == [
        f"out/runs/b/{arm}/seed-{seed}/predictions/model.parquet"
        for arm in ("baseline", "label")
        for seed in (0, 1)
    ]
    assert (found["baseline"], found["threshold"], found["label_budget"]) == ("baseline", "id_val", 5)


def test_an_arm_of_ones_own_is_trained_like_the_others():
    own = {"noisy": {"conditioning": "label", "dropout": 0.5}}
    found = options(study(arms=["noisy"], own_arms=own).training(Cell("all", "noisy", 0)))
    assert (found["dropout"], found["real_fraction"], found["method"]) == (0.5, 0.5, "noisy")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arm": ["label"]}, "no setting 'arm'"),
        ({"arms": ["lable"]}, "no arm 'lable'"),
        ({"train": {"learning_rat": 1}}, "did you mean 'learning_rate'"),
        ({"generate": {"imgaes": 1}}, "did you mean 'images'"),
        ({"own_arms": {"long": {"iterations": 9}}}, "all arms have the same steps"),
        ({"preset": "papre"}, "did you mean 'paper'"),
        ({"train": {"seed": 7}}, "'train' must not set seed: the study gives it to each training"),
        ({"own_arms": {"mine": {"method": "x"}}}, "'mine' must not set method"),
        ({"arms": ["focal"], "train": {"real_fraction": 0.3}}, "real_fraction of train would change nothing"),
        ({"arms": ["label"], "train": {"real_fraction": 1}}, "'label' is one of synthetic images"),
        ({"arms": ["label"], "train": {"real_fraction": 2}}, "'label' needs a real_fraction between 0 and 1"),
        ({"arms": ["synthetic_first"], "train": {"real_fraction": 0}}, "no real images to end with"),
        (
            {"arms": ["label_and_property", "synthetic_only"], "train": {"real_fraction": 0}},
            "'label_and_property' and 'synthetic_only' are the same training",
        ),
        ({"arms": ["focal"], "train": {"loss_name": "focal"}}, "'baseline' and 'focal' are the same"),
        ({"arms": ["a"], "own_arms": {"a": {"real_fraction": 0.5}}}, "must be label or label_and_property"),
        ({"arms": ["a"], "own_arms": {"a": {"conditioning": "sex"}}}, "label_and_property, not 'sex'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(given, message):
    with pytest.raises(SettingsError, match=message):
        study(**given)


def test_a_study_is_read_back_as_it_was(tmp_path):
    made = study(arms=["label"], seeds=["1", "2"], shared={"dataset_dir": "images"})
    made.save(tmp_path / "study.json")
    assert Study.load(tmp_path / "study.json") == made


def test_an_arm_of_ones_own_may_not_have_the_name_of_another():
    with pytest.raises(SettingsError, match="give your own another name"):
        study(own_arms={"focal loss": {"loss_name": "focal"}})
    assert study(own_arms={"focal": {"loss_name": "focal"}, "mine": {}}).arm_name("mine") == "mine"


def test_planning_a_study_needs_neither_torch_nor_monai() -> None:
    """Snakemake reads the plan anew in each of its processes."""
    plan = "medaug.grid.design.Study.of({'bundle': sys.argv[1], 'output': 'x', 'arms': ['label']})"
    code = f"import sys, medaug.grid.design; {plan}; sys.exit(bool({{'torch', 'monai'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code, BUNDLE], check=False).returncode == 0
