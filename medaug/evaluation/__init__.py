"""The evaluation room of medaug."""
