"""One spelling of an answer's text: without its marks and most of its LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

LONGEST = 200
"""Characters beyond which an answer is only compared as text."""
COMMAND = re.compile(r"\\([a-zA-Z]+)")
"""A word of LaTeX."""

_LONGEST_UNICODE = 4000
"""Characters beyond which normal forms take too long: they sort marks over letters slowly."""
_SUPERSCRIPTS = {ord(c): d for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True)}
_SUPERSCRIPT = re.compile("⁻?[⁰¹²³⁴-⁹]+")
_MIXED = re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])")
_THIN_SPACE = re.compile("(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_SIGNS = str.maketrans(
    {
        "−": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "º": "°", "˚": "°", "∙": "·", "⋅": "·",
        "•": "·", "∗": "*", "∕": "/", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'",
        "⩽": "≤", "⩾": "≥", "∼": "~",
    }
)  # fmt: skip
_AFTER_NFKC = str.maketrans({"⁄": "/", "μ": "µ"})
_PAIRS = [(q, q) for q in ('"', "'", "`", "**", "$$", "$")] + [(r"\(", r"\)"), (r"\[", r"\]")]
_ARTICLE = re.compile(r"\A(?:the|an?) (?=[^\W\d_]{2})")
_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2})!+$")


class Spelled(NamedTuple):
    plain: str
    """In one spelling, with few LaTeX commands left."""
    key: str
    """What equal texts share."""


def spelled(text: str) -> Spelled:
    """The text in one spelling; those that are short are kept."""
    return _spell_short(text) if len(text) <= LONGEST else _spell(text)


def _spell(text: str) -> Spelled:
    text = _unicode(text)
    plain = " ".join(text.split())
    for _ in range(4):
        before, plain = plain, _peel(plain)
        if "\\" in plain or "{" in plain:
            plain = _peel(" ".join(_without_latex(plain).split()))
        if plain == before:
            break
    plain = plain or text
    return Spelled(plain, _ARTICLE.sub("", plain.casefold()))


_spell_short: Callable[[str], Spelled] = lru_cache(maxsize=1 << 14)(_spell)


def _unicode(text: str) -> str:
    text = text.strip()
    if text.isascii() or len(text) > _LONGEST_UNICODE:
        return text
    text = _THIN_SPACE.sub("", _MIXED.sub(" ", text))
    text = _SUPERSCRIPT.sub(lambda digits: "^" + digits[0].translate(_SUPERSCRIPTS), text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_AFTER_NFKC)
    return text.strip() or text


def _peel(text: str) -> str:
    """The text without quotes, dollars or stars around it and marks behind it."""
    for _ in range(6):
        before = text
        text = _EXCLAIMED.sub("", text.rstrip(" .,;:?").lstrip(" ,;:")) or text
        for start, end in _PAIRS:
            inside = text[len(start) : len(text) - len(end)]
            if (
                len(text) > len(start) + len(end)
                and text.startswith(start)
                and text.endswith(end)
                and start not in inside
            ):
                text = inside.strip() or text
        if text.startswith("\\boxed{") and text.endswith("}") and closes(text[6:]):
            text = text[7:-1].strip() or text
        if text == before:
            break
    return text


_SYMBOLS = {
    "times": "×", "cdot": "·", "div": "÷", "pi": "π", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "angle": "∠", "infty": "∞", "cup": "∪",
    "cap": "∩", "degree": "°", "lt": "<", "gt": ">", "dfrac": "\\frac", "tfrac": "\\frac",
    "cfrac": "\\frac", "left": "", "right": "", "displaystyle": "", "quad": " ", "qquad": " ",
    "lvert": "|", "rvert": "|", "cdots": "...", "ldots": "...", "dots": "...", "bigl": "",
    "bigr": "", "big": "", "limits": "", "leqslant": "≤", "geqslant": "≥", "textdegree": "°",
    "euro": "€", "pounds": "£", "lbrace": "\\{", "rbrace": "\\}",
}  # fmt: skip
_LATEX_SPACE = re.compile(r"(?<=\d)(?:\\,|\{,\}|\\!,?|,\\!)(?=\d{3}(?!\d))", re.ASCII)
_SPACING = re.compile(r"\\[,;: ]|(?<!\\)~|\\!")
_WORDING = re.compile(
    r"\\(?:text|mathrm|textbf|textit|textrm|mathbf|mathit|mbox|operatorname|rm|bf|hbox|mathsf)"
    r"\s*\{([^{}]*)\}"
)
_CIRCLE = re.compile(r"\s?\^\s?(?:\{\s?\\(?:circ|degree)\s?\}|\\(?:circ|degree)(?![a-zA-Z]))")
_FRACTION = re.compile(r"(\d)?\s?\\frac\s?(?:(\d)|\{\s?(\d+)\s?\})\s?(?:(\d)|\{\s?(\d+)\s?\})")
_BRACED_POWER = re.compile(r"\s?\^\s?\{\s?(-?\d+|[a-zA-Z])\s?\}")


def _without_latex(text: str) -> str:
    """Text in few words of LaTeX: `\\frac{1}{2}` is `1/2`, `\\text{cm}^{2}` is `cm^2`."""
    text = _SPACING.sub(" ", _LATEX_SPACE.sub("", text))
    text = _CIRCLE.sub("°", text)
    text = _WORDING.sub(r" \1 ", text)
    text = COMMAND.sub(lambda word: _SYMBOLS.get(word[1], word[0]), text)
    text = text.replace("\\%", "%").replace("\\$", "$")
    text = _FRACTION.sub(_slashed, text)
    return _BRACED_POWER.sub(r"^\1", text)


def _slashed(fraction: re.Match[str]) -> str:
    whole, *digits = fraction.groups()
    over, under = [d for d in digits if d]
    after = fraction.string[fraction.end() : fraction.end() + 1]
    before = fraction.string[max(fraction.start() - 1, 0) : fraction.start()]
    if not whole and (before == "^" or after.isalnum() or after in ("\\", "^", "(", "{")):
        return fraction[0]
    return f"{whole} {over}/{under}" if whole else f"{over}/{under}"


def closes(text: str) -> bool:
    """Whether the bracket that opens a text is closed by its last character."""
    return closing(text, 0, "([{", ")]}") == len(text) - 1


def closing(text: str, start: int, opening: str, closers: str) -> int | None:
    """Where the bracket at `start` is closed, None where it is not."""
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in opening) - (text[position] in closers)
        if depth == 0:
            return position
    return None
