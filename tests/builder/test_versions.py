"""What changed between two versions, told row by row, and the number that follows from it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mathv360k.builder import versions
from mathv360k.builder.folders import seal
from mathv360k.builder.location import locate
from mathv360k.builder.manifest import read_manifest, write_manifest
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.sources.source import Candidate
from mathv360k.builder.versions import Difference, compare, next_version
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

PICTURES = [encoded(diagram(number, size=40 + number)) for number in range(6)]


def asked(number: int, **more: Any) -> Candidate:
    settings = {"complexity": 1, "clarity": 0.5, **more}
    return question(
        f"{number}.png", PICTURES[number], f"What is the number {number}?", str(number), **settings
    )


ROWS = [("One", asked(n)) for n in range(4)] + [("Two", asked(4))]


def version(folder: Path, rows: list[tuple[str, Candidate]], **recipe: Any) -> Path:
    pool = pool_of(folder / "pool", rows)
    write_dataset(Recipe(name="test", **recipe), pool, folder / "data set")
    return folder / "data set"


def difference(tmp_path: Path, old: list[Any], new: list[Any], **recipe: Any) -> Difference:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    before = version(tmp_path / "old", old)
    return compare(locate(before), locate(version(tmp_path / "new", new, **recipe)))


def changed(place: int, **to: Any) -> list[tuple[str, Candidate]]:
    source, row = ROWS[place]
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    return [*ROWS[:place], (source, Candidate(**{**values, **to})), *ROWS[place + 1 :]]


def test_added_rows_are_a_minor_change(tmp_path: Path) -> None:
    found = difference(tmp_path, ROWS, [*ROWS, ("Two", asked(5))])
    assert (found.added, found.removed, found.moved, found.changed) == (1, 0, 0, 0)
    assert found.level == "minor"
    assert found.by == {
        "split": {"train": {"added": 1}},
        "source": {"Two": {"added": 1}},
        "kind": {"original": {"added": 1}},
    }
    assert found.samples["added"] == [
        {"id": "Two/5.png#original-0", "split": "train", "source": "Two", "kind": "original"}
    ]


def test_removed_rows_are_a_major_change(tmp_path: Path) -> None:
    found = difference(tmp_path, ROWS, ROWS[1:])
    assert (found.added, found.removed, found.changed) == (0, 1, 0)
    assert found.level == "major"
    assert found.samples["removed"][0]["id"] == "One/0.png#original-0"


def test_a_changed_answer_is_a_major_change_told_field_by_field(tmp_path: Path) -> None:
    found = difference(tmp_path, ROWS, changed(2, answer="3"))
    assert (found.added, found.removed, found.moved, found.changed) == (0, 0, 0, 1)
    assert found.fields == {"answer": 1}
    assert found.samples["changed"] == [
        {"id": "One/2.png#original-0", "fields": {"answer": ["2", "3"]}}
    ]
    assert found.level == "major"


def test_another_score_is_a_patch(tmp_path: Path) -> None:
    found = difference(tmp_path, ROWS, changed(2, complexity=3, clarity=None))
    assert found.fields == {"clarity": 1, "complexity": 1}
    assert found.samples["changed"][0]["fields"] == {"clarity": [0.5, None], "complexity": [1, 3]}
    assert found.level == "patch"


def test_a_row_in_another_split_is_a_major_change(tmp_path: Path) -> None:
    found = difference(tmp_path, ROWS, ROWS, splits={"test": 1.0})
    assert (found.added, found.removed, found.moved, found.changed) == (0, 0, 5, 0)
    assert found.samples["moved"][0]["was"] == "train"
    assert found.level == "major"


def test_the_same_content_has_no_difference(tmp_path: Path) -> None:
    before = version(tmp_path, ROWS)
    found = compare(locate(before), locate(before))
    assert found == replace(Difference(), samples=found.samples)
    assert found.level == "patch"


def test_columns_are_compared(tmp_path: Path) -> None:
    """One that is gone, one that is new, one of another type."""
    before = version(tmp_path, ROWS)
    after = tmp_path / "after"
    shutil.copytree(before, after)
    name = "data/questions/train-00000-of-00001.parquet"
    table = pq.read_table(after / name).drop_columns(["unit"])
    table = table.append_column("hint", table["question"])
    place = table.schema.get_field_index("precision")
    table = table.set_column(place, "precision", table["precision"].cast(pa.int32()))
    pq.write_table(table, after / name)
    manifest = read_manifest(after, "dataset")
    assert manifest is not None
    manifest["files"][name] = seal(after / name)
    write_manifest(after, "dataset", manifest)
    found = compare(locate(before), locate(after))
    assert found.columns == {"added": ["hint", "precision"], "removed": ["precision", "unit"]}
    assert found.level == "major"


def test_the_first_rows_by_id_are_shown(tmp_path: Path) -> None:
    data = PICTURES[5]
    many = [("Two", question(f"{n:02}.png", data, f"Number {n}?", "1")) for n in range(30)]
    found = difference(tmp_path, ROWS, [*ROWS, *many])
    assert found.added == 30
    assert len(found.samples["added"]) == versions.SAMPLES == 20
    shown = [row["id"] for row in found.samples["added"]]
    assert shown == sorted(shown)
    assert found.by["source"]["Two"] == {"added": 30}


def test_columns_and_images_count_too() -> None:
    gone = {"added": [], "removed": ["unit"]}
    more = {"added": ["hint"], "removed": []}
    assert Difference(columns=gone).level == "major"
    assert Difference(columns=more).level == "minor"
    assert Difference(images={"added": [], "removed": ["GEOS"]}).level == "major"
    assert Difference(images={"added": ["GEOS"], "removed": []}).level == "minor"


def test_only_images_that_were_there_can_be_gone(tmp_path: Path) -> None:
    """A source that is new, and whose images are left out, takes nothing away."""
    (tmp_path / "old").mkdir()
    before = locate(version(tmp_path / "old", ROWS[:4]))
    pool = pool_of(tmp_path / "pool", ROWS)
    for name, withheld in (("hidden", ["Two"]), ("less", ["One", "Two"]), ("all", [])):
        write_dataset(Recipe(name="test"), pool, tmp_path / name, withheld=withheld)
    hidden, less, everything = (locate(tmp_path / name) for name in ("hidden", "less", "all"))
    assert compare(before, hidden).images == {"added": [], "removed": []}
    assert compare(before, hidden).level == "minor"
    assert compare(before, less).images == {"added": [], "removed": ["One"]}
    assert compare(less, everything).images == {"added": ["One", "Two"], "removed": []}
    assert (compare(before, less).level, compare(less, everything).level) == ("major", "minor")


@pytest.mark.parametrize(
    ("level", "number"), [("major", "3.0.0"), ("minor", "2.10.0"), ("patch", "2.9.2")]
)
def test_the_next_number(level: versions.Level, number: str) -> None:
    assert next_version("2.9.1", level) == number


def test_files_that_both_versions_have_are_not_read(tmp_path: Path) -> None:
    """With one byte flipped the file is no Parquet any more; nobody notices."""
    before = version(tmp_path, ROWS)
    place = locate(before)
    file = next((before / "data" / "questions").glob("*.parquet"))
    schema_only = file.read_bytes()
    file.write_bytes(b"\0" * 100 + schema_only[100:])  # the pages, not the footer
    assert compare(place, place).changed == 0
