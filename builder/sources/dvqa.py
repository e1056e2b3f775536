"""DVQA: questions about drawn bar charts with random words as labels."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="DVQA",
    task=Task.FQA,
    context="bar chart",
    license="CC BY-NC 4.0",
    rehost="yes",
    homepage="https://github.com/kushalkafle/DVQA_dataset",
    citation="Kafle et al., DVQA: Understanding Data Visualizations via Question Answering, CVPR "
    "2018, arXiv:1801.08163",
    obtain="Download the images and the question-answer pairs that the repository links to; "
    "`train_qa.json` and the folder `images` go into `DVQA/`.",
    files=("train_qa.json", "images/bar_train_*.png"),
)
