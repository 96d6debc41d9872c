"""A synthetic image as a DICOM file: a Secondary Capture without a patient (PS3.3, A.8.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.uid import generate_uid

from medaug.arrays import UInt8Array
from medaug.data.stamp import Stamp
from medaug.errors import SettingsError

_LONGEST_DERIVATION = 1024
_OF_TODAY = (
    *("InstanceCreationDate", "InstanceCreationTime", "ContentDate", "ContentTime"),
    *("DateOfSecondaryCapture", "TimeOfSecondaryCapture"),
)
"""Attributes that would make two exports of one image differ."""


def write_dicom(path: Path, image: UInt8Array, stamp: Stamp) -> None:
    """Write uint8 (H, W, 1 or 3) as a Secondary Capture, losslessly.

    Parameters
    ----------
    path : Path
        The file.
    image : ndarray
        Grey or RGB.
    stamp : Stamp
        Goes to Derivation Description in words and to Image Comments as it is. The images of a store are one
        series, and an image has the same UIDs whenever it is written; they are no UIDs of real images.

    Raises
    ------
    SettingsError
        The package highdicom is not installed.
    """
    capture = _secondary_capture()(
        pixel_array=image[..., 0] if image.shape[2] == 1 else image,
        photometric_interpretation="MONOCHROME2" if image.shape[2] == 1 else "RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=_uid(stamp.store, "study"),
        series_instance_uid=_uid(stamp.store, "series"),
        series_number=1,
        sop_instance_uid=_uid(stamp.store, stamp.image),
        instance_number=stamp.number,
        manufacturer="medaug",
        manufacturer_model_name="synthetic image",
        software_versions=stamp.generator[:64],
        series_description="Synthetic images, no patient",
    )
    _say_synthetic(capture, stamp)
    capture.save_as(path, enforce_file_format=True)


def _say_synthetic(capture: Any, stamp: Stamp) -> None:
    capture.SyntheticData = "YES"
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.ConversionType = "SYN"
    capture.DerivationDescription = stamp.sentence[:_LONGEST_DERIVATION]
    capture.ImageComments = stamp.text
    capture.BurnedInAnnotation = "NO"
    capture.PatientOrientation = capture.Laterality = None  # nothing was asked of them
    for keyword in _OF_TODAY:
        delattr(capture, keyword)
    for equipment in capture.ContributingEquipmentSequence:
        del equipment.ContributionDateTime


def _secondary_capture() -> Any:
    try:
        from highdicom.sc import SCImage
    except ImportError:
        raise SettingsError(
            "DICOM files are written with the package highdicom: python -m pip install 'medaug[export]'"
        ) from None
    return SCImage


def _uid(*names: str) -> str:
    return str(generate_uid(entropy_srcs=["medaug", *names]))
