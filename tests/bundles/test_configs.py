"""What the files of every bundle say."""

from __future__ import annotations

import json
import os
import re
from dataclasses import fields
from typing import Any

import pytest
from bundle_files import BUNDLES, OWN, config, folder, settings, stages
from monai.bundle import ConfigParser

from medaug.stages import Run
from medaug.stages.command_line import PARTS

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
        assert target.split(".")[0] in ("monai", "torch", "ignite", "medaug", "$@stage"), target
    assert content["imports"] == ["$import medaug.stages as stages"]


@pytest.mark.parametrize("bundle", BUNDLES)
def test_configs_are_relative_links_to_the_files_of_the_bundle(bundle: str) -> None:
    links = sorted((folder(bundle) / "configs").iterdir())

    assert [link.name for link in links] == sorted(p.name for p in folder(bundle).iterdir() if p.is_file())
    for link in links:
        assert os.readlink(link) == f"../{link.name}"
    assert not list(folder(bundle).rglob("*.py"))


@pytest.mark.parametrize(("bundle", "stage"), EVERY_STAGE)
def test_every_setting_is_handed_on(bundle: str, stage: str) -> None:
    """A setting that nothing refers to would change nothing, without a word."""
    text = json.dumps({k: v for k, v in config(bundle, stage).items() if k not in settings(bundle, stage)})
    for name in settings(bundle, stage).keys() - {"bundle_root"}:
        assert f'"@{name}"' in text, name


@pytest.mark.parametrize(("bundle", "stage"), [pair for pair in EVERY_STAGE if pair[1] in PARTS.values()])
def test_own_settings_read_what_is_shared_where_a_pulling_config_puts_it(bundle: str, stage: str) -> None:
    """A config that another one pulls has that one's `Run` as ``shared``, and defaults elsewhere."""
    shared = {f.name for f in fields(Run)}
    for name, value in settings(bundle, stage).items():
        if name not in shared:
            assert not shared & set(re.findall(r"@(\w+)", str(value))), name


@pytest.mark.parametrize(("bundle", "stage"), EVERY_STAGE)
def test_settings_that_stages_share_have_one_default_everywhere(bundle: str, stage: str) -> None:
    shared = {f.name for f in fields(Run)} - {"prepare", "diffusion", "upsampler", "generate", "reader"}
    for other in set(stages(bundle)) - {stage}:
        for name in settings(bundle, stage).keys() & settings(bundle, other).keys() & shared - {"baseline"}:
            assert settings(bundle, stage)[name] == settings(bundle, other)[name], (name, other)


@pytest.mark.parametrize("stage", ["train", "train_diffusion", "train_upsampler"])
def test_a_training_waits_for_no_copy_and_keeps_no_gradients(stage: str) -> None:
    """Gradients that are kept are zeroed and added to, in two kernels a weight, and take their memory."""
    trainer = config("chexpert", stage)["train"]["trainer"]
    assert trainer["non_blocking"] is True
    assert trainer["optim_set_to_none"] is True


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


@pytest.mark.parametrize("stage", sorted({stage for _, stage in EVERY_STAGE} - set(OWN)))
def test_bundles_have_the_same_file(stage: str) -> None:
    """A bundle is shared by itself, so each has its own files; what differs stands in metadata.json."""
    files = [folder(bundle) / f"{stage}.json" for bundle in BUNDLES if stage in stages(bundle)]
    assert len({file.read_bytes() for file in files}) == 1
    assert len(files) >= 2


def test_the_facts_of_a_modality_have_the_same_names_everywhere() -> None:
    facts = [json.loads((folder(bundle) / "metadata.json").read_text())["medaug"] for bundle in BUNDLES]
    assert all(list(fact) == list(facts[0]) for fact in facts)
    assert [fact["bundle"] for fact in facts] == list(BUNDLES)
    text = "".join(path.read_text() for path in folder("chexpert").glob("*.json"))
    assert all(f"@_meta_::medaug::{name}" in text for name in facts[0])
