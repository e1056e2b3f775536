"""Benchmarks in whatever form they come, and lists of hashes that show nothing of them."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mathv360k.builder.benchmarks import Item, read_benchmark, write_hashes
from mathv360k.errors import MathV360KError, SourceError, UsageError


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def image_id(seed: int) -> str:
    return sha256(png(seed)).hexdigest()


def seen(items: list[Item]) -> list[tuple[Any, ...]]:
    return [(i.id, i.image_id, i.question, i.choices, i.answer) for i in items]


def test_a_folder_of_images_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(png(1))
    (tmp_path / "2.PNG").write_bytes(png(2))
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("nothing")
    *items, broken = read_benchmark(tmp_path)
    assert (broken.id, broken.image_id) == ("broken.png", None)
    assert broken.unreadable == "image_unreadable: not one of PNG, JPEG, GIF, WEBP, BMP"
    assert seen(items) == [("2.PNG", image_id(2), "", (), ""), ("a/1.png", image_id(1), "", (), "")]
    assert {i.benchmark for i in items} == {tmp_path.name}
    assert all(i.load and sha256(i.load()).hexdigest() == i.image_id for i in items)


def test_images_in_parquet_as_bytes_and_in_lists(tmp_path: Path) -> None:
    columns = {"question": ["a", "b"], "image": pa.array([png(1), None], pa.binary())}
    columns["images"] = pa.array([[], [{"bytes": png(2)}, {"bytes": png(3)}]])
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    items = read_benchmark(tmp_path / "a.parquet")
    assert [(i.id, i.image_id, i.question) for i in items] == [
        ("0", image_id(1), "a"),
        ("1", image_id(2), "b"),
        ("1", image_id(3), ""),
    ]
    assert [i.load() for i in items if i.load] == [png(1), png(2), png(3)]


def test_images_that_are_named_and_not_there_are_told(tmp_path: Path) -> None:
    rows = [{"question": "Where?", "image": ["gone.png", "here.png"]}]
    (tmp_path / "here.png").write_bytes(png(1))
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    gone, here = read_benchmark(tmp_path / "rows.json")
    assert gone.unreadable == "image_missing: 'gone.png' does not exist"
    assert gone.question == "Where?"
    assert here.image_id == image_id(1)


def test_halves_of_characters_are_made_printable(tmp_path: Path) -> None:
    row = {"id": "\ud800", "question": "Where \udfff is it?", "choices": ["\ud800"], "answer": "x"}
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    items = read_benchmark(tmp_path / "rows.json")
    write_hashes(items, tmp_path / "hashes.parquet")
    for text in (items[0].id, items[0].question, *items[0].choices):
        text.encode()


@pytest.mark.parametrize("column", ["dhash", "image_id"])
def test_a_damaged_hash_list_is_named(tmp_path: Path, column: str) -> None:
    (tmp_path / "1.png").write_bytes(png(1))
    write_hashes(read_benchmark(tmp_path), tmp_path / "hashes.parquet")
    table = pq.read_table(tmp_path / "hashes.parquet")
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.array(["nothex"])), tmp_path / "bad.parquet")
    with pytest.raises(SourceError, match=r"bad.parquet, row 0: image_id or dhash is not 64 hexa"):
        read_benchmark(tmp_path / "bad.parquet")


def test_mathvista_annotations_with_images_beside_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(png(1))
    (tmp_path / "images" / "loose.jpg").write_bytes(png(3))
    rows = {
        "1": {
            "pid": "1",
            "question": "How long?",
            "image": "images/1.jpg",
            "choices": ["1", "2"],
            "answer": "2",
        },
        "7": {"question": "How far?", "image": "images/gone.jpg", "choices": None, "answer": "4"},
    }
    (tmp_path / "testmini.json").write_text(json.dumps(rows))
    assert seen(read_benchmark(tmp_path)) == [
        ("1", image_id(1), "How long?", ("1", "2"), "2"),
        ("7", None, "How far?", (), "4"),
        ("images/loose.jpg", image_id(3), "", (), ""),
    ]


def test_mmmu_has_several_images_and_its_choices_as_text(tmp_path: Path) -> None:
    rows = [
        {
            "id": "validation_Art_1",
            "question": "Which <image 1> <image 2>?",
            "options": "['Left', 'Right']",
            "answer": "B",
            "image_1": {"bytes": png(1), "path": "1.png"},
            "image_2": {"bytes": png(2), "path": "2.png"},
            "image_3": None,
        }
    ]
    columns: dict[str, Any] = {name: [rows[0][name]] for name in rows[0]}
    picture = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    columns["image_3"] = pa.array([None], picture)
    pq.write_table(pa.table(columns), tmp_path / "art.parquet")
    items = read_benchmark(tmp_path / "art.parquet")
    name = "validation_Art_1"
    assert seen(items) == [
        (name, image_id(1), "Which <image 1> <image 2>?", ("Left", "Right"), "B"),
        (name, image_id(2), "", (), ""),
    ]
    assert [i.load() for i in items if i.load] == [png(1), png(2)]


def test_a_question_with_a_file_of_its_own(tmp_path: Path) -> None:
    geometry3k, geos = tmp_path / "g3k" / "12", tmp_path / "geos"
    geometry3k.mkdir(parents=True)
    geos.mkdir()
    (geometry3k / "img_diagram.png").write_bytes(png(1))
    row = {"id": 12, "problem_text": "Find x.", "choices": ["1", "2"], "answer": "A"}
    (geometry3k / "data.json").write_text(json.dumps(row))
    for number in (1, 2):
        (geos / f"00{number}.png").write_bytes(png(10 + number))
        row = {"text": f"Find {number}", "key": number, "choices": {"1": "5"}, "answer": "1"}
        (geos / f"00{number}.json").write_text(json.dumps(row))
    assert seen(read_benchmark(tmp_path)) == [
        ("12", image_id(1), "Find x.", ("1", "2"), "A"),
        ("1", image_id(11), "Find 1", ("5",), "1"),
        ("2", image_id(12), "Find 2", ("5",), "1"),
    ]


def test_rows_in_lines_in_csv_and_below_a_key(tmp_path: Path) -> None:
    row = {"question": "How many?", "answer": "3"}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(row)}\n\n{json.dumps(row)}\n")
    (tmp_path / "b.csv").write_text("question,answer\nHow many?,3\n")
    (tmp_path / "c.json").write_text(json.dumps({"data": [row, "no row"]}))
    for name, count in (("a.jsonl", 2), ("b.csv", 1), ("c.json", 1)):
        items = read_benchmark(tmp_path / name)
        assert [(i.question, i.answer) for i in items] == [("How many?", "3")] * count
        assert [i.id for i in items] == [str(n) for n in range(count)]


def test_a_hash_list_finds_the_same_and_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "1.png").write_bytes(png(1))
    row = {"question": "A secret question?", "choices": ["hidden", "kept"], "answer": "A"}
    (tmp_path / "set" / "rows.json").write_text(json.dumps([row]))
    items = read_benchmark(tmp_path / "set")
    write_hashes(items, tmp_path / "hashes.parquet")
    again = read_benchmark(tmp_path / "hashes.parquet")
    assert [(i.benchmark, i.id, i.image_id, i.dhash, i.text) for i in again] == [
        (i.benchmark, i.id, i.image_id, i.dhash, i.text) for i in items
    ]
    assert all(i.load is None and not i.question for i in again)
    content = (tmp_path / "hashes.parquet").read_bytes()
    table = str(pq.read_table(tmp_path / "hashes.parquet").to_pylist())
    assert not any(word in table or word.encode() in content for word in ("secret", "hidden"))


def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(png(1))
    (tmp_path / "set").mkdir()
    rows = [{"question": "Where?", "image": "../outside.png"}]
    (tmp_path / "set" / "rows.json").write_text(json.dumps(rows))
    assert seen(read_benchmark(tmp_path / "set")) == [("0", None, "Where?", (), "")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b"[" * 10**5),
        ("a.parquet", b"PAR1"),
        ("a.jsonl", b"\xff{}"),
        ("line.jsonl", b"{}\n{"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    line = "line 2: " if name == "line.jsonl" else ""
    with pytest.raises(SourceError, match=f"{name} cannot be read as a benchmark: {line}"):
        read_benchmark(tmp_path / name)


def test_what_is_no_benchmark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    for name, kind, said in (
        ("a.txt", UsageError, "is no benchmark"),
        ("b.json", SourceError, "holds neither images nor questions"),
        ("empty", SourceError, "holds neither images nor questions"),
        ("gone", UsageError, "does not exist"),
    ):
        with pytest.raises(MathV360KError, match=said) as caught:
            read_benchmark(tmp_path / name)
        assert caught.type is kind
