"""Sound rules for any benchmark: an answer is right where it says what the gold answer says.

There is no credit for nothing, no draw and no nearest choice: an answer that names no choice, or
several, is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..builder.answers import final_answer, find_choice, same_answer

LONGEST = 20_000
"""Characters of a response that are looked at, its last."""
_WORDS = 20
"""Words that an answer may have more than the longest gold answer or choice; beyond, it is a text
in which no answer was found."""


def is_right(
    response: str, golds: Sequence[str], choices: Sequence[str] = (), unit: str | None = None
) -> bool:
    """Whether a response says one of the gold answers.

    With `choices` golds are their letters or texts. Thoughts, boxes and tags are understood
    (`builder.answers.final_answer`).
    """
    said = final_answer(response[-LONGEST:])
    words = max(len(text.split()) for text in (*golds, *choices))
    if not said.strip() or len(said.split()) > words + _WORDS:
        return False
    if not choices:
        return any(same_answer(gold, said, unit=unit) for gold in golds)
    named = find_choice(said, choices, unit)
    return named is not None and any(find_choice(gold, choices, unit) == named for gold in golds)
