"""Rules that say a question in other words: a pattern of its shape, and templates to fill."""

from __future__ import annotations

import re
from collections.abc import Iterable

Rule = tuple[re.Pattern[str], tuple[str, ...]]
_VERBS = {
    "have": ("has", "had"),
    "rise": ("rises", "rose"),
    "fall": ("falls", "fell"),
    "choose": ("chooses", "chose"),
}


class _Group(str):
    """What a rule matched; `{0:es}` is a verb in the third person, `{0:ed}` in the past."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "low":
            return self.lower()
        if spec not in ("es", "ed"):
            return str(self)
        third, past = _VERBS.get(self, (f"{self}s", f"{self}ed"))
        return third if spec == "es" else past


def rules(*lines: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of lines, each a pattern and its templates."""
    return tuple((re.compile(pattern), tuple(templates)) for pattern, *templates in lines)


def parts_of(text: str) -> tuple[str, str, str]:
    """What is said before the question itself, the question without its mark, what comes after."""
    head, mark, after = text.partition("?")
    if not mark:
        core, _, after = text.removesuffix(".").partition(". ")
        return "", core, f"{after}." if after else ""
    before, dot, core = head.rpartition(". ")
    return before + dot.strip(), core, after.strip()


def joined(*parts: str) -> str:
    """The parts that are not empty, with spaces between them."""
    return " ".join(part for part in parts if part)


def filled(table: Iterable[Rule], core: str) -> list[str]:
    """The templates of the first rule that fits all of `core`."""
    for pattern, templates in table:
        if match := pattern.fullmatch(core):
            groups = [_Group(group or "") for group in match.groups()]
            return [template.format(*groups) for template in templates]
    return []
