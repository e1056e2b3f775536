"""PMC-VQA: multiple-choice questions about figures of medical articles."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="PMC-VQA",
    task=Task.VQA,
    context="medical image",
    license="the licence of each article (PMC Open Access)",
    rehost="unclear",
    homepage="https://github.com/xiaoman-zhang/PMC-VQA",
    citation="Zhang et al., PMC-VQA: Visual Instruction Tuning for Medical Visual Question "
    "Answering, 2023, arXiv:2305.10415",
    obtain="Download version 2 from https://huggingface.co/datasets/xmcmic/PMC-VQA: `train_2.csv` "
    "and the folder `figures` of `images_2.zip` go into `PMC-VQA/`.",
    files=("train_2.csv", "figures/*.jpg"),
)
