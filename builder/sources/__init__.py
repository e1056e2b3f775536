"""The registry: the 24 source datasets by the names that rows carry, and the embedded one."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...errors import UsageError
from . import (
    ai2d,
    aokvqa,
    chartqa,
    clevr_math,
    docvqa,
    drawn,
    dvqa,
    figureqa,
    geometry3k,
    geoqa_plus,
    geos,
    iconqa,
    mapqa,
    plotqa,
    pmc_vqa,
    scienceqa,
    super_clevr,
    tabmwp,
    textvqa,
    tqa,
    unigeo,
    vizwiz,
    vqa2,
    vqa_as,
    vqa_rad,
)
from .files import Files
from .source import Source

SOURCES: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE
    for module in (
        # figure question answering
        chartqa,
        dvqa,
        docvqa,
        figureqa,
        mapqa,
        plotqa,
        # geometry problem solving
        geos,
        geoqa_plus,
        geometry3k,
        unigeo,
        # math word problems
        clevr_math,
        iconqa,
        tabmwp,
        # textbook question answering
        ai2d,
        scienceqa,
        tqa,
        # visual question answering
        aokvqa,
        pmc_vqa,
        super_clevr,
        textvqa,
        vqa_as,
        vqa_rad,
        vqa2,
        vizwiz,
    )
}

EMBEDDED = drawn.SOURCE


def source(name: str) -> Source:
    """The source of this name; raises `UsageError`, which names the nearest one."""
    known = {**SOURCES, EMBEDDED.name: EMBEDDED}
    if name in known:
        return known[name]
    names = {spelling.lower(): spelling for spelling in known}
    nearest = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {names[nearest[0]]}?" if nearest else f"there are {', '.join(known)}."
    raise UsageError(f"There is no source {name!r}; {hint}")


def missing_files(source: Source, root: Path) -> list[str]:
    """Those patterns of the source's `files` that match nothing in its folder below `root`."""
    with Files(root / source.name) as files:
        return [pattern for pattern in source.files if next(files.matches(pattern), None) is None]
