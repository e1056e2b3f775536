"""PlotQA: questions about plots drawn from real data."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="PlotQA",
    task=Task.FQA,
    context=None,
    license="CC BY 4.0",
    rehost="yes",
    homepage="https://github.com/NiteshMethani/PlotQA",
    citation="Methani et al., PlotQA: Reasoning over Scientific Plots, WACV 2020, arXiv:1909.00997",
    obtain="Download the train split that the repository links to; `qa_pairs_V2.json` and the "
    "folder `png` of its archive go into `PlotQA/train/`.",
    files=("train/qa_pairs_V2.json", "train/png/*.png"),
)
