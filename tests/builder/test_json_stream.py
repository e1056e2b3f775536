from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder import json_stream
from mathv360k.builder.json_stream import load, stream
from mathv360k.errors import SourceError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)
LISTS = st.lists(VALUES, max_size=8)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=8)
INDENTS = st.sampled_from([None, 0, 1, "\t"])
READ_SIZES = st.integers(1, 64)


def read(text: str | bytes, key: str | None = None, **options: int) -> list[tuple[int, Any, Any]]:
    data = text.encode() if isinstance(text, str) else text
    return list(stream(io.BytesIO(data), "data.json", key, **options))


def refusal(text: str | bytes, key: str | None = None, **options: int) -> str:
    with pytest.raises(SourceError) as caught:
        read(text, key, **options)
    return str(caught.value)


@given(LISTS, INDENTS, st.booleans(), READ_SIZES)
def test_an_array_is_read_as_json_loads_reads_it(values, indent, ascii_only, read_size):
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    expected = list(enumerate(json.loads(text)))
    assert [(key, value) for _, key, value in read(text, read_size=read_size)] == expected


@given(OBJECTS, INDENTS, st.booleans(), READ_SIZES)
def test_an_object_is_read_as_json_loads_reads_it(values, indent, ascii_only, read_size):
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    expected = json.loads(text, object_pairs_hook=list) if values else []
    assert [key for _, key, _ in read(text, read_size=read_size)] == [key for key, _ in expected]
    assert {key: value for _, key, value in read(text, read_size=read_size)} == values


@given(OBJECTS, LISTS | OBJECTS, INDENTS, READ_SIZES)
def test_a_member_is_read_whatever_stands_around_it(others, wanted, indent, read_size):
    others.pop("questions", None)
    for members in ({**others, "questions": wanted}, {"questions": wanted, **others}):
        text = json.dumps(members, indent=indent)
        values = [value for _, _, value in read(text, "questions", read_size=read_size)]
        assert values == (wanted if isinstance(wanted, list) else list(wanted.values()))


@given(st.lists(st.tuples(VALUES, st.integers(0, 3)), max_size=8), INDENTS, READ_SIZES)
def test_lines_are_those_where_the_elements_start(elements, indent, read_size):
    text, expected = "[", []
    for number, (value, newlines) in enumerate(elements):
        text += ("," if number else "") + "\n" * newlines
        expected.append(text.count("\n") + 1)
        text += json.dumps(value, indent=indent)
    assert [line for line, _, _ in read(text + "]", read_size=read_size)] == expected


@given(OBJECTS, READ_SIZES)
def test_lines_in_an_object_are_those_of_the_keys(members, read_size):
    text, expected = "{", []
    for number, (key, value) in enumerate(members.items()):
        text += ("," if number else "") + "\n"
        expected.append(text.count("\n") + 1)
        text += json.dumps(key) + "\n:\n" + json.dumps(value)
    assert [line for line, _, _ in read(text + "}", read_size=read_size)] == expected


@given(st.binary(max_size=200), st.sampled_from([None, "a"]), READ_SIZES)
def test_bytes_of_any_kind_raise_nothing_but_source_error(data, key, read_size):
    with contextlib.suppress(SourceError):
        read(data, key, read_size=read_size)


@given(st.text('[]{}",:\\u01 \n-.eNaInfty', max_size=60), READ_SIZES)
def test_text_that_resembles_json_is_judged_as_json_loads_does(text, read_size):
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        expected = json.loads(text, parse_constant=refuse)
    except ValueError:
        expected = None
    if isinstance(expected, list):
        assert [value for _, _, value in read(text, read_size=read_size)] == expected
    elif not isinstance(expected, dict):
        refusal(text, read_size=read_size)


@given(LISTS, LISTS, INDENTS, READ_SIZES, st.sampled_from(["{'a': 1}", "nul", "[1 2]", "NaN"]))
def test_a_malformed_element_is_reported_with_its_line(before, after, indent, read_size, broken):
    parts = [json.dumps(value, indent=indent) for value in before]
    parts.append(broken)
    parts += [json.dumps(value, indent=indent) for value in after]
    line = sum(part.count("\n") + 1 for part in parts[: len(before)]) + 2
    message = refusal("[\n" + ",\n".join(parts) + "\n]", read_size=read_size)
    assert message.startswith(f"data.json, line {line}, column ")


@given(st.lists(OBJECTS, min_size=1, max_size=8), st.data(), READ_SIZES)
def test_a_file_cut_short_is_refused_after_its_whole_rows(values, data, read_size):
    text = json.dumps(values, indent=1)
    cut = data.draw(st.integers(0, len(text) - 1))
    elements = stream(io.BytesIO(text[:cut].encode()), "x", read_size=read_size)
    got = []
    with pytest.raises(SourceError):
        got.extend(value for _, _, value in elements)
    assert got == values[: len(got)]


def test_what_is_malformed_is_said_at_once_and_not_at_the_end_of_the_file():
    file = io.BytesIO(b'[{"a": 1}, {"a" 1},' + b'{"a": 2},' * 100_000 + b"{}]")
    with pytest.raises(SourceError, match="line 1, column 17: Expecting ':' delimiter"):
        list(stream(file, "x", read_size=1000))
    assert file.tell() < 5000


def test_memory_and_reads_stay_at_the_size_of_the_window():
    file = io.BytesIO(b"[" + b'{"a": 1},' * 100_000 + b"{}]")
    elements = stream(file, "x", read_size=1000)
    next(elements)
    assert file.tell() == 1000
    assert sum(1 for _ in elements) == 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"a": 1},\n{"a" 2}]', "line 3, column 6: Expecting ':' delimiter; repair the file"),
        ("[1\n2]", "line 2, column 1: Expecting ',' delimiter"),
        ("[1, 2", "line 1, column 6: the file ends too early"),
        ("[1, ", "line 1, column 5: the file ends too early"),
        ('{"a"', "line 1, column 5: the file ends too early"),
        ('[1,\n "ab', "line 2, column 2: the file ends too early"),
        ('["a\nb"]', "line 1, column 4: Invalid control character"),
        (r'["\x"]', "line 1, column 3: Invalid \\escape"),
        ('"text"', "line 1, column 1: Expecting an array or an object"),
        ("{1: 2}", "line 1, column 2: Expecting property name enclosed in double quotes"),
        ('["NaN",\n[1, NaN]]', "line 2, column 5: NaN is not JSON"),
        ("[-Infinity]", "line 1, column 2: -Infinity is not JSON"),
        ("[1]\n[2]", "line 2, column 1: Extra data after the end"),
        ("[" * 100_000, "line 1, column 2: the nesting is too deep"),
        ("[\n" + "1" * 5000 + "]", "line 2, column 1: a number has too many digits"),
        ("", "is empty; download it again"),
        (" \n ", "is empty; download it again"),
        (b"\xef\xbb\xbf", "is empty; download it again"),
        (b'[1,\n2,\n"\xff"]', "line 3: not UTF-8"),
        ("[1]".encode("utf-16"), "line 1: not UTF-8"),
        (b'["\xc3', "line 1: not UTF-8"),
    ],
)
def test_refusals_name_file_line_and_mend(text, message):
    assert message in refusal(text)
    assert message in refusal(text, read_size=3)


def test_refusals_of_a_member():
    assert '"questions" is not in the file' in refusal('{"a": 1}', "questions")
    assert 'Expecting an object with "questions"' in refusal("[1]", "questions")
    assert "column 15: Expecting an array or an object" in refusal('{"questions": 1}', "questions")
    assert "the file ends too early" in refusal('{"questions": [1], "b"', "questions")


def test_a_byte_order_mark_is_accepted():
    assert read(b"\xef\xbb\xbf[1, 2]", read_size=1) == [(1, 0, 1), (1, 1, 2)]


def test_a_character_cut_by_the_window_is_read():
    assert read('["∠ABC", "😀"]', read_size=1) == [(1, 0, "∠ABC"), (1, 1, "😀")]


def test_repeated_keys_are_all_given():
    assert read('{"a": 1, "a": 2}') == [(1, "a", 1), (1, "a", 2)]


def test_one_endless_element_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_ELEMENT", 2**20)
    file = io.BytesIO(b'[1,\n"' + b"a" * 2**24)
    with pytest.raises(SourceError, match="line 2: an element is longer than 1 MiB"):
        list(stream(file, "x", read_size=1000))
    assert file.tell() < 2**22


def test_load_gives_the_whole_content(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(' {"a": [1, 2]}\n')
    assert load(path) == {"a": [1, 2]}
    path.write_text("{} 1")
    with pytest.raises(SourceError, match=r"small\.json, line 1, column 4: Extra data"):
        load(path)
    with pytest.raises(SourceError, match=r"^5/data: No such file or directory; "):
        load(tmp_path / "none.json", "5/data")
