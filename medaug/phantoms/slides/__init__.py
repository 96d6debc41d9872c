"""Phantom slides of lymph nodes of five hospitals, in the form of CAMELYON17."""
