"""Phantom radiographs of patients of two hospitals, in the forms of CheXpert and ChestX-ray14."""
