"""What a release on disk would give: its files and images, usable rows and the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SourceError
from .intake import Progress, checked
from .schema import Reason, Unusable, printable
from .sources import missing_files
from .sources.files import Files, ImageFile
from .sources.source import Candidate, ReadOptions, Rejection, Source

EXAMPLES = 3


@dataclass(slots=True)
class SourceCheck:
    """What was found of one source. Rows are those of the train split (and others asked for)."""

    name: str
    folder: bool = False
    """Whether there is a folder of its name."""
    found: bool = False
    """Whether all its files are there."""
    files: dict[str, bool] = field(default_factory=dict)
    """For each pattern of the files expected whether anything matches it."""
    error: str | None = None
    """Why the source cannot be read, or not to its end."""
    images: int = 0
    images_missing: int = 0
    missing_examples: list[str] = field(default_factory=list)
    usable: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)
    """The first few questions as they would get into a pool."""
    rejected: list[dict[str, str]] = field(default_factory=list)
    """For each reason the first few rows that cannot be used."""


def check_source(
    source: Source,
    root: Path,
    options: ReadOptions = ReadOptions(),  # noqa: B008
    progress: Progress = lambda *_: None,
) -> SourceCheck:
    """Read all rows of the source in `root/<name>`, of its first `options.limit` images.

    Of images only their existence is checked: whether they can be decoded shows in a build.
    """
    result = SourceCheck(source.name)
    folder = root / source.name
    if not folder.is_dir():
        result.files = dict.fromkeys(source.files, False)
        return result
    result.folder = True
    counts: Counter[Reason] = Counter()
    there: dict[str, bool] = {}
    done = 0
    with Files(folder) as files:
        try:
            missing = missing_files(source, root)
            result.files = {pattern: pattern not in missing for pattern in source.files}
            result.found = not missing
            for done, row in enumerate(source.read(files, options), 1):
                if done % 4096 == 0:
                    progress(f"checking {source.name}", done, None)
                if isinstance(row, Candidate):
                    if row.image not in there:
                        if options.limit is not None and len(there) >= options.limit:
                            break
                        load = row.load
                        there[row.image] = not isinstance(load, ImageFile) or load.exists()
                    row = _problem(row, there[row.image], result)
                if row is not None:
                    counts[row.reason] += 1
                    if counts[row.reason] <= EXAMPLES:
                        told = {"row": row.row, "reason": row.reason, "detail": row.detail}
                        result.rejected.append({name: printable(t) for name, t in told.items()})
        except SourceError as error:
            result.error = str(error)
    progress(f"checking {source.name}", done, done)
    result.images = len(there)
    gone = [image for image, exists in there.items() if not exists]
    result.images_missing = len(gone)
    result.missing_examples = [printable(image) for image in gone[:EXAMPLES]]
    result.quarantined = {str(reason): count for reason, count in sorted(counts.items())}
    return result


def _problem(row: Candidate, there: bool, result: SourceCheck) -> Rejection | None:
    """Why the row cannot be used; None, and counted, where it can."""
    if not there:
        return Rejection(row.row, Reason.IMAGE_MISSING, f"{row.image!r} does not exist")
    try:
        question, choices, answer, letter = checked(row)
    except Unusable as bad:
        return Rejection(row.row, bad.reason, bad.detail)
    result.usable += 1
    if len(result.questions) < EXAMPLES:
        result.questions.append(
            {
                "row": printable(row.row),
                "image": printable(row.image),
                "question": question,
                "choices": choices,
                "answer": answer if letter is None else f"({letter}) {answer}",
            }
        )
    return None
