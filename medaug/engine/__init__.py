"""What every training shares, around MONAI's trainers: several processes, resuming, handlers, TensorBoard.

Start with `handlers.training_handlers`, the order in which a trainer needs them, then `resume` (going on
after a kill, bit for bit). `distributed` tells the rooms above how many processes there are, and which one
this is.

Imports only the small modules below (errors, checkpoints, parallel, progress, randomness); knows neither
stores nor models.
"""
