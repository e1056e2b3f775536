"""MapQA: questions about choropleth maps of the United States."""

from __future__ import annotations

from ..schema import Task
from .source import Source

SOURCE = Source(
    name="MapQA",
    task=Task.FQA,
    context="map chart",
    license="CC BY-SA 4.0",
    rehost="yes",
    homepage="https://github.com/OSU-slatelab/MapQA",
    citation="Chang et al., MapQA: A Dataset for Question Answering on Choropleth Maps, 2022, "
    "arXiv:2211.08545",
    obtain="Download the three archives that the repository links to; the inner folder of each "
    "becomes `MapQA/MapQA_U/`, `MapQA/MapQA_S/` and `MapQA/MapQA_V/`.",
    files=(
        "MapQA_U/questions/train-QA.json",
        "MapQA_U/images/map_*.png",
        "MapQA_S/questions/train-QA.json",
        "MapQA_S/images/map_*.png",
        "MapQA_V/questions/train-QA.json",
        "MapQA_V/images/map_*.png",
    ),
)
