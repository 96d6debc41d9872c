"""Augmentations and the degradation of Section E.1: plain functions, with their MONAI transforms.

Start with `augmentation`, which picks one by name and modality. `radiograph`, `colour` and `photograph` each
draw parameters and apply them; `recorded` makes array and dictionary transforms of such a pair, which keep
what they drew. `randaugment` wraps Kornia; `degradation` is what an upsampler is shown.

`counted_augmentation` does the same to whole batches on a GPU: `batches` has what its parts share,
`batch_randaugment` is RandAugment with operations of its own for each image.

May import errors, randomness and the counted numbers of the engine; knows neither stores nor models.
"""
