"""A-OKVQA: questions about photos that need knowledge of the world."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="A-OKVQA",
    task=Task.VQA,
    context="natural image",
    license="Apache-2.0 (annotations); the photos have the Flickr licences of COCO",
    rehost="unclear",
    homepage="https://github.com/allenai/aokvqa",
    citation="Schwenk et al., A-OKVQA: A Benchmark for Visual Question Answering using World "
    "Knowledge, ECCV 2022, arXiv:2206.01718",
    obtain="Unpack `aokvqa_v1p0.tar.gz`, which the repository links to, into `A-OKVQA/aokvqa/`, "
    "and the train images of COCO 2017 into `A-OKVQA/coco/train2017/`.",
    files=("aokvqa/aokvqa_v1p0_train.json", "coco/train2017/*.jpg"),
)
