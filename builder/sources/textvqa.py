"""TextVQA: questions that need the text in a photo."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="TextVQA",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0; images CC BY 2.0",
    rehost="yes",
    homepage="https://textvqa.org",
    citation="Singh et al., Towards VQA Models That Can Read, CVPR 2019, arXiv:1904.08920",
    obtain="Download `TextVQA_0.5.1_train.json` into `TextVQA/` and unpack `train_val_images.zip` "
    "to `TextVQA/train_images/`.",
    files=("TextVQA_0.5.1_train.json", "train_images/*.jpg"),
)
