"""Tables spoiled in the ways that people and programs spoil them, for every reader and for predictions."""
