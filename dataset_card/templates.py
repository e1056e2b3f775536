"""The documents' templates, rendered and written."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..builder.schema import printable

_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")


def write_document(template: str, out: Path, **values: object) -> None:
    """Render a template of this folder into `out`; in HTML every value is escaped."""
    write(render(template, **values), out)


def render(template: str, **values: object) -> str:
    """What a template of this folder becomes; in HTML every value is escaped.

    In Markdown the filter `plain` escapes what was read, so that it is text and nothing else.
    """
    environment = Environment(
        loader=PackageLoader(__package__ or "dataset_card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=".html." in template,
    )
    environment.filters["plain"] = _plain
    return printable(environment.get_template(template).render(**values))


def write(text: str, out: Path) -> None:
    """Write a document, the same bytes on every machine."""
    out.write_text(text, encoding="utf-8", newline="\n")


def _plain(value: object) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
