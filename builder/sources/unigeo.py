"""UniGeo: the calculation problems of GeoQA in English."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="UniGeo",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated",
    rehost="no",
    homepage="https://github.com/chen-judge/UniGeo",
    citation="Chen et al., UniGeo: Unifying Geometry Logical Reasoning via Reformulating "
    "Mathematical Expression, EMNLP 2022, arXiv:2212.02746",
    obtain="Download the data that the repository links to; its folder becomes "
    "`UniGeo/datasets/UniGeo/`.",
    files=("datasets/UniGeo/calculation_train.pk",),
)
