"""Augmentations and the degradation of Section E.1: plain functions, with their MONAI transforms.

Start with `augmentation`, which picks one by name and modality. `radiograph`, `colour` and `photograph` each
draw parameters and apply them; `recorded` makes array and dictionary transforms of such a pair, which keep
what they drew. `randaugment` wraps Kornia; `degradation` is what an upsampler is shown.

May import errors and randomness; knows neither stores nor models.
"""
