"""Typed rows of large JSON files: the same as parsing the whole file, in bounded memory."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.json_rows import rows
from mathv360k.builder.schema import Unusable
from mathv360k.errors import SourceError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(['"first"', '},{"first": 1', "]}", "\\", '{"first"']),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["first", "b", '"']), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.fixed_dictionaries({"first": VALUES}, optional={"b": VALUES, "c": VALUES})


class Row(msgspec.Struct):
    first: int
    rest: str = ""


def read(text: str | bytes, row_type: Any = Any, key: str | None = None, size: int = 64) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return list(rows(io.BytesIO(data), "file.json", row_type, key, size=size))


def problem(value: Any) -> str:
    assert isinstance(value, Unusable), value
    return value.detail


@given(
    content=st.lists(OBJECTS | VALUES, max_size=12),
    indent=st.sampled_from([None, 1, "\t"]),
    size=st.integers(16, 300),
)
def test_a_list_reads_as_if_parsed_at_once(content: Any, indent: Any, size: int) -> None:
    text = json.dumps(content, indent=indent)
    assert read(text, size=size) == list(enumerate(content))
    wrapped = json.dumps({"info": {"a": [1]}, "rows": content, "more": 1}, indent=indent)
    assert read(wrapped, key="rows", size=size) == list(enumerate(content))


@given(
    content=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), OBJECTS, max_size=9),
    indent=st.sampled_from([None, 2]),
    size=st.integers(16, 300),
)
def test_an_object_reads_as_if_parsed_at_once(content: Any, indent: Any, size: int) -> None:
    assert read(json.dumps(content, indent=indent), size=size) == list(content.items())


def test_a_list_is_taken_although_a_key_is_asked_for() -> None:
    assert read('[{"first": 1}]', Row, "qa_pairs") == [(0, Row(1))]


@pytest.mark.parametrize("size", [16, 64, 10_000])
def test_a_row_of_another_type_is_alone_in_its_trouble(size: int) -> None:
    content: list[Any] = [{"first": n} for n in range(40)]
    content[7] = {"first": "7"}
    content[8] = {"second": 8}
    content[20] = [1]
    content[39] = None
    found = read(json.dumps(content), Row, size=size)
    assert [index for index, _ in found] == list(range(40))
    assert {i: problem(v) for i, v in found if not isinstance(v, Row)} == {
        7: "first: expected int, got str",
        8: "object missing required field first",
        20: "expected object, got array",
        39: "expected object, got null",
    }


@pytest.mark.parametrize("size", [16, 64, 10_000])
def test_halves_of_characters_are_alone_in_their_trouble(size: int) -> None:
    content = [{"first": 1, "rest": "fine"}] * 20
    content[5] = {"first": 1, "rest": "\ud800"}
    found = read(json.dumps(content), Row, size=size)
    assert [isinstance(value, Row) for _, value in found] == [n != 5 for n in range(20)]
    assert problem(found[5][1]).startswith("not JSON: ")


@pytest.mark.parametrize("size", [16, 64, 10_000])
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_python_writes_for_no_number_is_alone_in_its_trouble(size: int, constant: str) -> None:
    text = f'[{{"first": "1"}},\n{{"first": {constant}}},\n{{"first": 2}}, {{"first": 3}}]'
    wrong, nan, *right = read(text, Row, size=size)
    assert problem(wrong[1]) == "first: expected int, got str"
    assert problem(nan[1]).startswith("not JSON: ")
    assert right == [(2, Row(2)), (3, Row(3))]


@pytest.mark.parametrize("size", [16, 64, 10_000])
def test_a_key_that_comes_twice_is_not_lost(size: int) -> None:
    text = '{"a": {"first": 1}, "a": {"first": 2}, "b": {"first": 3}, "c": {"first": 4}}'
    assert read(text, Row, size=size) == [(k, Row(n)) for n, k in enumerate("aabc", 1)]


def test_a_mark_of_byte_order_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf[{"first": 1}]', Row) == [(0, Row(1))]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "file.json is empty"),
        ('[{"first": 1}, {"first": 2}', "line 1, column 28: the file ends too early"),
        ('[{"first": 1},\n{"first" 2}]', "line 2, column 10: Expecting ':' delimiter"),
        ('[{"first": 1}] x', "Extra data after the end"),
        ('{"rows": 5}', "Expecting an array or an object"),
        ('{"other": []}', '"rows" is not in the file'),
        ("5", "Expecting an object"),
        (b'[{"first": "\xff"}]', "line 1: not UTF-8"),
    ],
)
@pytest.mark.parametrize("size", [16, 10_000])
def test_what_is_no_json_is_refused_with_its_place(text: Any, sentence: str, size: int) -> None:
    with pytest.raises(SourceError) as caught:
        read(text, Row, "rows", size=size)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("file.json")


@given(st.binary(max_size=80) | st.text('{}[],:"\\ a1\n', max_size=60).map(str.encode))
def test_no_content_leads_to_another_exception(content: bytes) -> None:
    try:
        found = read(content, Row, size=16)
    except SourceError as error:
        found, sentence = [], str(error)
        assert sentence.endswith(".")
    assert all(isinstance(value, Row | Unusable) for _, value in found)


def test_a_broken_stream_is_one_sentence() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise EOFError("Compressed file ended before the end")

    with pytest.raises(SourceError, match=r"file\.json: Compressed file ended"):
        list(rows(Broken(), "file.json", Row))


@pytest.mark.parametrize("depth", [50, 500, 5_000, 100_000])
def test_a_field_nested_too_deeply_costs_its_row_or_is_told(depth: int) -> None:
    deep = '{"first": 2, "unused": ' + "[" * depth + "]" * depth + "}"
    text = f'[{{"first": 1}}, {deep}, {{"first": 3}}, {{"first": 4}}]'
    if depth > 4_000:
        with pytest.raises(SourceError, match="nesting is too deep"):
            read(text, Row, size=2**20)
        return
    found = read(text, Row, size=2**20)
    assert [index for index, _ in found] == [0, 1, 2, 3]
    assert [row.first for _, row in (found[0], *found[2:])] == [1, 3, 4]
    middle = found[1][1]
    assert middle == Row(2) or "nested too deeply" in problem(middle)
