"""Super-CLEVR: questions about drawn scenes of vehicles."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="Super-CLEVR",
    task=Task.VQA,
    context="synthetic scene",
    license="CC BY 4.0",
    rehost="yes",
    homepage="https://github.com/Lizw14/Super-CLEVR",
    citation="Li et al., Super-CLEVR: A Virtual Benchmark to Diagnose Domain Robustness in Visual "
    "Reasoning, CVPR 2023, arXiv:2212.00259",
    obtain="Download `superCLEVR_questions_30k.json` and `images.zip` from "
    "https://huggingface.co/datasets/RyanWW/Super-CLEVR into `Super-CLEVR/` and unpack the images "
    "to `Super-CLEVR/images/`.",
    files=("superCLEVR_questions_30k.json", "images/superCLEVR_new_*.png"),
)
