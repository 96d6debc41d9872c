"""Diagnostic classifiers: built, trained on real and synthetic images, saved, applied (Sections 3.2 and E.2).

Start with `networks` (an image to logits); `mixture` says which image comes when, `losses` and `weights` what
it counts, `validation` which epoch is kept. `classifier` is the file of a trained one, `predict` the one way
from there to scores, in a validation, in the table of predictions and in ``inference.json``.

May import data, engine, transforms and what lies below; not diffusion beside it, nor evaluation above.
"""
