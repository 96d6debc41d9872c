"""Write synthetic images as files that say so; the same as ``python -m medaug.export``."""

from medaug.export.__main__ import main

if __name__ == "__main__":
    main()
