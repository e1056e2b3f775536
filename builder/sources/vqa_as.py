"""VQA-AS: open-ended questions about abstract scenes of clip art (VQA v1.0)."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="VQA-AS",
    task=Task.VQA,
    context="abstract scene",
    license="CC BY 4.0 (annotations)",
    rehost="unclear",
    homepage="https://visualqa.org",
    citation="Antol et al., VQA: Visual Question Answering, ICCV 2015, arXiv:1505.00468",
    obtain="Download the training questions, annotations and images of the abstract scenes of VQA "
    "v1.0; they go into `VQA-AS/Questions/`, `VQA-AS/Annotations/` and "
    "`VQA-AS/Images/abstract_v002/train2015/`.",
    files=(
        "Questions/OpenEnded_abstract_v002_train2015_questions.json",
        "Annotations/abstract_v002_train2015_annotations.json",
        "Images/abstract_v002/train2015/*.png",
    ),
)
