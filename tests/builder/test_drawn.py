"""The embedded source: everything follows from the seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathv360k.builder.images import inspect
from mathv360k.builder.scenes import FAMILIES
from mathv360k.builder.schema import AnswerType, Task
from mathv360k.builder.sources.drawn import SOURCE, draw, invent, recall
from mathv360k.builder.sources.source import Candidate, ReadOptions
from mathv360k.errors import UsageError


def read(limit: int, seed: int = 0) -> list[Candidate]:
    assert SOURCE.read is not None
    rows = list(SOURCE.read(Path(), ReadOptions(limit=limit, seed=seed)))
    return [row for row in rows if isinstance(row, Candidate)]


def test_every_task_has_three_families_or_more() -> None:
    assert {task: sum(f.task == task for f in FAMILIES) >= 3 for task in Task} == dict.fromkeys(
        Task, True
    )


def test_questions_have_all_the_forms() -> None:
    rows = read(len(FAMILIES) * 12)
    assert {row.answer_type for row in rows} == set(AnswerType)
    assert {bool(row.choices) for row in rows} == {True, False}
    assert {row.task for row in rows} == set(Task)
    assert {row.complexity for row in rows} == {0, 1, 2, 3}
    assert {row.clarity for row in rows} == {0.0, 1.0}


def test_about_one_picture_in_seven_is_spoilt() -> None:
    flaws = [invent(0, number).flaw for number in range(600)]
    assert 0.1 < sum(flaw is not None for flaw in flaws) / 600 < 0.2
    assert len(set(flaws)) == 6  # none, and five ways


def test_the_seed_decides_everything() -> None:
    names = [row.image for row in read(10)]
    assert [row.question for row in read(10)] == [row.question for row in read(10)]
    assert draw(names[0]) == draw(names[0])
    assert [row.question for row in read(10, seed=1)] != [row.question for row in read(10)]


def test_a_picture_can_be_had_again_by_its_name() -> None:
    for number in range(len(FAMILIES)):
        drawn = invent(3, number)
        assert recall(drawn.name) == drawn
        assert inspect(draw(drawn.name)).format == "PNG"


@pytest.mark.parametrize("name", ["", "a.png", "bar-chart/0-000001.png", "clock/x-1.png"])
def test_a_name_of_no_picture(name: str) -> None:
    with pytest.raises(UsageError):
        recall(name)


def test_a_flaw_changes_the_picture_and_keeps_its_size() -> None:
    spoilt = next(d for d in (invent(0, n) for n in range(200)) if d.flaw)
    clean = spoilt.family.draw(spoilt.scene.description)
    facts = inspect(draw(spoilt.name))
    assert (facts.width, facts.height) == clean.size
