"""FigureQA: yes/no questions about drawn charts with named colours."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="FigureQA",
    task=Task.FQA,
    context=None,
    license="FigureQA LICENSE.pdf: non-commercial research, no redistribution",
    rehost="no",
    homepage="https://github.com/Maluuba/FigureQA",
    citation="Kahou et al., FigureQA: An Annotated Figure Dataset for Visual Reasoning, ICLR 2018 "
    "Workshop, arXiv:1710.07300",
    obtain="Download and unpack `figureqa-train1-v1.tar.gz`; it becomes `FigureQA/train1/`.",
    files=("train1/qa_pairs.json", "train1/png/*.png"),
)
