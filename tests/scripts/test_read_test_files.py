import importlib.util

import pytest

import read_test_files


def test_files_of_the_wheel_are_read_as_pydicom_reads_them_or_refused():
    """A few of them: the script reads all."""
    paths = {path.name: path for path in read_test_files.test_files()}
    wanted = {
        "CT_small.dcm": "same",
        "MR_small_bigendian.dcm": "same",
        "examples_palette.dcm": "same",
        "SC_rgb_small_odd_jpeg.dcm": "same",
        "liver_1frame.dcm": "same",
        "ExplVR_BigEnd.dcm": "same",
        "JPEG-lossy.dcm": "alone",
        "MR_truncated.dcm": "refused",
        "rtplan.dcm": "refused",
    }
    found = {name: read_test_files.read(paths[name]) for name in wanted}
    assert {name: reading.outcome for name, reading in found.items()} == wanted
    assert "PixelData holds 8,130 bytes" in found["MR_truncated.dcm"].words


@pytest.mark.skipif(importlib.util.find_spec("data_store") is None, reason="needs pydicom-data")
@pytest.mark.parametrize("name", ["MR2_UNCR.dcm", "mlut_18.dcm", "vlut_04.dcm", "OBXXXX1A_expb.dcm"])
def test_files_of_the_package_are_read_as_pydicom_reads_them(name):
    paths = {path.name: path for path in read_test_files.test_files()}
    assert read_test_files.read(paths[name]).outcome == "same"
