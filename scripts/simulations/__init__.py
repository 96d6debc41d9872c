"""Made-up evaluations whose truth is known: how often intervals cover it, and tests are wrong."""
