"""Conditional diffusion models: trained, and sampled by a fair plan into an image store (Section 3.1, E.1).

Start with `condition` (labels and attributes as one vector) and `unet`, then `noisy_examples`: what is learnt
from, with `geometry` (mirrors and shifts that do not leak) and `prediction` (what is learnt). `schedule`,
`guidance` and `samplers` are the way from noise to an image, each a plain function; `plan` says what images
are wanted and `generation` makes them. `diffusion_model` is the file of a trained one.

May import data, engine, transforms and what lies below; not classification beside it, nor evaluation above.
"""
