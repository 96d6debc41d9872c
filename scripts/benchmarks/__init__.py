"""One module for each subject of ``scripts/benchmark.py``.

Each has a ``TARGET`` (what is asked of medaug), ``add_options`` and ``contests``.
"""
