"""Row hashes by the rule that their docstring states."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.digests import content_digest, row_hashes
from mathv360k.builder.schema import CONFIGS


def expected_hash(row: dict[str, Any]) -> str:
    """The rule of `row_hashes` in plain Python."""

    def text(value: Any) -> str:
        if value is None:
            return "\0"
        if isinstance(value, list):
            return "\x1e".join(value)
        if isinstance(value, float):
            return str(round(value * 1e6))
        return str(value)

    names = [name for name in CONFIGS["questions"].names if name != "row_sha256"]
    return sha256("\x1f".join(text(row[name]) for name in names).encode()).hexdigest()


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = {
    pa.string(): texts,
    pa.int8(): st.none() | st.integers(-128, 127),
    pa.float32(): st.none() | st.sampled_from([0.0, 0.5, 0.25, 1.0]),
    pa.list_(pa.string()): st.lists(texts.filter(lambda t: t is not None), max_size=3),
}
questions = st.fixed_dictionaries(
    {c.name: values[c.type] for c in CONFIGS["questions"] if c.name != "row_sha256"}
)


@given(st.lists(questions, min_size=1, max_size=4))
def test_row_hashes_of_any_rows(rows: list[dict[str, Any]]) -> None:
    columns = {
        c.name: pa.array([row[c.name] for row in rows], c.type)
        for c in CONFIGS["questions"]
        if c.name != "row_sha256"
    }
    texts, raw = row_hashes(columns)
    assert texts.to_pylist() == [expected_hash(row) for row in rows]
    assert raw.hex() == "".join(texts.to_pylist())


def test_a_digest_ends_no_hash_at_its_last_zero() -> None:
    """numpy would take trailing zero bytes for padding."""
    rows = bytes(31) + b"\x01" + bytes(32) + b"\x01" + bytes(31)
    said = sha256(b"train 3\n" + bytes(32) + bytes(31) + b"\x01" + b"\x01" + bytes(31))
    assert content_digest({"train": rows}) == said.hexdigest()


def test_withheld_images_are_part_of_the_digest() -> None:
    said = sha256(b"without images of A\nwithout images of B\ntrain 1\n" + b"x" * 32)
    assert content_digest({"train": b"x" * 32}, ["B", "A"]) == said.hexdigest()


def test_splits_come_in_the_order_of_their_names() -> None:
    rows = {"train": b"x" * 32, "test": b"y" * 32}
    assert content_digest(rows) == content_digest(dict(reversed(rows.items())))
    assert content_digest(rows) != content_digest({"train": b"y" * 32, "test": b"x" * 32})
