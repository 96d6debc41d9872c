"""DICOM files: the one picture of a file as a viewer would show it, and single attributes."""

from medaug.data.dicom.file import has_preamble, is_dicom, read_attributes, read_dicom

__all__ = ["has_preamble", "is_dicom", "read_attributes", "read_dicom"]
