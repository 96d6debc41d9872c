"""The diffusion room of medaug."""
