"""IconQA: questions of the first school years about abstract diagrams."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="IconQA",
    task=Task.MWP,
    context=None,
    license="CC BY-NC-SA",
    rehost="yes",
    homepage="https://github.com/lupantech/IconQA",
    citation="Lu et al., IconQA: A New Benchmark for Abstract Diagram Understanding and Visual "
    "Language Reasoning, NeurIPS 2021 Datasets and Benchmarks, arXiv:2110.13214",
    obtain="Unpack `iconqa_data.zip`, which the repository links to; it becomes "
    "`IconQA/iconqa_data/`.",
    files=(
        "iconqa_data/iconqa/train/choose_txt/*/data.json",
        "iconqa_data/iconqa/train/fill_in_blank/*/data.json",
        "iconqa_data/iconqa/train/*/*/image.png",
    ),
)
