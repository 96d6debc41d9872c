"""Each kind of bad bundle gets its verdict, and none of what it holds is run."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from list_known_code import PATH, known
from medaug.errors import DataError
from medaug.sharing.config_code import code_in_config, code_in_logging
from medaug.sharing.findings import Finding
from medaug.sharing.inspection import inspect
from medaug.sharing.manifest import write_manifest
from medaug.sharing.pickled_code import code_in_model


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def kinds(path: Path) -> set[str]:
    return {finding.kind for finding in inspect(path).findings}


def edited(taken: Path, config: str, **changes: object) -> None:
    path = taken / "configs" / config
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


# What speaks for a bundle


def test_nothing_speaks_against_a_packed_bundle_zipped_or_not(zipped: Path, unpacked: Path) -> None:
    for path in (zipped, unpacked):
        inspection = inspect(path)
        assert inspection.findings == ()
        assert inspection.verdict().startswith("Verdict: nothing speaks against it")


def test_the_code_of_medaugs_own_bundles_is_listed() -> None:
    assert PATH.read_text("utf-8") == known(), "run python scripts/list_known_code.py"


def test_looking_needs_neither_torch_nor_monai() -> None:
    code = (
        "import sys; import medaug.sharing.inspection; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'monai', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Bad bundles


def expression(taken: Path, trap: Path) -> None:
    edited(taken, "inference.json", dataset=f"$__import__('pathlib').Path({str(trap)!r}).touch()")


def expression_in_metadata(taken: Path, trap: Path) -> None:
    edited(taken, "metadata.json", name=f"$open({str(trap)!r}, 'w')")


def target(taken: Path, trap: Path) -> None:
    edited(taken, "inference.json", inferer={"_target_": "pathlib.Path.touch", "self": str(trap)})


def target_by_its_place(taken: Path, trap: Path) -> None:
    edited(taken, "inference.json", **{"inferer#_target_": "os.system", "inferer#command": f"touch {trap}"})


def macro(taken: Path, trap: Path) -> None:
    edited(taken, "inference.json", dataset="%../../other.json::dataset")


def logging_file(taken: Path, trap: Path) -> None:
    path = taken / "configs" / "logging.conf"
    path.write_text(path.read_text().replace("(sys.stdout,)", f"(open({str(trap)!r}, 'w'),)"))


def pickle_in_torchs_zip(taken: Path, trap: Path) -> None:
    torch.save({"weights": torch.zeros(2), "more": Trap(trap)}, taken / "models" / "model.pt")


def bare_pickle(taken: Path, trap: Path) -> None:
    (taken / "models" / "diffusion.pt").write_bytes(pickle.dumps(Trap(trap)))


def hidden_pickle(taken: Path, trap: Path) -> None:
    (taken / "docs" / "figure.png").write_bytes(pickle.dumps(Trap(trap)))


def torchscript(taken: Path, trap: Path) -> None:
    with zipfile.ZipFile(taken / "models" / "model.ts", "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({}, protocol=2))
        archive.writestr("model/code/__torch__.py", "def forward(self): pass")


def program(taken: Path, trap: Path) -> None:
    (taken / "torch.py").write_text(f"open({str(trap)!r}, 'w')")


def missing_file(taken: Path, trap: Path) -> None:
    (taken / "LICENSE").unlink()


def metadata_without_keys(taken: Path, trap: Path) -> None:
    path = taken / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    del content["network_data_format"], content["monai_version"]
    path.write_text(json.dumps(content))


def config_in_yaml(taken: Path, trap: Path) -> None:
    (taken / "configs" / "extra.yaml").write_text("a: $1 + 1\n")


Spoil = Callable[[Path, Path], None]
BAD: dict[Spoil, str] = {
    expression: "expression",
    expression_in_metadata: "expression",
    target: "target",
    target_by_its_place: "target",
    macro: "expression",
    logging_file: "expression",
    pickle_in_torchs_zip: "pickle",
    bare_pickle: "pickle",
    hidden_pickle: "pickle",
    torchscript: "pickle",
    program: "code",
    missing_file: "missing",
    metadata_without_keys: "metadata",
    config_in_yaml: "unread",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_a_bad_bundle_with_a_right_list_of_hashes_gets_its_verdict_and_is_not_run(
    spoil: Spoil, taken: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "was-run"
    spoil(taken, trap)
    write_manifest(taken)
    assert kinds(taken) == {BAD[spoil]}
    assert inspect(taken).verdict().startswith("Verdict: DO NOT USE IT")
    assert not trap.exists()


def test_changed_missing_and_added_files_are_named(taken: Path) -> None:
    with (taken / "models" / "model.pt").open("r+b") as file:
        file.seek(5000)
        file.write(b"\x00\x01\x02\x03")
    (taken / "docs" / "guide.md").unlink()
    (taken / "docs" / "more.md").write_text("more")
    found = {(finding.where, finding.what.split()[0]) for finding in inspect(taken).findings}
    assert {("models/model.pt", "was"), ("docs/guide.md", "is"), ("docs/more.md", "is")} <= found
    assert "hash" in kinds(taken)


def test_a_link_that_leaves_the_folder_is_named_and_not_followed(taken: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"a": "$1"}')
    (taken / "configs" / "link.json").symlink_to(tmp_path / "secret.json")
    assert kinds(taken) == {"path"}


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/etc/evil.txt", r"..\evil.txt", r"C:\evil.txt", "chexpert/../../evil.txt"]
)
def test_a_zip_that_climbs_out_is_named(name: str, zipped: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(zipped, tmp_path / "bad.zip"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "evil")
    assert "path" in kinds(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.zip"]


def test_a_link_a_double_and_a_bomb_in_a_zip_are_named(zipped: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(zipped, tmp_path / "bad.zip"))
    link = zipfile.ZipInfo("chexpert/docs/link.md")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("chexpert/license", "other")
        archive.writestr("chexpert/docs/zeros.txt", bytes(101 * 2**20))
    told = [finding.what for finding in inspect(path).findings if finding.kind == "path"]
    assert told[0] == "a link"
    assert "unpacks to 105,906,176 bytes" in told
    assert "is there more than once" in told


def test_what_is_no_bundle_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04nothing")
    for path in (tmp_path / "a.zip", tmp_path / "absent.zip"):
        with pytest.raises(DataError, match="cannot be read as the zip of a bundle"):
            inspect(path)


# The parts


def test_expressions_and_targets_are_found_in_any_depth() -> None:
    config = {"a": [{"b": {"_target_": "os.system", "command": " $x"}}], "$key": 1, "m": {"_mode_": "debug"}}
    found = list(code_in_config("c.json", json.dumps(config)))
    assert found == [
        Finding("expression", "c.json, a::0::b::command", " $x"),
        Finding("expression", "c.json, $key (the key)", "$key"),
        Finding("target", "c.json, a::0::b::_target_", "os.system"),
        Finding("target", "c.json, m::_mode_", "debug"),
    ]


def test_logging_is_evaluated_in_other_writings_too() -> None:
    text = "[handler_a]\nCLASS = StreamHandler\nargs: (exit(),)\n"
    assert [f.what for f in code_in_logging("l.conf", text)] == ["args: (exit(),)"]


def test_tensors_of_every_kind_are_no_code() -> None:
    kinds = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
    content = {str(kind): torch.zeros(2, dtype=kind) for kind in kinds}
    file = io.BytesIO()
    torch.save({**content, "more": [1, "two", (3.0, None)], "p": torch.nn.Parameter(torch.ones(1))}, file)
    assert list(code_in_model(file)) == []


def test_what_a_pickle_would_call_is_named() -> None:
    file = io.BytesIO(pickle.dumps(Trap(Path("x")), protocol=2))
    assert any(what.startswith("calls pathlib") for what in code_in_model(file))
    late = io.BytesIO(pickle.dumps(Trap(Path("x")), protocol=4))
    assert any("put together" in what for what in code_in_model(late))
    assert "a pickle that is damaged, or made to look so" in list(code_in_model(io.BytesIO(b"\x80\x02\xff")))
