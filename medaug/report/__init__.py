"""The report room of medaug."""
