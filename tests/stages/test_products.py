from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.errors import SettingsError
from medaug.stages.products import (
    check_writable,
    claim,
    identity,
    is_current,
    is_made,
    plain,
    renewed,
    set_aside,
    settings_path,
)

SETTINGS = {"learning_rate": 1e-3, "channels": (32, 64), "seed": 0}


@dataclass(frozen=True)
class How:
    sizes: tuple[int, ...]
    folder: Path


def made(folder: Path, name: str = "model.pt", **changes: object) -> Path:
    product = folder / name
    claim(product, SETTINGS | changes)
    product.write_text("weights")
    return product


def test_the_settings_lie_beside_the_product(tmp_path: Path) -> None:
    product = made(tmp_path)

    record = json.loads(settings_path(product).read_text())
    assert settings_path(product) == tmp_path / "model.settings.json"
    assert settings_path(tmp_path / "data") == tmp_path / "data.settings.json"
    assert record["settings"] == {"learning_rate": 1e-3, "channels": [32, 64], "seed": 0}
    assert {"medaug", "torch", "monai", "python"} <= set(record["versions"])
    assert {"made", "git_commit"} <= set(record)


def test_the_same_settings_change_nothing(tmp_path: Path) -> None:
    product = made(tmp_path)
    before = settings_path(product).read_bytes()

    for fresh in (False, True):
        claim(product, {**SETTINGS, "channels": [32, 64]}, fresh)

    assert is_made(product)
    assert settings_path(product).read_bytes() == before


def test_other_settings_are_an_error_that_names_keys_and_the_way_out(tmp_path: Path) -> None:
    product = made(tmp_path)

    with pytest.raises(SettingsError) as raised:
        claim(product, {"learning_rate": 1e-4, "channels": (32, 64), "amp": True})

    message = str(raised.value)
    for part in (str(product), "learning_rate (there 0.001, now 0.0001)", "amp", "seed", "--fresh true"):
        assert part in message
    assert "channels" not in message
    assert product.read_text() == "weights"


def test_of_settings_within_settings_only_what_differs_is_told(tmp_path: Path) -> None:
    product = made(tmp_path, phantoms={"amounts": [60, 40], "seed": 0, "modality": "radiology"}, split=None)

    with pytest.raises(SettingsError) as raised:
        claim(product, {**SETTINGS, "phantoms": {"amounts": [60, 40], "seed": 7}, "split": {"seed": 7}})

    message = str(raised.value)
    assert "phantoms::modality (there 'radiology', now None), phantoms::seed (there 0, now 7)" in message
    assert "split (there None, now {'seed': 7})" in message
    assert "amounts" not in message


def test_a_run_folder_that_cannot_be_written_to_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_writable(tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(SettingsError, match=r"file is a file, not a folder; name another --output_dir"):
            check_writable(folder)
    monkeypatch.setattr("medaug.stages.products.os.access", lambda *_: False)
    with pytest.raises(SettingsError, match=f"you may not write to {tmp_path}; name another --output_dir"):
        check_writable(tmp_path / "run")


@pytest.mark.parametrize("belonging", ["model.pt.partial", "model.resume.pt"])
def test_a_half_made_product_is_bound_to_its_settings(tmp_path: Path, belonging: str) -> None:
    claim(tmp_path / "model.pt", SETTINGS)
    (tmp_path / belonging).write_text("half")

    with pytest.raises(SettingsError, match="seed"):
        claim(tmp_path / "model.pt", SETTINGS | {"seed": 1})


def test_settings_that_nothing_was_made_with_bind_nobody(tmp_path: Path) -> None:
    product = tmp_path / "data"
    claim(product, {"seed": 1})
    claim(product, {"seed": 2})

    assert json.loads(settings_path(product).read_text())["settings"] == {"seed": 2}


def test_settings_hold_no_place_and_yet_know_another_one(tmp_path: Path) -> None:
    product = tmp_path / "data"
    settings = {"sources": [{"folder": "DOE_JANE", "options": {"table": "/home/doe/t.csv"}}], "reader": "csv"}
    claim(product, settings)
    product.mkdir()

    recorded = settings_path(product).read_text()
    assert "doe" not in recorded.lower()
    claim(product, settings)
    for other in ("DOE_JOHN", "/home/doe/t.csv"):
        with pytest.raises(SettingsError, match="sources"):
            claim(product, {**settings, "sources": [{**settings["sources"][0], "folder": other}]})


def test_a_record_from_before_places_were_left_out_still_matches(tmp_path: Path) -> None:
    product = made(tmp_path, "data")
    recorded = json.loads(settings_path(product).read_text())
    old = {**recorded["settings"], "folder": "/data/set", "model": "/models/bit.npz"}
    settings_path(product).write_text(json.dumps(recorded | {"settings": old}))

    claim(product, old)
    with pytest.raises(SettingsError, match="folder"):
        claim(product, {**old, "folder": "/data/other"})


@pytest.fixture
def older(tmp_path: Path) -> Path:
    product = tmp_path / "evaluation"
    with renewed(product, SETTINGS, tmp_path / "logs" / "evaluation") as aside:
        for folder in (aside / "evaluation", aside / "logs" / "evaluation"):
            folder.mkdir(parents=True)
            (folder / "file").write_text("older")
    return product


def test_a_product_stays_until_the_new_one_is_whole(tmp_path: Path, older: Path) -> None:
    settings = SETTINGS | {"seed": 1}
    assert is_current(older, SETTINGS)
    with pytest.raises(SettingsError, match="seed"):
        is_current(older, settings)
    assert not is_current(older, settings, fresh=True)
    with suppress(RuntimeError), renewed(older, settings, tmp_path / "logs" / "evaluation") as aside:
        (aside / "evaluation").mkdir()
        raise RuntimeError
    assert (older / "file").read_text() == "older"
    assert is_current(older, SETTINGS)
    assert not list(tmp_path.glob("before-*"))
    assert not list(tmp_path.glob(".*"))


def test_the_older_product_is_set_aside_with_what_lies_beside_it(tmp_path: Path, older: Path) -> None:
    logs = tmp_path / "logs" / "evaluation"
    with renewed(older, SETTINGS | {"seed": 1}, logs) as aside:
        (aside / "evaluation").mkdir()
        (aside / "evaluation" / "file").write_text("newer")
        assert (logs / "file").read_text() == "older"
    (before,) = tmp_path.glob("before-*")
    assert (before / "evaluation" / "file").read_text() == "older"
    assert (before / "logs" / "evaluation" / "file").read_text() == "older"
    assert json.loads((before / "evaluation.settings.json").read_text())["settings"]["seed"] == 0
    assert (older / "file").read_text() == "newer"
    assert is_current(older, SETTINGS | {"seed": 1})
    assert not logs.exists()


@pytest.mark.parametrize("name", ["model.pt", "lr0.001.pt", "data"])
def test_fresh_sets_aside_and_loses_nothing(tmp_path: Path, name: str) -> None:
    product = made(tmp_path, name)
    resume = tmp_path / f"{product.stem}.resume.pt"
    resume.write_text("state")
    neighbour = made(tmp_path, "model2.pt")

    claim(product, SETTINGS | {"seed": 1}, fresh=True)

    assert not product.exists()
    assert not resume.exists()
    assert json.loads(settings_path(product).read_text())["settings"]["seed"] == 1
    (aside,) = tmp_path.glob("before-*")
    assert (aside / product.name).read_text() == "weights"
    assert (aside / resume.name).read_text() == "state"
    assert json.loads((aside / settings_path(product).name).read_text())["settings"]["seed"] == 0
    assert neighbour.read_text() == "weights"


def test_setting_aside_twice_keeps_both(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        claim(tmp_path / "model.pt", SETTINGS | {"seed": seed}, fresh=True)
        (tmp_path / "model.pt").write_text(str(seed))
    set_aside(tmp_path / "model.pt")

    asides = sorted(tmp_path.glob("before-*/model.pt"))
    assert [path.read_text() for path in asides] == ["0", "1", "2"]


def test_a_foreign_product_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "data"
    foreign.mkdir()

    for fresh in (False, True):
        with pytest.raises(SettingsError, match=r"not made by medaug.*--output_dir"):
            claim(foreign, SETTINGS, fresh)
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_record_from_before_a_setting_had_its_default(tmp_path: Path) -> None:
    product = made(tmp_path)
    before = settings_path(product).read_bytes()

    claim(product, {**SETTINGS, "warmup": 0}, defaults={"warmup": 0, "another": 1})
    assert settings_path(product).read_bytes() == before
    inner = {"patches": {"size": 96}}
    claim(tmp_path / "data", inner)
    (tmp_path / "data").mkdir()
    claim(tmp_path / "data", {"patches": {"size": 96, "lost": 0.05}}, defaults={"patches": {"lost": 0.05}})
    with pytest.raises(SettingsError, match="patches"):
        claim(tmp_path / "data", {"patches": {"size": 96, "lost": 0.5}}, defaults={"patches": {"lost": 0.05}})
    with pytest.raises(SettingsError, match=r"warmup \(there 0, now 5\)"):
        claim(product, {**SETTINGS, "warmup": 5}, defaults={"warmup": 0})


def test_identity_follows_the_settings_and_nothing_else(tmp_path: Path) -> None:
    first, same, other = (made(tmp_path, f"{n}.pt", seed=s) for n, s in [("a", 1), ("b", 1), ("c", 2)])
    settings_path(same).write_text(
        json.dumps(json.loads(settings_path(same).read_text()) | {"git_commit": "another"})
    )

    assert identity(first) == identity(same) != identity(other)
    with pytest.raises(SettingsError, match=r"nothing\.settings\.json is missing: run the stage"):
        identity(tmp_path / "nothing.pt")


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner).map(tuple) | st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_what_a_killed_process_of_the_same_number_left_is_no_part_of_a_product(tmp_path: Path) -> None:
    left = tmp_path / f".evaluation.{os.getpid()}.partial"
    left.mkdir()
    (left / "half").write_text("half")
    with renewed(tmp_path / "evaluation", SETTINGS) as aside:
        (aside / "evaluation").mkdir()
    assert not left.exists()
    assert not list((tmp_path / "evaluation").iterdir())


@given(nested)
def test_what_is_recorded_compares_equal_when_read_back(value: object) -> None:
    assert json.loads(json.dumps(plain(value))) == plain(value) == plain(plain(value))


def test_dataclasses_tuples_and_paths_become_plain(tmp_path: Path) -> None:
    assert plain({"how": How((64, 16), Path("/data"))}) == {"how": {"sizes": [64, 16], "folder": "/data"}}


def test_how_a_product_is_computed_is_recorded_and_never_compared(tmp_path: Path) -> None:
    product = tmp_path / "model.pt"
    claim(product, SETTINGS, computed={"device": "H100", "amp": True})
    product.write_text("weights")
    claim(product, SETTINGS, computed={"device": "cpu", "amp": False})
    assert json.loads(settings_path(product).read_text())["computed"] == {"device": "H100", "amp": True}


def test_what_no_product_depends_on_any_more_is_not_compared_in_an_older_record(tmp_path: Path) -> None:
    product = tmp_path / "model.pt"
    claim(product, {**SETTINGS, "amp": False})
    product.write_text("weights")
    claim(product, SETTINGS, defaults={"amp": None, "workers": 0})
    with pytest.raises(SettingsError, match="amp"):
        claim(product, SETTINGS)
