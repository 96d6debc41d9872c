"""Whole slides to patches: annotations, tissue, the choice of patches, and their pixels."""
