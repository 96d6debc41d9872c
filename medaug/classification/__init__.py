"""The classification room of medaug."""
