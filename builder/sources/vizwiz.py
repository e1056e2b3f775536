"""VizWiz: questions that blind people asked about their own photos."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="VizWiz",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0",
    rehost="unclear",
    homepage="https://vizwiz.org",
    citation="Gurari et al., VizWiz Grand Challenge: Answering Visual Questions from Blind People, "
    "CVPR 2018, arXiv:1802.08218",
    obtain="Download the annotations and the training images; they become `VizWiz/Annotations/` "
    "and `VizWiz/train/`.",
    files=("Annotations/train.json", "train/*.jpg"),
)
