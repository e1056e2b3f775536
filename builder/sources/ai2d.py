"""AI2D: multiple-choice questions about diagrams of primary school science."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="AI2D",
    task=Task.TQA,
    context="scientific figure",
    license="unclear: stated both as CC BY-SA and as research only without redistribution",
    rehost="unclear",
    homepage="https://prior.allenai.org/projects/diagram-understanding",
    citation="Kembhavi et al., A Diagram Is Worth a Dozen Images, ECCV 2016, arXiv:1603.07396",
    obtain="Unpack https://ai2-public-datasets.s3.amazonaws.com/diagrams/ai2d-all.zip, which "
    "becomes `AI2D/ai2d/`, and put "
    "https://s3-us-east-2.amazonaws.com/prior-datasets/ai2d_test_ids.csv into `AI2D/`.",
    files=(
        "ai2d_test_ids.csv",
        "ai2d/questions/*.png.json",
        "ai2d/annotations/*.png.json",
        "ai2d/images/*.png",
    ),
)
