"""The reader study (Section 3.3): a page on which experts rate images, and the scores of what they said."""
