import os
import pickle

import pytest
import torch

from medaug.checkpoints import CheckpointFormat
from medaug.errors import CheckpointError

SCALES = CheckpointFormat("scale-1", "scale", "delete it and weigh again")


def test_what_is_written_comes_back_with_its_tag(tmp_path):
    SCALES.write(tmp_path / "new" / "a.pt", {"factor": torch.arange(3), "names": ["x", "y"]})
    content = SCALES.read(tmp_path / "new" / "a.pt")
    assert content["factor"].tolist() == [0, 1, 2]
    assert (content["names"], content["format"]) == (["x", "y"], "scale-1")
    assert os.listdir(tmp_path / "new") == ["a.pt"]


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    SCALES.write(tmp_path / "a.pt", {"factor": 1})

    def half(content, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        SCALES.write(tmp_path / "a.pt", {"factor": 2})
    assert SCALES.read(tmp_path / "a.pt")["factor"] == 1
    assert os.listdir(tmp_path) == ["a.pt"]


@pytest.mark.parametrize("content", [b"", b"no tensors", b"PK\x03\x04 torn", pickle.dumps(CheckpointFormat)])
def test_a_damaged_file_or_one_with_code_is_named_with_the_way_out(tmp_path, content):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be read as a scale \(.*\); delete it and weigh"):
        SCALES.read(tmp_path / "a.pt")


def test_code_in_a_file_is_never_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "run"),)

    torch.save({"format": "scale-1", "factor": Evil()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="UnpicklingError"):
        SCALES.read(tmp_path / "a.pt")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [{"factor": 1}, [1], {"format": "scale-2"}])
def test_another_kind_of_file_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"a\.pt is not a scale of medaug \(scale-1\); delete it and"):
        SCALES.read(tmp_path / "a.pt")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no scale .*a\.pt; train it first"):
        SCALES.read(tmp_path / "a.pt")


def test_what_goes_wrong_inside_is_one_sentence(tmp_path):
    message = r"a\.pt does not hold a whole scale: 'factor'; delete it and"
    with pytest.raises(CheckpointError, match=message), SCALES.unpacking(tmp_path / "a.pt"):
        raise KeyError("factor")
    with pytest.raises(CheckpointError, match="of two lines; delete"), SCALES.unpacking(tmp_path / "a.pt"):
        raise RuntimeError("an error\n\tof two lines")
