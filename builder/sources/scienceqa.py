"""ScienceQA: multiple-choice questions of school science, some with an image."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="ScienceQA",
    task=Task.TQA,
    context=None,
    license="CC BY-NC-SA 4.0",
    rehost="yes",
    homepage="https://github.com/lupantech/ScienceQA",
    citation="Lu et al., Learn to Explain: Multimodal Reasoning via Thought Chains for Science "
    "Question Answering, NeurIPS 2022, arXiv:2209.09513",
    obtain="Take the folder `data/scienceqa` of the repository, which becomes "
    "`ScienceQA/data/scienceqa/`, and unpack "
    "https://scienceqa.s3.us-west-1.amazonaws.com/images/train.zip into its folder `images`.",
    files=("data/scienceqa/problems.json", "data/scienceqa/images/train/*/image.png"),
)
