"""What the files of every bundle say."""

from __future__ import annotations

import json
import os
import re
from itertools import combinations
from typing import Any

import pytest
from bundle_files import BUNDLES, PARTS, SHARED_STAGES, config, folder, settings, stages
from monai.bundle import ConfigParser

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

EVERY_STAGE = [(bundle, stage) for bundle in BUNDLES for stage in stages(bundle)]


def targets(content: Any) -> list[str]:
    if isinstance(content, dict):
        own = [content["_target_"]] if "_target_" in content else []
        return own + [t for value in content.values() for t in targets(value)]
    return [t for value in content for t in targets(value)] if isinstance(content, list) else []


@pytest.mark.parametrize(("bundle", "stage"), EVERY_STAGE)
def test_every_config_parses_and_names_only_known_packages(bundle: str, stage: str) -> None:
    parser = ConfigParser()
    parser.read_config(str(folder(bundle) / f"{stage}.json"))
    parser.parse()

    content = config(bundle, stage)
    assert {"imports", "bundle_root", "output_dir", "initialize", "run", "finalize"} <= set(content)
    for target in targets(content):
        assert target.split(".")[0] in ("monai", "torch", "ignite", "medaug"), target
    assert all(line.startswith(("$import os", "$import medaug")) for line in content["imports"])


@pytest.mark.parametrize("bundle", BUNDLES)
def test_configs_are_relative_links_to_the_files_of_the_bundle(bundle: str) -> None:
    links = sorted((folder(bundle) / "configs").iterdir())

    assert [link.name for link in links] == sorted(p.name for p in folder(bundle).iterdir() if p.is_file())
    for link in links:
        assert os.readlink(link) == f"../{link.name}"
    assert not list(folder(bundle).rglob("*.py"))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_settings_of_one_name_have_one_default_everywhere(bundle: str) -> None:
    """But for defaults that are a row of the preset, and four that mean something else where they stand."""
    own = {"workers", "low_size", "reader"}  # processes that decode or load; the upsampler's; new images
    own |= {"high_risk"}  # chosen where images are prepared; read from there where they are evaluated
    for first, second in combinations(stages(bundle), 2):
        for name in settings(bundle, first).keys() & settings(bundle, second).keys() - own:
            defaults = [str(settings(bundle, stage)[name]) for stage in (first, second)]
            if not any("@p." in d or "@sampling." in d or "presets" in d for d in defaults):
                assert defaults[0] == defaults[1], (name, first, second)


@pytest.mark.parametrize("bundle", BUNDLES)
def test_what_one_config_hands_to_another_is_a_setting_there(bundle: str) -> None:
    parts = {name: stage for name, stage in PARTS.items() if stage in stages(bundle)}
    for stage in ("train", *parts.values()):
        if stage == "prepare":
            continue
        common = config(bundle, stage)["common"]
        assert set(common) <= set(config(bundle, stage)), stage
        for name in ("output_dir", "data_dir", "preset", "seed", "fresh", "dataset_dir", "reader"):
            assert common[name] == f"@{name}"
            assert all(name in config(bundle, other) for other in parts.values())
        assert {"properties", "skew", "domain_column", "train_domains"} <= set(common)
    assert set(config(bundle, "train")["baseline"]) <= set(config(bundle, "train"))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_metadata_has_what_monai_asks_for(bundle: str) -> None:
    metadata = json.loads((folder(bundle) / "metadata.json").read_text())
    mandatory = (
        *("version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version"),
        *("task", "description", "authors", "copyright", "network_data_format", "changelog"),
    )
    assert set(mandatory) <= set(metadata)
    assert metadata["version"] in metadata["changelog"]
    classes = config(bundle, "prepare")["classes"]
    outputs = metadata["network_data_format"]["outputs"]["pred"]
    assert list(outputs["channel_def"].values()) == classes
    assert outputs["num_channels"] == len(classes)


# One spine


def spine(bundle: str, stage: str) -> dict[str, Any]:
    """What a config builds and does, without its settings and without the name of its modality."""
    hidden = {*settings(bundle, stage), "common", "baseline"}
    content = {name: value for name, value in config(bundle, stage).items() if name not in hidden}
    text = json.dumps(content)
    text = re.sub("'(radiology|histopathology|dermatology)'", "MODALITY", text)
    return json.loads(text)


@pytest.mark.parametrize("stage", SHARED_STAGES)
@pytest.mark.parametrize("bundle", BUNDLES[1:])
def test_bundles_differ_in_their_settings_only(bundle: str, stage: str) -> None:
    """A bundle is shared by itself, so each has its own files; this keeps them from drifting apart."""
    assert spine(bundle, stage) == spine(BUNDLES[0], stage)
