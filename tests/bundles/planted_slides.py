"""Tiny slides whose headers, names, labels, annotations and table say whose they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from planted import BORN, HOST, NAME, NUMBER, PLACE
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage, generate_uid

SIDE, TILE, MPP = 128, 64, 0.5
COLUMNS = {"path": "scan", "patient_id": "MRN", "domain": "laboratory"}
SLIDES = 7
"""Of the first laboratory; half of them have an outlined tumour, the others are free of it."""
ELSEWHERE = 2

Pixels = np.ndarray


def write_slides(folder: Path) -> None:
    """Write slides, annotations and ``cases.csv``; the last slide is an error page of a download."""
    (folder / PLACE).mkdir(parents=True)
    lines = ["scan,MRN,born,name,laboratory,tumour_free"]
    for number in range(SLIDES + ELSEWHERE):
        write = write_dicom if number % 4 == 3 else write_aperio
        path = write(folder / PLACE / f"{NAME}_{NUMBER}{number}", stained(number))
        if number % 2 == 0:
            path.with_suffix(".xml").write_text(outline())
        laboratory = "north" if number < SLIDES else "south"
        lines.append(_row(path.relative_to(folder), number, laboratory))
    broken = folder / PLACE / f"{NAME}_broken.svs"
    broken.write_text(f"<html>{NAME}</html>")
    lines.append(_row(broken.relative_to(folder), 99, "north"))
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")


def _row(scan: Path, number: int, laboratory: str) -> str:
    return f"{scan},{NUMBER}{number},{BORN},{NAME},{laboratory},{'no' if number % 2 == 0 else 'yes'}"


def stained(seed: int) -> Pixels:
    """Nothing but tissue."""
    colours = np.random.default_rng(seed).normal((200, 90, 160), 12, (SIDE, SIDE, 3))
    return np.clip(colours, 0, 255).astype(np.uint8)


def outline() -> str:
    """Return an annotation of the upper left quarter."""
    corners = enumerate([(0, 0), (SIDE // 2, 0), (SIDE // 2, SIDE // 2), (0, SIDE // 2)])
    points = "".join(f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in corners)
    return (
        f"<ASAP_Annotations><!-- {NAME} {BORN} --><Annotations>"
        f'<Annotation Name="{NAME}" Type="Polygon" PartOfGroup="tumor"><Coordinates>{points}</Coordinates>'
        f'</Annotation></Annotations><AnnotationGroups><Group Name="{NAME}"/></AnnotationGroups>'
        "</ASAP_Annotations>"
    )


def write_aperio(path: Path, pixels: Pixels) -> Path:
    """Write a slide as Aperio's scanners do, with a label, in a coding that no program knows."""
    said = f"Filename = {NAME}|User = {NUMBER}|Date = {BORN}|ScanScope ID = {HOST}|Title = {PLACE}"
    header = f"Aperio Image Library v1\n{SIDE}x{SIDE}|AppMag = 20|MPP = {MPP}|{said}|Ward = ".encode()
    path = path.with_suffix(".svs")
    with tifffile.TiffWriter(path) as file:
        how = {"photometric": "rgb", "compression": "jpeg", "metadata": None, "software": False}
        texts = [(315, "s", 0, f"{NAME} {BORN}", True), (316, "s", 0, HOST, True)]
        file.write(
            pixels,
            tile=(TILE, TILE),
            description=header + b"\x81",
            datetime="1951:04:17 00:00:00",
            extratags=texts,
            **how,
        )
        file.write(pixels[::4, ::4], description=header, **how)
        file.write(pixels[::2, ::2], description=b"Aperio\nlabel " + NAME.encode(), subfiletype=1, **how)
    return path


def write_dicom(path: Path, pixels: Pixels) -> Path:
    """Write a slide of one level as DICOM, with a full header."""
    path = path.with_suffix(".dcm")
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = Dataset()
    file.file_meta = meta
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID, file.SeriesInstanceUID, file.Modality = generate_uid(), generate_uid(), "SM"
    file.PatientName, file.PatientID, file.PatientBirthDate = f"{NAME}^Anna", NUMBER, BORN
    file.InstitutionName, file.StationName, file.StudyDate = PLACE, HOST, BORN
    file.ContainerIdentifier = file.BarcodeValue = NUMBER
    file.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    file.Rows = file.Columns = TILE
    file.TotalPixelMatrixRows = file.TotalPixelMatrixColumns = SIDE
    file.DimensionOrganizationType, file.TotalPixelMatrixFocalPlanes = "TILED_FULL", 1
    file.NumberOfFrames, file.NumberOfOpticalPaths = (SIDE // TILE) ** 2, 1
    file.SamplesPerPixel, file.PlanarConfiguration = 3, 0
    file.PhotometricInterpretation = "YBR_FULL_422"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [MPP / 1000, MPP / 1000]
    shared.PixelMeasuresSequence = [measures]
    file.SharedFunctionalGroupsSequence = [shared]
    file.PixelData = encapsulate([_jpeg(tile) for tile in _tiles(pixels)])
    file["PixelData"].is_undefined_length = True
    file.save_as(path, enforce_file_format=True)
    return path


def _tiles(pixels: Pixels) -> list[Pixels]:
    corners = range(0, SIDE, TILE)
    return [pixels[y : y + TILE, x : x + TILE] for y in corners for x in corners]


def _jpeg(tile: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(tile).save(buffer, "JPEG")
    return buffer.getvalue()
