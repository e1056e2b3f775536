"""GEOS: SAT-style geometry problems with a diagram."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="GEOS",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated for the data",
    rehost="no",
    homepage="https://github.com/seominjoon/geosolver",
    citation="Seo et al., Solving Geometry Problems: Combining Text and Diagram Interpretation, "
    "EMNLP 2015",
    obtain="Unpack `assets/data/aaai.zip` of the repository's branch gh-pages; it becomes "
    "`GEOS/aaai/`.",
    files=("aaai/*.json", "aaai/*.png"),
)
