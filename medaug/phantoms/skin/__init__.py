"""Phantom photographs of skin from three places, with their raters, in the form of SCIN."""
