"""VQA2.0: questions about photos, with similar photos for different answers."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="VQA2.0",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0 (annotations); the photos have the Flickr licences of COCO",
    rehost="unclear",
    homepage="https://visualqa.org",
    citation="Goyal et al., Making the V in VQA Matter: Elevating the Role of Image Understanding "
    "in Visual Question Answering, CVPR 2017, arXiv:1612.00837",
    obtain="Download the training questions, annotations and images (COCO train2014) of VQA v2.0; "
    "they go into `VQA2.0/Questions/`, `VQA2.0/Annotations/` and "
    "`VQA2.0/Images/mscoco/train2014/`.",
    files=(
        "Questions/v2_OpenEnded_mscoco_train2014_questions.json",
        "Annotations/v2_mscoco_train2014_annotations.json",
        "Images/mscoco/train2014/COCO_train2014_*.jpg",
    ),
)
