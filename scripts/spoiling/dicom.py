"""DICOM files of many kinds, with what a viewer shows of them."""

from __future__ import annotations

from spoiling import dicom_grey, dicom_refused, dicom_stored
from spoiling.images import Kind

KINDS: tuple[Kind, ...] = (*dicom_grey.KINDS, *dicom_stored.KINDS, *dicom_refused.KINDS)
