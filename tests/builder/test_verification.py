"""Each check finds a dataset that is wrong in one way, though its manifest fits its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mathv360k.builder import verification
from mathv360k.builder.digests import content_digest, row_hashes
from mathv360k.builder.folders import seal
from mathv360k.builder.location import locate
from mathv360k.builder.manifest import is_sealed, read_manifest, write_manifest
from mathv360k.builder.parquet import open_writer
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import CONFIGS, IMAGE
from mathv360k.errors import FolderError
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

PICTURES = [encoded(diagram(number, size=60 + number)) for number in range(12)]
LONG = (
    "In the figure the line through the two upper corners meets the base; what is the angle at {}?"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images with two questions each, in two splits."""
    rows = [
        ("One", question(f"{n}.png", PICTURES[n], text, str(n)))
        for n in range(12)
        for text in (LONG.format(f"corner {n}"), "How long is it?")
    ]
    recipe = Recipe(name="test", splits={"train": 0.5, "test": 0.5})
    write_dataset(recipe, pool_of(tmp_path / "pool", rows), tmp_path / "folder")
    return tmp_path / "folder"


def shard(config: str, split: str = "train") -> str:
    return f"data/{config}/{split}-00000-of-00001.parquet"


Rows = list[dict[str, Any]]


def rewrite(folder: Path, name: str, change: Callable[[Rows], Rows]) -> None:
    """Change the rows of a shard, and have the manifest say that this is its file."""
    config = name.split("/")[1]
    rows = change(pq.read_table(folder / name).to_pylist())
    with open_writer(folder / name, config) as writer:
        schema = CONFIGS[config]
        table = pa.Table.from_pylist(rows, schema)
        if config == "default":
            picture = table["image"].combine_chunks()
            kept = [picture.field(f.name).dictionary_encode() for f in IMAGE]
            kinds = [pa.field(f.name, k.type) for f, k in zip(IMAGE, kept, strict=True)]
            struct = pa.StructArray.from_arrays(kept, fields=kinds, mask=picture.is_null())
            table = table.set_column(1, pa.field("image", struct.type), struct)
        writer.write_table(table)
    reseal(folder, name)


def reseal(folder: Path, name: str, **more: Any) -> None:
    manifest = read_manifest(folder, "dataset")
    assert manifest is not None
    manifest["files"][name] = seal(folder / name)
    write_manifest(folder, "dataset", {**manifest, **more})


def hashed(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the hash that it ought to have."""
    schema = CONFIGS["questions"]
    columns = {c.name: pa.array([row.get(c.name)], c.type) for c in schema}
    return {**row, "row_sha256": row_hashes(columns)[0][0].as_py()}


def everywhere(
    folder: Path, split: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Change the questions of a split in all configs, with the hashes and the digest of these."""
    for config in ("default", "questions"):
        rewrite(folder, shard(config, split), lambda rows: [hashed(change(row)) for row in rows])

    def images(rows: Rows) -> Rows:
        for row in rows:
            about = {n: row[n] for n in ("image_id", "clarity", "complexity")}
            row["questions"] = [
                hashed({**change({**q, **about}), **about}) for q in row["questions"]
            ]
        return rows

    rewrite(folder, shard("images", split), images)
    hashes = {}
    for name in ("train", "test"):
        said = pq.read_table(folder / shard("questions", name))["row_sha256"].to_pylist()
        hashes[name] = bytes.fromhex("".join(said))
    reseal(folder, shard("questions", split), digest=content_digest(hashes))


def problems(folder: Path, **options: Any) -> list[tuple[str, str]]:
    found = verification.verify(locate(folder, intact=False), **options)
    assert found.ok == (not found.problems)
    return [(p["check"], p["detail"]) for p in found.problems]


def test_nothing_is_found_in_a_dataset_that_is_right(folder: Path) -> None:
    found = verification.verify(locate(folder))
    assert found.problems == []
    assert found.checked["images"] == 12
    assert found.checked["hashes"] == 24
    everywhere(folder, "train", lambda row: row)
    assert problems(folder) == []


def test_a_row_that_was_changed_is_not_what_its_hash_says(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        return [{**rows[0], "answer": "99"}, *rows[1:]]

    rewrite(folder, shard("default"), change)
    assert problems(folder) == [
        ("rows", "has not the rows of the same shard of config 'questions'"),
        ("hashes", "its row_sha256 is not that of the row"),
    ]


def test_rows_with_other_hashes_have_another_digest(folder: Path) -> None:
    digest = locate(folder).manifest["digest"]
    everywhere(folder, "train", lambda row: {**row, "answer": "99"})
    reseal(folder, shard("questions"), digest=digest)
    assert problems(folder) == [("hashes", "the digest is not that of the rows")]


@pytest.mark.parametrize("config", ["default", "images"])
def test_every_config_has_the_same_rows(folder: Path, config: str) -> None:
    rewrite(folder, shard(config), lambda rows: rows[1:])
    told = problems(folder)
    assert ("rows", "has not the rows of the same shard of config 'questions'") in told
    assert {check for check, _ in told} <= {"rows", "ids"}


def test_counts_are_those_of_the_manifest(folder: Path) -> None:
    splits = locate(folder).manifest["splits"]
    images = splits["train"]["images"]
    splits["train"] |= {"questions": 3, "images": 2}
    reseal(folder, shard("questions"), splits=splits)
    assert problems(folder) == [
        ("rows", f"has {2 * images} questions, the manifest 3"),
        ("rows", f"has {images} images, the manifest 2"),
    ]


def test_an_id_is_there_once(folder: Path) -> None:
    everywhere(folder, "train", lambda row: {**row, "id": "same"})
    assert problems(folder) == [("ids", "is there more than once")]


def test_a_parent_is_there(folder: Path) -> None:
    everywhere(folder, "train", lambda row: {**row, "parent_id": "nobody"})
    assert problems(folder) == [("ids", "is named as a parent and is not there")]


def test_a_problem_is_in_one_split(folder: Path) -> None:
    for split in ("train", "test"):
        everywhere(folder, split, lambda row: {**row, "question": LONG, "answer": "1"})
    assert {check for check, _ in problems(folder)} == {"splits"}


def test_an_image_is_in_one_split(folder: Path) -> None:
    image_id = pq.read_table(folder / shard("images", "test"))["image_id"][0].as_py()
    rewrite(folder, shard("questions"), lambda rows: [{**rows[0], "image_id": image_id}, *rows[1:]])
    assert ("splits", "image of test and of train") in problems(folder)


def test_every_image_that_has_questions_is_there(folder: Path) -> None:
    rewrite(folder, shard("images"), lambda rows: rows[1:])
    told = problems(folder)
    assert ("ids", "has questions in train, but is not in 'images'") in told


def test_an_image_is_what_its_id_says(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        return [{**rows[0], "image": {**rows[0]["image"], "bytes": PICTURES[11]}}, *rows[1:]]

    for config in ("default", "images"):
        rewrite(folder, shard(config), change)
    for decode in (True, False):
        told = problems(folder, decode=decode)
        assert told.count(("images", "its bytes are not those of image_id")) == 2


def test_one_row_of_many_with_another_image_is_found(folder: Path) -> None:
    """The second question of an image: its first has the right one."""

    def change(rows: Rows) -> Rows:
        assert rows[0]["image_id"] == rows[1]["image_id"]
        return [rows[0], {**rows[1], "image": {**rows[1]["image"], "bytes": b"other"}}, *rows[2:]]

    rewrite(folder, shard("default"), change)
    assert problems(folder) == [("images", "its bytes are not those of image_id")]


def test_an_image_is_missing_only_where_it_is_withheld(folder: Path) -> None:
    rewrite(folder, shard("images"), lambda rows: [{**rows[0], "image": None}, *rows[1:]])
    assert problems(folder) == [("images", "there is no image")]
    manifest = locate(folder).manifest
    hashes = {}
    for name in ("train", "test"):
        said = pq.read_table(folder / shard("questions", name))["row_sha256"].to_pylist()
        hashes[name] = bytes.fromhex("".join(said))
    assert manifest["digest"] == content_digest(hashes)
    reseal(folder, shard("images"), withheld=["One"], digest=content_digest(hashes, ["One"]))
    assert problems(folder) == []


def test_an_image_opens_and_has_the_size_that_is_said(folder: Path) -> None:
    rewrite(folder, shard("images"), lambda rows: [{**rows[0], "width": 7}, *rows[1:]])
    told = problems(folder)
    assert [check for check, _ in told] == ["images"]
    assert "its row says otherwise" in told[0][1]
    assert problems(folder, decode=False) == []


def test_what_is_no_image_is_found_by_opening_it(folder: Path) -> None:
    """Its id is the sha256 of its bytes, all hashes fit; it is just no picture."""
    old = pq.read_table(folder / shard("images"))["image_id"][0].as_py()
    junk = b"no picture"

    def swap(row: dict[str, Any]) -> dict[str, Any]:
        if row["image_id"] != old:
            return row
        image = {"image": {**row["image"], "bytes": junk}} if "image" in row else {}
        return {**row, **image, "image_id": sha256(junk).hexdigest()}

    for config in CONFIGS:
        rewrite(folder, shard(config), lambda rows: [swap(row) for row in rows])
    everywhere(folder, "train", lambda row: row)
    told = problems(folder)
    assert [check for check, _ in told] == ["images"]
    assert told[0][1].startswith("cannot be opened")
    assert problems(folder, decode=False) == []


def test_pictures_that_look_alike_are_in_one_split(folder: Path) -> None:
    """A re-encoded copy of a picture of the other split: other bytes, same look."""
    seen = pq.read_table(folder / shard("images", "test"))["image"][0].as_py()["bytes"]
    number = PICTURES.index(seen)
    copy = encoded(diagram(number, size=60 + number), compress_level=1)
    assert copy not in PICTURES

    def change(rows: Rows) -> Rows:
        return [{**rows[0], "image": {**rows[0]["image"], "bytes": copy}}, *rows[1:]]

    rewrite(folder, shard("images"), change)
    told = problems(folder)
    assert ("splits", "looks like an image of split test") in told or (
        "splits",
        "looks like an image of split train",
    ) in told


def test_a_file_that_is_no_parquet_is_a_finding(folder: Path) -> None:
    (folder / shard("images")).write_bytes(b"PAR1 no more")
    reseal(folder, shard("images"))
    told = problems(folder)
    assert [check for check, _ in told] == ["columns"]
    assert told[0][1].startswith("is no Parquet file")


def test_pages_that_cannot_be_read_are_a_finding(folder: Path) -> None:
    data = bytearray((folder / shard("questions")).read_bytes())
    data[4:200] = bytes(196)
    (folder / shard("questions")).write_bytes(data)
    reseal(folder, shard("questions"))
    told = problems(folder)
    assert [check for check, _ in told] == ["columns"]
    assert told[0][1].startswith("cannot be read")


def test_columns_are_those_of_the_config(folder: Path) -> None:
    table = pq.read_table(folder / shard("default")).drop_columns(["unit"])
    pq.write_table(table, folder / shard("default"))
    reseal(folder, shard("default"))
    assert problems(folder) == [("columns", "has not the columns of config 'default'")]


def test_missing_and_foreign_files_are_findings(folder: Path) -> None:
    (folder / shard("images")).unlink()
    (folder / "data" / "default" / "train-00001-of-00002.parquet").write_bytes(b"")
    assert problems(folder) == [("files", "is not in the manifest"), ("files", "is missing")]


def test_a_flipped_byte_is_found_anywhere(folder: Path) -> None:
    rng, place = Random(0), locate(folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        original = path.read_bytes()
        for where in (0, rng.randrange(len(original)), len(original) - 1):
            damaged = bytearray(original)
            damaged[where] ^= 1 << rng.randrange(8)
            path.write_bytes(damaged)
            told = verification.verify(place, decode=False)
            name = path.relative_to(folder).as_posix()
            assert [p["where"] for p in told.problems] == [name], (name, where)
        path.write_bytes(original)
    assert verification.verify(place).ok


def test_a_manifest_that_no_file_can_hold_is_not_sealed() -> None:
    """JSON can spell half of a surrogate pair, UTF-8 cannot."""
    assert not is_sealed(rb'{"name": "\ud800", "sha256": ""}')
    assert not is_sealed(b"[" * 100_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "1.0"),
        ("digest", "x"),
        ("withheld", "GEOS"),
        ("splits", {"train": {"images": -1, "questions": 1, "bytes": {}}}),
        ("files", {"README.md": {"bytes": "many", "sha256": "0" * 64}}),
        ("files", {"../escape": {"bytes": 1, "sha256": "0" * 64}}),
        ("files", {f"data/{'x' * 251}": {"bytes": 1, "sha256": "0" * 64}}),
        ("sources", []),
    ],
)
def test_a_manifest_of_anybody_is_refused_in_one_sentence(
    folder: Path, field: str, value: Any
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, field: value}))
    with pytest.raises(FolderError, match=r"manifest\.json is damaged") as raised:
        locate(folder)
    assert "\n" not in str(raised.value)
