"""TQA: multiple-choice questions about the diagrams of science textbooks (CK-12)."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="TQA",
    task=Task.TQA,
    context="scientific figure",
    license="CC BY-NC 3.0 (another page says CC BY-SA)",
    rehost="yes",
    homepage="https://prior.allenai.org/projects/tqa",
    citation="Kembhavi et al., Are You Smarter Than a Sixth Grader? Textbook Question Answering "
    "for Multimodal Machine Comprehension, CVPR 2017",
    obtain="Unpack https://ai2-public-datasets.s3.amazonaws.com/tqa/tqa_train_val_test.zip; it "
    "becomes `TQA/tqa_train_val_test/`.",
    files=(
        "tqa_train_val_test/train/tqa_v1_train.json",
        "tqa_train_val_test/train/question_images/*.png",
    ),
)
