"""Labels of images by a teacher: clarity and complexity, for the classifiers to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..builder.labels import COLUMNS, sample_images
from ..builder.pool import open_pool
from ..builder.recipe import TeacherChoice
from ..errors import UsageError
from .answered import Failure, answer_of
from .asking import Asking, ask_all, refuse_other_teacher
from .estimate import estimate
from .forms import Judged
from .prompts import built_in
from .request import Picture, Request

LABEL = built_in("label", Judged)
_PICTURE = ("image_id", "name", "offset", "size", "format", "width", "height")


class Sample:
    """A sample of a pool's images, uniformly over sources, and the requests to label them."""

    def __init__(self, pool: Path, count: int, seed: int, teacher: TeacherChoice) -> None:
        open_pool(pool)
        self.images = sample_images(pq.read_table(pool / "images.parquet"), count, seed)
        self._teacher = teacher
        refuse_other_teacher(teacher, self.images["name"].to_pylist())

    def requests(self) -> Iterator[Request]:
        """A request per image, in the order of the sample."""
        for row in self.images.select([*_PICTURE, "context"]).to_pylist():
            context = row.pop("context")
            yield Request(self._teacher, LABEL, {"context": context}, Picture(**row))


def label_images(
    pool: Path, out: Path, count: int, seed: int, teacher: TeacherChoice, asking: Asking
) -> dict[str, Any]:
    """Have a sample of a pool's images labelled into a CSV that `fit` reads; what came of it.

    An image that the teacher did not judge has an empty row. Raises `UsageError` where `out`
    exists: it may hold labels.
    """
    if out.exists():
        raise UsageError(f"{out} exists and may hold labels; name another file with --out.")
    sample = Sample(pool, count, seed, teacher)
    frame = sample.images.select(["image_id", "source", "name"]).to_pandas()
    with asking.open_ledger() as ledger:
        tally = ask_all(sample.requests, teacher, pool, ledger, asking)
        said = [answer_of(request, ledger) for request in sample.requests()]
    judged = [answer if isinstance(answer, Judged) else None for answer in said]
    for name in ("clarity", "complexity"):
        frame[name] = [None if j is None else getattr(j, name) for j in judged]
        frame[name] = frame[name].astype("Int8")
    frame[COLUMNS[-1]] = teacher.model
    frame.to_csv(out, index=False)
    failures = Counter(str(a.status or "not_answered") for a in said if isinstance(a, Failure))
    return {
        "labels": str(out),
        "images": len(frame),
        "labelled": len(frame) - failures.total(),
        "failures": dict(sorted(failures.items())),
        "usd": None if tally.unpriced else round(tally.usd, 6),
    }


def dry_run(
    pool: Path, count: int, seed: int, teacher: TeacherChoice, asking: Asking
) -> dict[str, Any]:
    """What labelling will take; nothing is asked."""
    with asking.open_ledger() as ledger:
        requests = Sample(pool, count, seed, teacher).requests()
        return estimate(requests, teacher, ledger, asking.prices)
