"""Synthetic images as files for others, each of which says that it is synthetic."""

from medaug.export.exporting import FORMATS, export_images

__all__ = ["FORMATS", "export_images"]
