"""The questions of a drawn picture's scene, in all their wordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from ...builder.scenes.scene import DrawnQuestion
from ...builder.schema import AnswerType
from ...builder.sources.drawn import Drawn
from .rewordings import noun_phrase, reworded
from .shortenings import shortened


class Known:
    """What the teacher knows about a picture: all questions of its scene, in all their wordings."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.asked = drawn.family.questions(drawn.scene.description)
        self._by_text = {question.text: question for question in self.asked}

    def asked_as(self, text: str) -> DrawnQuestion | None:
        """The question of the scene that is asked in exactly this text."""
        return self._by_text.get(text)

    def meant_by(self, text: str) -> DrawnQuestion | None:
        """The question of the scene that a text is another wording of, if it is of one only."""
        places = self._meanings.get(_plain(text), set())
        return self.asked[next(iter(places))] if len(places) == 1 else None

    def ways(self, question: DrawnQuestion, *, shorter: bool) -> list[str]:
        """Other texts of the question, none of which could be another question of the scene."""
        texts = shortened(question.text) if shorter else reworded(question.text)
        if question.text not in self._by_text:
            return texts
        return [text for text in texts if len(self._meanings.get(_plain(text), ())) < 2]

    def quoted(self, texts: Sequence[str]) -> list[DrawnQuestion] | None:
        """The questions of exactly these texts, if all are of the scene."""
        found = [self._by_text[text] for text in texts if text in self._by_text]
        return found if len(found) == len(texts) else None

    @cached_property
    def _meanings(self) -> dict[str, set[int]]:
        """By text, the places of the questions it can mean."""
        found: dict[str, set[int]] = defaultdict(set)
        for place, question in enumerate(self.asked):
            text = question.text
            for said in (text, *reworded(text), *shortened(text)):
                found[_plain(said)].add(place)
        return dict(found)

    @cached_property
    def counts(self) -> list[DrawnQuestion]:
        return [question for question in self.asked if is_count(question)]

    @cached_property
    def decisions(self) -> list[DrawnQuestion]:
        return [q for q in self.asked if q.answer_type is AnswerType.YES_NO]

    @cached_property
    def phrases(self) -> dict[str, DrawnQuestion]:
        """The counts by how they are called within a sentence."""
        return {noun_phrase(question): question for question in self.counts}


def _plain(text: str) -> str:
    return text.rstrip("?. ").casefold()


def is_count(question: DrawnQuestion) -> bool:
    """Whether it is answered with a whole number that can be calculated with."""
    return question.answer_type is AnswerType.INTEGER and not question.choices
