"""DocVQA: questions about single pages of scanned documents."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="DocVQA",
    task=Task.FQA,
    context="document image",
    license="RRC terms of use, for research",
    rehost="no",
    homepage="https://www.docvqa.org",
    citation="Mathew et al., DocVQA: A Dataset for VQA on Document Images, WACV 2021, "
    "arXiv:2007.00398",
    obtain="Register at the Robust Reading Competition (task 17, single page) and download the "
    "train split; it becomes `DocVQA/train/`.",
    files=("train/train_v1.0.json", "train/documents/*.png"),
)
