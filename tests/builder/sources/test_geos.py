from __future__ import annotations

import pytest

from mathv360k.builder.images import inspect
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


@pytest.fixture
def problems(shared_sources):
    return {row.image: row for row in candidates("GEOS", shared_sources / "GEOS")}


def test_sample(problems):
    assert len(problems) == 66
    assert sum(not row.choices for row in problems.values()) == 3
    assert sum(len(row.choices) == 5 for row in problems.values()) == 20


@pytest.mark.parametrize(
    ("number", "start", "choices", "answer", "letter"),
    [
        ("000", "In circle O", ["2*sqrt(5)", "8", "10", "16"], "8", "B"),
        ("007", "In the rhombus PQRS", ["52", "104", "26", "39"], "52", "A"),
        ("059", "What is the area of the following", ["1", "2", "3", "4", "5"], "4", "D"),
        (
            "064",
            "In the figure above",
            ["4*pi", "16*pi", "36*pi", "128*pi", "324*pi"],
            "36*pi",
            "C",
        ),
        ("020", "", [], "60", None),
        ("058", "", [], "8", None),
    ],
)
def test_problem(problems, number, start, choices, answer, letter):
    """Worked out from the files by hand: the answer counts the choices from 1."""
    question, *told = asked(problems[f"aaai/{number}.png"])
    assert question.startswith(start)
    assert told == [choices, answer, letter]


def test_suffixes_lie_about_the_format(problems):
    formats = {inspect(row.load()).format for row in problems.values()}
    assert formats == {"PNG", "GIF", "JPEG"}


def test_a_free_response_is_not_an_index(tmp_path):
    write(tmp_path / "aaai" / "000.json", {"answer": "4", "text": "a", "key": 1, "choices": {}})
    (free,) = candidates("GEOS", tmp_path)
    assert asked(free) == ("a", [], "4", None)


def test_an_index_outside_the_choices(tmp_path):
    row = {"answer": "5", "text": "a", "key": 1, "choices": {"1": "x", "2": "y"}}
    write(tmp_path / "aaai" / "000.json", row)
    write(tmp_path / "aaai" / "000.png", png())
    (bad,) = read("GEOS", tmp_path)
    assert rejection(bad)[:2] == ("aaai/000.json", "answer_not_among_choices")


def test_practice_and_official_are_benchmarks(tmp_path):
    for part in ("practice", "official"):
        row = {"answer": "1", "text": "a", "key": 1, "choices": {}}
        write(tmp_path / part / "000.json", row)
    with pytest.raises(SourceError, match="aaai is not in"):
        read("GEOS", tmp_path)
    with pytest.raises(SourceError, match="GEOS has no validation part"):
        read("GEOS", tmp_path, VALIDATION)
