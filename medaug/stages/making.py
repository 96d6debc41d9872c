"""A product is made by one run at a time: whoever needs it meanwhile waits, finds it made, and goes on.

So several runs may share a run folder, a store or a generator, and the same command may be started twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from medaug.engine.distributed import barrier, is_first, of_first
from medaug.locks import alone
from medaug.stages.products import check_begun, claim, is_current, is_made


@contextmanager
def making(
    product: Path | str,
    settings: Mapping[str, Any],
    *,
    fresh: bool = False,
    defaults: Mapping[str, Any] | None = None,
    computed: Mapping[str, Any] | None = None,
    within: Path | None = None,
) -> Iterator[bool]:
    """Tell whether a product is still to be made; if so it is claimed, and nobody else makes it meanwhile.

    What is there already takes no lock, so that it may lie where nobody may write.

    Parameters
    ----------
    product : Path
        File or folder that a stage makes.
    settings, fresh, defaults, computed
        See `medaug.stages.products.claim`.
    within : Path, optional
        The store in whose folder the product lies: nobody makes that anew meanwhile either.

    Yields
    ------
    bool
        False where the product is there with these settings, perhaps since another run has just made it.

    Raises
    ------
    SettingsError
        The product was made with other settings, or another run is about to; it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> model = Path(tempfile.mkdtemp()) / "model.pt"
    >>> for _ in range(2):
    ...     with making(model, {"seed": 0}) as missing:
    ...         if missing:
    ...             _ = model.write_text("weights")
    ...     print(missing)
    True
    False
    """
    known = settings, fresh, defaults or {}
    if is_current(product, *known):
        yield False
        return
    with working_on(within or product, lambda: check_begun(product, *known)):
        claim(product, *known, computed)
        yield of_first(not is_made(product))


@contextmanager
def working_on(product: Path | str, before_waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Keep other runs from working on a product; of several processes the first one locks for all.

    Parameters
    ----------
    product, before_waiting
        See `medaug.locks.alone`.
    """
    with alone(Path(product), before_waiting) if is_first() else nullcontext():
        barrier()  # the first process may have to wait, and the others wait for it
        yield
