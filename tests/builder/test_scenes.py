"""What every family of drawn scenes promises."""

from __future__ import annotations

import json
import re
from random import Random

import pytest

from mathv360k.builder.scenes import FAMILIES
from mathv360k.builder.scenes.scene import DrawnQuestion, Family, Scene
from mathv360k.builder.schema import AnswerType

SEEDS = range(20)
LEVELS = range(4)
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def scenes(family: Family) -> list[Scene]:
    return [family.invent(Random(f"{seed}/{level}"), level) for seed in SEEDS for level in LEVELS]


def well_formed(question: DrawnQuestion) -> bool:
    answer = question.answer
    if question.choices:
        choices = question.choices
        return answer in choices and len(set(choices)) == len(choices) and 3 <= len(choices) <= 5
    match question.answer_type:
        case AnswerType.INTEGER:
            return re.fullmatch(r"-?\d+", answer) is not None
        case AnswerType.FLOAT:
            return re.fullmatch(rf"-?\d+\.\d{{{question.precision}}}", answer) is not None
        case AnswerType.LIST:
            return isinstance(json.loads(answer), list)
        case AnswerType.YES_NO:
            return answer in ("Yes", "No")
    return False


@families
def test_questions(family: Family) -> None:
    for scene in scenes(family):
        questions = family.questions(scene.description)
        texts = [question.text for question in questions]
        assert len(texts) >= 6
        assert len(set(texts)) == len(texts)
        assert [question for question in questions if not well_formed(question)] == []


@families
def test_yes_and_no_both_occur(family: Family) -> None:
    asked = [q for scene in scenes(family) for q in family.questions(scene.description)]
    answers = {q.answer for q in asked if q.answer_type is AnswerType.YES_NO}
    assert answers in (set(), {"Yes", "No"})


@families
def test_description_survives_json(family: Family) -> None:
    for scene in scenes(family)[::7]:
        again = json.loads(json.dumps(scene.description))
        assert again == scene.description
        assert family.questions(again) == family.questions(scene.description)
        assert family.draw(again).tobytes() == family.draw(scene.description).tobytes()


@families
def test_picture(family: Family) -> None:
    for scene in scenes(family)[::5]:
        picture = family.draw(scene.description)
        assert picture.mode == "RGB"
        assert 280 <= picture.width <= 640
        assert 220 <= picture.height <= 480


@families
def test_complexity_follows_the_level(family: Family) -> None:
    simple = [family.invent(Random(seed), 0).complexity for seed in SEEDS]
    rich = [family.invent(Random(seed), 3).complexity for seed in SEEDS]
    assert sum(simple) < sum(rich)
