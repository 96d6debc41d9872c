"""Filling the templates of this package."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **fields: Any) -> str:
    """Return a template as text; everything is escaped for HTML except `markupsafe.Markup`."""
    environment = Environment(
        loader=PackageLoader("medaug.study"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(fields)
