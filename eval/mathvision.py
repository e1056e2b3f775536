"""MATH-V (arXiv 2402.14804): its scorer, rule by rule.

Rules are those of mathllm/MATH-V at a1f5cc3, `evaluation/evaluate.py` and `evaluation/utils.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .latex_value import Undecided, latex_value
from .verdicts import Verdict

TIME_LIMIT = "time limit"

_FLAGS = tuple(
    form
    for flag in ("the final answer is", "the answer is", "the correct answer is",
                 "the answer should be")
    for form in (flag, flag.replace("the", "The"))
)  # fmt: skip
_BOXED = re.compile(r"oxed{(.*)}", re.DOTALL)
_DROPPED = (
    (" ", ""), ("\\,", ""), ("∞", "\\infty"), ("+\\infty", "\\infty"), ("\\\\", "\\"), ("\n", ""),
    ("\\text", ""), ("\\mbox", ""), ("bmatrix", "pmatrix"), ("\\left", ""), ("\\right", ""),
    ("^{\\circ}", ""), ("^\\circ", ""), ("{m}^3", ""), ("m^3", ""), ("{units}", ""),
    ("units", ""), ("{km}", ""), ("km", ""),
)  # fmt: skip
_LETTERS = tuple((form.format(c), c) for form in ("({})", "{{{}}}") for c in "abcde")


def judge(record: Mapping[str, Any], problem: Mapping[str, Any]) -> Verdict:
    """The official verdict on a row of an output file, by its field `response`.

    `problem` is the problem's record; `model_answer` and `correct` are not read. Where the official
    script would evaluate without end the answer is wrong, and the verdict says so.
    """
    answer = extract(record["response"])
    golds = [problem["answer"]]
    if options := problem["options"]:
        golds.append(_option(problem["answer"], options))
    late = False
    right = False
    for gold in golds:
        try:
            right = right or is_equal(gold, answer)
        except Undecided:
            late = True
    level, subject = f"level{problem['level']}", problem["subject"]
    categories = {
        "level": level,
        "subject": subject,
        "level_subject": f"{level}_{subject}",
        "subject_level": f"{subject}_{level}",
    }
    return Verdict(str(record["id"]), answer, right, TIME_LIMIT if late else None, categories)


def _option(letter: str, options: Sequence[str]) -> str:
    place = ord(letter) - ord("A") if len(letter) == 1 else -1
    return options[place] if 0 <= place < len(options) else ""


def extract(response: str) -> str:
    """The answer in a response, normalised."""
    answer = response.strip()
    for c in "ABCDE":
        ends = (f" {c}.", f" ({c}).")
        starts = (f"{c}\n", f"({c})\n", f"({c}) {c}\n")
        if answer.endswith(ends) or answer.startswith(starts):
            answer = c
    tail = answer.rpartition("is ")[2].rstrip(".")
    if _is_number(tail):
        answer = tail
    boxes = answer.count("oxed{")
    if boxes > 1:
        answer = "\\boxed{" + answer.rpartition("oxed{")[2]
    elif not boxes:
        for flag in _FLAGS:
            _, announced, said = answer.rpartition(flag)
            answer = said.strip()
            if announced:
                answer = answer.split("\n")[0].split(". ")[0]
    answer = _math_answer(answer)
    for form, letter in _LETTERS:
        answer = answer.replace(form, letter)
    return answer.rstrip(".").lstrip(":").strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _math_answer(text: str) -> str:
    text = text.lower().replace("{}", "")
    if boxed := _BOXED.findall(text):
        text = boxed[-1]
    opened, closed = text.find("{"), text.find("}")
    if closed != -1 and (opened == -1 or closed < opened):
        text = text[:closed]
    text = text.rpartition("=")[2].rpartition("\\approx")[2]
    for old, new in _DROPPED:
        text = text.replace(old, new)
    return _stripped(text)


def _stripped(text: str) -> str:
    for old, new in (("\n", ""), ("\\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"),
                     ("\\left", ""), ("\\right", ""), ("^{\\circ}", ""), ("^\\circ", ""),
                     ("\\$", ""), ("$", "")):  # fmt: skip
        text = text.replace(old, new)
    text = text.rpartition("\\text{ ")[2].replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    if text[0] == ".":
        text = "0" + text
    for mark in ("=", "\\approx"):
        if text.count(mark) == 1:
            text = text.rpartition(mark)[2]
    roots = "sqrt" in text
    if roots:
        text = _braced_roots(text)
    text = text.replace(" ", "")
    if roots:
        text = _braced_fractions(text)
    if text == "0.5":
        text = "\\frac{1}{2}"
    return _slashed(text)


def _braced_roots(text: str) -> str:
    first, *rest = text.split("\\sqrt")
    return first + "".join(
        f"\\sqrt{{{part[0]}}}{part[1:]}" if part and part[0] != "{" else f"\\sqrt{part}"
        for part in rest
    )


def _braced_fractions(text: str) -> str:
    first, *rest = text.split("\\frac")
    result = first
    for part in rest:
        if part.startswith("{"):
            result += f"\\frac{part}"
        elif len(part) < 2:
            return text
        elif part[1] == "{":
            result += f"\\frac{{{part[0]}}}{part[1:]}"
        else:
            result += f"\\frac{{{part[0]}}}{{{part[1]}}}{part[2:]}"
    return result


def _slashed(text: str) -> str:
    parts = text.split("/")
    if len(parts) != 2:
        return text
    try:
        above, below = map(int, parts)
    except ValueError:
        return text
    return f"\\frac{{{above}}}{{{below}}}" if text == f"{above}/{below}" else text


def is_equal(one: str, other: str) -> bool:
    """Whether two answers are the same text, the same tuple, or the same number to two decimals.

    Raises `Undecided` where the official script would not end.
    """
    one, other = one.lower(), other.lower()
    if not one.replace(" ", "") or not other.replace(" ", ""):
        return False
    if one.strip() == other.strip():
        return True
    one, other = _tuple(one), _tuple(other)
    if one == other:
        return True
    try:
        return round(latex_value(other), 2) == round(latex_value(one), 2)
    except (ValueError, OverflowError):
        return False


def _tuple(text: str) -> str:
    """A tuple or list with its elements evaluated, any other text as it is."""
    elements = text[1:-1].split(",")
    if len(elements) < 2 or (text[0], text[-1]) not in (("(", ")"), ("[", "]")):
        return text
    try:
        return text[0] + ",".join(_elements(elements)) + text[-1]
    except (ValueError, OverflowError):
        return text


def _elements(elements: Sequence[str]) -> Iterator[str]:
    for element in elements:
        unknown = "infty" in element or element in ("a", "-a")
        yield element if unknown else str(round(latex_value(element), 2))
