"""The synthesis step: a pool in, questions written about its images out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..builder.folders import new_folder, seal
from ..builder.manifest import done_before, files_digest, finished, read_manifest, write_manifest
from ..builder.pool import open_pool, read_questions
from ..builder.recipe import Recipe, Synthesis
from ..builder.schema import QUESTION
from ..errors import FolderError, UsageError
from .answered import answer_of
from .asking import EMBEDDED, Asking, ask_all, refuse_other_teacher
from .demonstrations import demonstrations
from .estimate import estimate
from .kinds import question_kinds
from .ledger import Ledger
from .plan import Planned, examples, plan, read_subjects
from .questions import Fault, candidates

WRITTEN = "written.parquet"
WRITTEN_COLUMNS = pa.schema(
    [
        pa.field("image", pa.int32()),
        *QUESTION,
        pa.field("fault", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("reply", pa.string()),
    ]
)
_ROWS = 8_192


class Job:
    """All requests of a synthesis, which can be gone through again and again."""

    def __init__(self, pool: Path, recipe: Recipe, ledger: Ledger) -> None:
        self.synthesis = wanted(recipe)
        self.kinds = question_kinds(self.synthesis)
        self.subjects = read_subjects(pool)
        teacher = self.synthesis.teacher
        refuse_other_teacher(teacher, (s.picture.name for s in self.subjects))
        # the embedded teacher does not read demonstrations, which take a second to cluster
        shows = teacher.model != EMBEDDED and any(kind.demonstrations for kind in self.kinds)
        self._shown = demonstrations(
            examples(self.subjects) if shows else (), ledger, recipe.name, teacher.seed
        )

    def __iter__(self) -> Iterator[Planned]:
        return plan(self.subjects, self.kinds, self.synthesis, self._shown)


def wanted(recipe: Recipe) -> Synthesis:
    """The recipe's `synthesize`; raises `UsageError` where it has none."""
    if recipe.synthesize is None:
        raise UsageError(f"Recipe {recipe.name} has no `synthesize`: no teacher, no kinds.")
    return recipe.synthesize


def synthesize(pool: Path, recipe: Recipe, out: Path, asking: Asking) -> dict[str, Any]:
    """Have questions written about the images of a pool into the folder `out`; its manifest.

    Or leave the folder where nothing has changed. Answers are taken from the ledger, and those
    that are missing asked of the teacher. Raises `TeacherError` where it does not answer.
    """
    pool_manifest = open_pool(pool)
    synthesis = wanted(recipe)
    parameters = {
        "pool": files_digest(pool_manifest),
        "recipe": recipe.name,
        "synthesize": synthesis.model_dump(mode="json"),
        "software": {"mathv360k": version("mathv360k")},
    }
    done = done_before(out, "synthesis", parameters)
    if done and not done["missing"] and asking.is_final():
        return done
    with asking.open_ledger() as ledger:
        job = Job(pool, recipe, ledger)
        refuse_repeated_kinds(pool, job)
        tally = ask_all(lambda: (p.request for p in job), synthesis.teacher, pool, ledger, asking)
        with new_folder(out, "synthesis") as folder:
            faults = _write(job, ledger, folder)
            body = {
                "parameters": parameters,
                "questions": faults.pop("", 0),
                "faults": dict(sorted(faults.items())),
                "missing": tally.total - tally.done,
                "requests": tally.ended.total(),
                "tokens": tally.tokens,
                "usd": None if tally.unpriced else round(tally.usd, 6),
                "files": {WRITTEN: seal(folder / WRITTEN)},
            }
            write_manifest(folder, "synthesis", body)
    return finished(out, "synthesis")


def written_by(written: Path) -> Synthesis:
    """The settings with which a folder was written; raises `FolderError` where it was not."""
    manifest = read_manifest(written, "synthesis")
    if manifest is None:
        raise FolderError(f"{written} holds no written questions; `mathv360k synthesize` does.")
    return Synthesis.model_validate(manifest["parameters"]["synthesize"])


def dry_run(pool: Path, recipe: Recipe, asking: Asking) -> dict[str, Any]:
    """What a synthesis will take; nothing is asked, and nothing written but demonstrations."""
    open_pool(pool)
    with asking.open_ledger() as ledger:
        job = Job(pool, recipe, ledger)
        teacher = job.synthesis.teacher
        return estimate((p.request for p in job), teacher, ledger, asking.prices)


def refuse_repeated_kinds(pool: Path, job: Job) -> None:
    """Raise `UsageError` where a pool has questions of a kind that is to be written."""
    there = set(read_questions(pool, ["kind"])["kind"].unique().to_pylist())
    for kind in job.kinds:
        if kind.name in there:
            raise UsageError(
                f"{pool} has questions of the kind {kind.name} already; start from the pool "
                "before, or give the kind another name."
            )


def _write(job: Job, ledger: Ledger, folder: Path) -> Counter[str]:
    """Write all candidates, in the order of the plan; how many have which fault ("" for none)."""
    faults: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(folder / WRITTEN, WRITTEN_COLUMNS, compression="zstd") as writer:
        for planned in job:
            for candidate in candidates(planned, answer_of(planned.request, ledger)):
                if candidate.fault is Fault.NOT_ANSWERED:
                    continue
                faults[candidate.fault or ""] += 1
                rows.append(
                    {
                        **candidate.row,
                        "fault": candidate.fault,
                        "detail": candidate.detail,
                        "reply": candidate.reply,
                    }
                )
            if len(rows) >= _ROWS:
                writer.write_table(pa.Table.from_pylist(rows, WRITTEN_COLUMNS))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, WRITTEN_COLUMNS))
    return faults
