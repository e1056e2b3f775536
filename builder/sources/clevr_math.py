"""CLEVR-Math: additions and subtractions of objects in CLEVR scenes."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="CLEVR-Math",
    task=Task.MWP,
    context="synthetic scene",
    license="CC BY 4.0 (Hub tag; the loading script says CC BY-SA 4.0)",
    rehost="yes",
    homepage="https://github.com/dali-does/clevr-math",
    citation="Lindström and Abraham, CLEVR-Math: A Dataset for Compositional Language, Visual and "
    "Mathematical Reasoning, NeSy 2022, arXiv:2208.05358",
    obtain="Unpack `data/clevr-math.zip` of https://huggingface.co/datasets/dali-does/clevr-math "
    "and `CLEVR_v1.0.zip` of https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip into "
    "`CLEVR-Math/`.",
    files=("clevr-math-train.json", "CLEVR_v1.0/images/train/*.png"),
)
