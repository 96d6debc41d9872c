"""Figures and the report: one HTML file that a clinician can read on paper and on screen."""
