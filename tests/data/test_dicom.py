import logging
import os
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    RLELossless,
)

from medaug.data.dicom import read_attributes
from medaug.data.pixels import read_picture, read_pixels
from medaug.errors import DataError

STORED = np.random.default_rng(0).integers(0, 4096, (64, 80), np.uint16)
STORED[0, :2] = 0, 4095


@pytest.fixture
def saved(tmp_path):
    def save(stored=STORED, bits=12, interpretation="MONOCHROME2", compress=None, name="a.dcm", **elements):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        header.PatientName, header.PatientID = "Doe^Jane", "MRN4711"
        header.Rows, header.Columns = stored.shape[:2]
        header.SamplesPerPixel = 3 if stored.ndim == 3 else 1
        if stored.ndim == 3:
            header.PlanarConfiguration = 0
        header.BitsAllocated, header.BitsStored, header.HighBit = stored.dtype.itemsize * 8, bits, bits - 1
        header.PixelRepresentation = int(stored.dtype.kind == "i")
        header.PhotometricInterpretation = interpretation
        header.PixelData = stored.tobytes()
        for element, value in elements.items():
            setattr(header, element, value)
        if compress is not None:
            header.compress(compress)
        header.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return save


def lut(first, values, bits=16):
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.add_new("LUTData", "US", [int(v) for v in values])
    item.ModalityLUTType = "US"
    return Sequence([item])


def shown(path):
    return read_pixels(path, 1)[..., 0]


def reason_of(path):
    try:
        shown(path)
    except DataError as error:
        return str(error)
    return ""


def by_pydicom(path, low, high):
    """What pydicom makes of it, scaled over the output range that pydicom uses."""
    header = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(header.pixel_array, header), header).astype(float)
    return np.rint((values - low) / (high - low) * 255)


def test_eight_bits_stay(saved):
    stored = (STORED // 16).astype(np.uint8)
    np.testing.assert_array_equal(shown(saved(stored, 8)), stored)


def test_without_a_window_the_full_range_is_shown(saved):
    stored = STORED // 2 + 100
    expected = np.rint((stored - 100) / 2047 * 255)
    np.testing.assert_array_equal(shown(saved(stored)), expected)


def test_padding_does_not_count_for_the_range(saved):
    stored = (STORED // 4).astype(np.int16)
    stored[:3] = -2000
    path = saved(stored, 16, PixelPaddingValue=-2000)
    inner = stored[3:].astype(float)
    expected = np.rint((inner - inner.min()) / (inner.max() - inner.min()) * 255)
    np.testing.assert_array_equal(shown(path)[3:], expected)
    assert not shown(path)[:3].any()


def test_monochrome1_is_inverted(saved):
    light_is_high = shown(saved(WindowCenter=2000, WindowWidth=1000))
    inverted = shown(saved(interpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=1000))
    np.testing.assert_array_equal(inverted, 255 - light_is_high)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(2000, 1000), (100.5, 300), (3000, 20)])
def test_windows_are_pydicoms(saved, function, center, width):
    path = saved(WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    np.testing.assert_allclose(shown(path), by_pydicom(path, 0, 4095), atol=1)


def test_the_first_of_several_windows_counts(saved):
    several = shown(saved(WindowCenter=[2000, 50], WindowWidth=[1000, 10]))
    np.testing.assert_array_equal(several, shown(saved(WindowCenter=2000, WindowWidth=1000)))


@pytest.mark.parametrize(
    "window", [{"WindowCenter": 5}, {"WindowCenter": 5, "WindowWidth": 0}, {"WindowCenter": ""}]
)
def test_half_a_window_is_none(saved, window):
    np.testing.assert_array_equal(shown(saved(**window)), shown(saved()))


def test_rescale_comes_before_the_window(saved):
    path = saved(RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=2001)
    values = STORED * 2.0 - 1000
    expected = np.rint(np.clip((values - 2999.5) / 2000 + 0.5, 0, 1) * 255)
    np.testing.assert_array_equal(shown(path), expected)


def test_a_modality_lut_is_applied(saved):
    table = (np.arange(4096)[::-1] * 3).astype(np.uint16)
    values = table[STORED].astype(float)
    expected = np.rint((values - values.min()) / (values.max() - values.min()) * 255)
    np.testing.assert_array_equal(shown(saved(ModalityLUTSequence=lut(0, table))), expected)


def test_a_voi_lut_is_preferred_to_a_window(saved):
    table = np.sqrt(np.arange(4096) / 4095) * 65535
    path = saved(VOILUTSequence=lut(0, table), WindowCenter=1, WindowWidth=2)
    np.testing.assert_allclose(shown(path), np.sqrt(STORED / 4095) * 255, atol=1)


def test_a_voi_lut_that_claims_too_many_bits_is_not_black(saved):
    path = saved(VOILUTSequence=lut(0, np.arange(4096), bits=16))
    np.testing.assert_allclose(shown(path), STORED / 4095 * 255, atol=0.51)


def test_empty_sequences_are_none(saved):
    path = saved(ModalityLUTSequence=Sequence(), VOILUTSequence=Sequence())
    np.testing.assert_array_equal(shown(path), shown(saved(name="b.dcm")))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_pixels_are_the_same(saved, syntax):
    plain = shown(saved(WindowCenter=2000, WindowWidth=3000))
    path = saved(compress=syntax, name="b.dcm", WindowCenter=2000, WindowWidth=3000)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(shown(path), plain)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"], ids=["JPEG", "JPEG-LS"]
)
def test_gdcm_syntaxes_are_read(saved, tmp_path, syntax):
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(saved()))
    assert reader.Read()
    kinds = {"1.2.840.10008.1.2.4.70": gdcm.TransferSyntax.JPEGLosslessProcess14_1}
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(kinds.get(syntax, gdcm.TransferSyntax.JPEGLSLossless)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "b.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(tmp_path / "b.dcm").file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(shown(tmp_path / "b.dcm"), shown(tmp_path / "a.dcm"))


def test_colour_is_kept(saved):
    colour = np.random.default_rng(1).integers(0, 256, (64, 80, 3), np.uint8)
    np.testing.assert_array_equal(read_pixels(saved(colour, 8, "RGB"), 3), colour)


def test_no_preamble_is_needed(saved, tmp_path):
    header = pydicom.dcmread(saved())
    del header.file_meta
    header.preamble = None
    plain = tmp_path / "old.dcm"
    header.save_as(plain, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert plain.read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(shown(plain), shown(saved()))


def test_what_is_no_picture_has_a_reason(saved):
    with pytest.raises(DataError, match="3 frames"):
        read_pixels(saved(np.tile(STORED, (3, 1)), Rows=64, NumberOfFrames=3), 1)
    path = saved()
    header = pydicom.dcmread(path)
    del header.PixelData
    header.save_as(path)
    with pytest.raises(DataError, match="without pixels"):
        read_pixels(path, 1)


def test_truncated_files_have_a_reason_and_odd_values_do_not_matter(saved, caplog, capfd):
    path = saved(WindowCenter=2000, WindowWidth=1000)
    expected = shown(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"2000", b"2,00").replace(b"MRN4711", b"MRN\xff\x00\x1b1"))
    with caplog.at_level(logging.DEBUG):
        assert "2,00" not in reason_of(path)
    path.write_bytes(content.replace(b"MRN4711", b"MRN\xff\x00\x1b1"))
    np.testing.assert_array_equal(shown(path), expected)
    path.write_bytes(content[:-200])
    with pytest.raises(DataError, match="truncated or damaged DICOM file"):
        shown(path)
    assert "MRN" not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("place", [200, 300, 400, 500, 600, 700])
def test_nothing_of_the_header_is_in_a_reason(saved, place):
    path = saved(compress=JPEG2000Lossless)
    content = path.read_bytes()
    path.write_bytes(content[:place] + b"\xff\xfe\x00" + content[place + 3 :])
    assert "Doe" not in reason_of(path)
    assert "4711" not in reason_of(path)


def test_sex_and_age_are_read_without_a_preamble_too(saved, tmp_path):
    header = pydicom.dcmread(saved(PatientSex="F", PatientAge="045Y"))
    del header.file_meta
    for number, implicit in enumerate((True, False)):
        path = tmp_path / f"{number}"
        header.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        assert read_attributes(path, ["PatientSex", "PatientAge"]) == ["F", "045Y"]
    assert read_attributes(saved(), ["PatientSex", "PatientAge"]) == ["", ""]
    (tmp_path / "page").write_bytes(b"<html>")
    for nothing in (tmp_path / "page", tmp_path / "nowhere", tmp_path):
        assert read_attributes(nothing, ["PatientSex"]) == [""]


def test_a_palette_of_a_big_endian_file_is_that_of_its_little_endian_twin(saved, tmp_path):
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    entries = np.random.default_rng(2).integers(0, 65536, (3, 256))
    palette = {}
    for colour, table in zip(("Red", "Green", "Blue"), entries, strict=True):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{colour}PaletteColorLookupTableData"] = table.astype(">u2").tobytes()
    header = pydicom.dcmread(saved(index, 8, "PALETTE COLOR", **palette))
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    path = tmp_path / "big.dcm"
    pydicom.dcmwrite(path, header, implicit_vr=False, little_endian=False, enforce_file_format=False)
    np.testing.assert_array_equal(read_pixels(path, 3), np.moveaxis(entries[:, index] >> 8, 0, -1))


def test_jpeg_of_12_bits_is_read(saved):
    smooth = np.add.outer(np.arange(64) * 30, np.arange(80) * 20).astype(np.uint16)
    header = pydicom.dcmread(saved(smooth))
    frame = imagecodecs.jpeg8_encode(smooth, level=99, bitspersample=12)
    header.PixelData = pydicom.encaps.encapsulate([frame])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = JPEGExtended12Bit
    path = saved()
    header.save_as(path)
    np.testing.assert_allclose(shown(path), np.rint(smooth / smooth.max() * 255), atol=2)
    header.PixelData = pydicom.encaps.encapsulate([frame[: len(frame) // 2]])
    header.save_as(path)
    with pytest.raises(DataError, match="truncated or damaged"):
        shown(path)


def test_nothing_is_said_of_an_ordinary_file_and_all_of_an_odd_one(saved):
    assert read_picture(saved(WindowCenter=5, WindowWidth=9), 1).remarks == ()
    odd = saved(
        BurnedInAnnotation="YES",
        RescaleSlope=1,
        WindowCenter=5,
        WindowWidth=0,
        VOILUTFunction="GAMMA",
        HighBit=5,
    )
    said = read_picture(odd, 1).remarks
    assert [remark.split()[0] for remark in said] == [
        *("BurnedInAnnotation", "a", "VOILUTFunction", "RescaleSlope", "HighBit")
    ]
    assert not any(word in "".join(said) for word in ("GAMMA", "Doe", "4711"))


def test_a_real_radiograph_is_dark_where_air_is():
    folder = os.environ.get("MEDAUG_REAL_DATA")
    if not folder:
        pytest.skip("MEDAUG_REAL_DATA is not set")
    image = shown(Path(folder) / "dicom" / "RG1_J2KI.dcm")
    header = pydicom.dcmread(Path(folder) / "dicom" / "RG1_J2KI.dcm")
    assert image.shape == (header.Rows, header.Columns) == (1955, 1841)
    values = apply_voi_lut(header.pixel_array, header).astype(float)
    np.testing.assert_allclose(image, 255 - values / 32767 * 255, atol=1)
    lung, heart = image[700:800, 480:560].mean(), image[1250:1350, 900:1000].mean()
    assert lung < heart - 30
