"""What holds for all tests."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch: more threads disturb others

settings.register_profile("medaug", deadline=None)  # no test depends on the clock
settings.load_profile("medaug")
