"""Bundles that are given away and taken: packing a run, its model card, and looking before trusting.

`packing` makes one zip by the MONAI Bundle specification of a bundle and a finished run; `inspection` says
what is in such a file without running any of it.
"""
