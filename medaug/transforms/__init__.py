"""The transforms room of medaug."""
