"""Measuring back what a phantom shows: a judge of drawn and generated images, in which nothing is learnt."""
