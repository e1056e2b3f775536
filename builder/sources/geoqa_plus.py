"""GeoQA+: multiple-choice geometry problems of Chinese schools, with annotated programs."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="GeoQA+",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated",
    rehost="no",
    homepage="https://github.com/SCNU203/GeoQA-Plus",
    citation="Cao and Xiao, An Augmented Benchmark Dataset for Geometric Question Answering "
    "through Dual Parallel Text Encoding, COLING 2022",
    obtain="Take the folder `GeoQA+` of the repository and the data it links to; `Mix-train.pk` "
    "becomes `GeoQA+/GeoQA+/data/GeoQA2.2/train.pk`.",
    files=("GeoQA+/data/GeoQA2.2/train.pk",),
)
