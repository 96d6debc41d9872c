"""Says what is in a bundle that somebody gave away, without running any of it, and whether to trust it.

    python scripts/inspect_bundle.py chexpert.zip

The same as ``python -m medaug.sharing inspect``; ends with 0 if nothing speaks against it, else with 1.
"""

import sys

from medaug.sharing.__main__ import main

if __name__ == "__main__":
    main(["inspect", *sys.argv[1:]])
