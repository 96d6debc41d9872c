"""A phantom radiograph as a DICOM file, in the form in which many X-ray machines store theirs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from medaug.arrays import UInt8Array
from medaug.phantoms.chest.population import Patient

BITS = 12
BLACKEST = 3500
"""Stored value of black (grey value 0): MONOCHROME1 shows large values dark."""

STEP = 12
"""Stored values from one grey value to the next; below white there is room that the window cuts off."""


def write_dicom(path: Path, pixels: UInt8Array, patient: Patient, view: str) -> None:
    """Write a MONOCHROME1 file of 12 bits in 16; its window gives back the 8-bit grey values.

    Parameters
    ----------
    path : Path
        File to write; its stem also names the instance, so the same name gives the same bytes.
    pixels : array of uint8, (rows, columns)
        Grey values, bright bone.
    patient : Patient
        Sex and age go into the header; the name is ``PHANTOM``.
    view : str
        ``"PA"`` or ``"AP"``.
    """
    uid = generate_uid(entropy_srcs=[path.stem, sha256(pixels.tobytes()).hexdigest()])
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = ComputedRadiographyImageStorage, uid
    _describe_patient(file, patient, view)
    _describe_pixels(file, BLACKEST - STEP * pixels.astype(np.uint16))
    file.save_as(path, enforce_file_format=True)


def _describe_patient(file: FileDataset, patient: Patient, view: str) -> None:
    file.PatientName, file.PatientID = "PHANTOM", "PHANTOM"
    file.PatientSex, file.PatientAge = patient.sex, f"{patient.age:03d}Y"
    file.Modality, file.ViewPosition, file.BodyPartExamined = "CR", view, "CHEST"


def _describe_pixels(file: FileDataset, stored: NDArray[np.uint16]) -> None:
    file.Rows, file.Columns = stored.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME1"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, BITS, BITS - 1, 0
    file.WindowCenter, file.WindowWidth = BLACKEST - STEP * 255 / 2 + 0.5, STEP * 255 + 1
    file.PixelData = stored.astype("<u2").tobytes()
