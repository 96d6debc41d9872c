from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medaug.data.stamp import Stamp, read_stamp, says_synthetic

STAMP = Stamp("3f9a", 1, "synthetic-0000000", "medaug", 0, {"label:edema": 1.0})


def test_a_compressed_nifti_file_says_so_too(tmp_path):
    volume = nibabel.Nifti2Image(np.zeros((4, 4, 1), np.uint8), affine=None)
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"a comment"))
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, STAMP.text.encode()))
    path = tmp_path / "image.nii.gz"
    volume.to_filename(path)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert read_stamp(path) == STAMP


@pytest.mark.parametrize(("code", "content"), [(6, b"caf\xe9"), (40, bytes(range(200, 256)))])
def test_what_other_programs_add_to_a_nifti_file_does_not_hide_the_stamp(tmp_path, code, content):
    volume = nibabel.Nifti1Image(np.zeros((4, 4, 1), np.uint8), affine=None)
    for extension in ((code, content), (6, STAMP.text.encode())):
        volume.header.extensions.append(nibabel.nifti1.Nifti1Extension(*extension))
    volume.to_filename(tmp_path / "image.nii")
    assert read_stamp(tmp_path / "image.nii") == STAMP


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\xff\xff", b"\x1f\x8bno gzip", bytes(2000)])
def test_damaged_files_say_nothing(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not says_synthetic(path)
    assert not says_synthetic(tmp_path / "absent")


def test_real_pictures_say_nothing(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "b.jpg")
    with gzip.open(tmp_path / "c.gz", "wb") as file:
        file.write(b"text")
    assert not any(says_synthetic(path) for path in tmp_path.iterdir())


@given(st.text())
def test_other_text_is_no_stamp(text):
    assert Stamp.parse(text) is None
