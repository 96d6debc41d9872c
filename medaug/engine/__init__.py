"""The engine room of medaug."""
