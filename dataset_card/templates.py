"""The documents' templates, rendered and written."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..builder.schema import printable


def write_document(template: str, out: Path, **values: object) -> None:
    """Render a template of this folder into `out`; in HTML every value is escaped."""
    environment = Environment(
        loader=PackageLoader(__package__ or "dataset_card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=".html." in template,
    )
    text = environment.get_template(template).render(**values)
    out.write_text(printable(text), encoding="utf-8", newline="\n")
