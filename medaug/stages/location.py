"""Where a bundle lies, which MONAI does not tell its configs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai.bundle.workflows import ConfigWorkflow


def bundle_root(name: str) -> str:
    """Return the folder of the bundle whose config is being resolved.

    Parameters
    ----------
    name : str
        Name of the bundle. A config that no workflow has read (a bare ``ConfigParser``) is looked for in
        ``bundles/<name>``, where there is such a folder, else in the current one.

    Notes
    -----
    A workflow knows where its config lies, but hands it to no expression; it is found among the callers.
    """
    workflow = calling_workflow()
    if workflow is None:
        usual = Path("bundles", name)
        return str(usual) if (usual / "metadata.json").is_file() else "."
    folder: Path = workflow.config_root_path
    return str(folder.parent if folder.name == "configs" else folder)


def config_path(bundle: Path | str, name: str) -> Path:
    """Return where a config of a bundle lies: in its folder, or, where it was given away, in ``configs``."""
    own = Path(bundle, f"{name}.json")
    return own if own.is_file() else Path(bundle, "configs", f"{name}.json")


def calling_workflow() -> ConfigWorkflow | None:
    """Return the innermost workflow among the callers, if there is one."""
    from monai.bundle.workflows import ConfigWorkflow  # takes seconds, also where only a path is asked for

    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, ConfigWorkflow):
            return owner
        frame = frame.f_back
    return None
