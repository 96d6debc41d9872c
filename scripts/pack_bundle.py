"""Makes one zip of a bundle and the models of a finished run, to give away.

    python scripts/pack_bundle.py bundles/chexpert --run output --out chexpert.zip

The same as ``python -m medaug.sharing pack``.
"""

import sys

from medaug.sharing.__main__ import main

if __name__ == "__main__":
    main(["pack", *sys.argv[1:]])
