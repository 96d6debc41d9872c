from __future__ import annotations

import json
import shutil
import subprocess

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from medaug.data.pixels import read_picture
from medaug.data.readers import read_source
from medaug.data.stamp import read_stamp, says_synthetic
from medaug.errors import DataError, SettingsError
from medaug.export import FORMATS, export_images
from medaug.phantoms.mark import is_phantom

CONDITIONS = [
    {"label:edema": 0.0, "label:effusion": 0.25, "attr:sex": "F", "attr:age": 25.0},
    {"domain": "Käte's ward", "label:edema": 1.0, "label:effusion": 0.0, "attr:sex": "M", "attr:age": 70.0},
    {"label:edema": 1.0, "label:effusion": 1.0},
    {"label:effusion": 1.0, "attr:sex": "F", "attr:age": 70.0},
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", FORMATS)
def test_pixels_and_stamp_come_back(make_store, tmp_path, form, channels):
    store = make_store(channels=channels)
    files = export_images(store.path, tmp_path / "shared", form)
    for row, file in enumerate(files):
        np.testing.assert_array_equal(read_picture(file, channels).pixels, store.images()[row])
        stamp = read_stamp(file)
        assert (stamp.image, stamp.number) == (f"synthetic-{row:07d}", row + 1)
        assert (stamp.generator, stamp.seed) == ("medaug 9.9 diffusion 0123abcd", 7)
        assert stamp.condition == CONDITIONS[row]
        assert not stamp.phantom


@pytest.mark.parametrize("form", FORMATS)
def test_the_sidecar_says_what_the_files_say(make_store, tmp_path, form):
    files = export_images(make_store(phantom=True).path, tmp_path / "shared", form)
    lines = [json.loads(line) for line in (tmp_path / "shared" / "images.jsonl").read_text().splitlines()]
    assert [line.pop("file") for line in lines] == [file.name for file in files]
    assert lines == [json.loads(read_stamp(file).text) for file in files]
    assert all(line["phantom"] for line in lines)
    assert is_phantom(tmp_path / "shared")


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_knows_the_files_under_any_name(make_store, tmp_path, form):
    files = export_images(make_store().path, tmp_path / "shared", form)
    renamed = tmp_path / "our patients"
    renamed.mkdir()
    for number, file in enumerate(files):
        file.rename(renamed / f"scan{number}")
    Image.new("L", (4, 4)).save(renamed / "real.png")
    table = read_source("folder", renamed, make_store("other").task)
    assert table["synthetic"].tolist() == [False, True, True, True, True]


def test_viewers_show_what_a_png_is(make_store, tmp_path):
    file = export_images(make_store().path, tmp_path / "shared", "png")[0]
    assert Image.open(file).text["Description"].startswith("Synthetic image, drawn by medaug 9.9 ")


def test_a_dicom_file_is_a_secondary_capture_of_nobody(make_store, tmp_path):
    store = make_store()
    files = [pydicom.dcmread(file) for file in export_images(store.path, tmp_path / "shared", "dicom")]
    for number, file in enumerate(files, 1):
        assert file[0x0008001C].value == "YES"
        assert file.ImageType[0] == "DERIVED"
        assert file.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
        assert "seed 7" in file.DerivationDescription
        assert file.InstanceNumber == number
        assert not any((file.PatientName, file.PatientID, file.PatientBirthDate, file.PatientSex))
        assert not any(element.value for element in file if element.VR in ("DA", "TM", "DT"))
    assert len({file.SOPInstanceUID for file in files}) == len(files)
    assert len({(file.StudyInstanceUID, file.SeriesInstanceUID) for file in files}) == 1


def test_an_export_repeated_is_the_same(make_store, tmp_path):
    store = make_store()
    once, again = (export_images(store.path, tmp_path / name, "dicom") for name in ("once", "again"))
    assert [file.read_bytes() for file in once] == [file.read_bytes() for file in again]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy of dicom3tools")
@pytest.mark.parametrize("channels", [1, 3])
def test_dciodvfy_finds_no_error(make_store, tmp_path, channels):
    for file in export_images(make_store(channels=channels).path, tmp_path / "shared", "dicom"):
        done = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=True)
        said = (done.stdout + done.stderr).splitlines()
        assert "SCImage" in said
        # Versions before 2023 do not know Synthetic Data (0008,001C).
        assert [line for line in said if "Error" in line and "(0x0008,0x001c)" not in line] == []


def test_a_nifti_file_says_so_in_its_header(make_store, tmp_path):
    file = export_images(make_store().path, tmp_path / "shared", "nifti")[0]
    (extension,) = nibabel.load(file).header.extensions
    assert extension.get_code() == 6
    assert json.loads(extension.get_content())["synthetic"] is True


def test_images_may_be_chosen_evenly(make_store, tmp_path):
    files = export_images(make_store().path, tmp_path / "shared", "png", first=2)
    assert [read_stamp(file).number for file in files] == [1, 4]


def test_only_synthetic_stores_are_exported(make_store, tmp_path):
    with pytest.raises(DataError, match="4 of 4 images are real"):
        export_images(make_store(synthetic=False).path, tmp_path / "shared")
    with pytest.raises(SettingsError, match="no format 'gif'"):
        export_images(make_store("other").path, tmp_path / "shared", "gif")
    assert not (tmp_path / "shared").exists()


def test_a_folder_that_is_there_stays(make_store, tmp_path):
    (tmp_path / "shared").mkdir()
    with pytest.raises(DataError, match="there already"):
        export_images(make_store().path, tmp_path / "shared")


def test_other_programs_may_mark_their_dicom_files(make_store, tmp_path):
    path = export_images(make_store().path, tmp_path / "shared", "dicom")[0]
    file = pydicom.dcmread(path)
    del file.ImageComments
    file.save_as(tmp_path / "other")
    assert says_synthetic(tmp_path / "other")
    assert read_stamp(tmp_path / "other") is None
    file.SyntheticData = "NO"
    file.save_as(tmp_path / "real")
    assert not says_synthetic(tmp_path / "real")
