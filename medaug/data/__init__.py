"""The data room of medaug."""
