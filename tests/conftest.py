"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("medaug", deadline=None)  # no test depends on the clock
settings.load_profile("medaug")
