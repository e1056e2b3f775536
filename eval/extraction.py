"""From a model's response to the short answer that MathVista's scorer takes, without a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from ..builder.answers import final_answer, find_choice

NO_ANSWER = "Cannot be determined"
"""What is extracted where a response says that it has no answer to choose."""

_LONGEST = 20_000
"""Letters of a response that are read, from its end."""
_SHORT = 60
"""Letters that an answer without its sentence has at most."""
_ALIKE = 85
"""Per cent of a choice's words that a response must have for it to mean the choice."""
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip
_SAID = re.compile(rf"(?<!\bthe )\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z*$\\(])|\n+|(?<=。)")
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d[\d,]*\d|\d)(?:\.\d+)?|(?<![\w.])-?\.\d+")
_LIST = re.compile(r"\[[^\[\]]*\]")
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_PLURAL = re.compile(r"(?<=\w\w)s\b")

_OPENED = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.:)]|([A-Z])(?=\n|$)|([A-Z]) is the )")
_NAMED = re.compile(
    r"(?:(?i:answer|option|choice|letter)|选项|答案|选)"
    r"(?: (?i:letter|number|here))?(?: (?i:for|to) [^.\n]{1,40}?)?\s?"
    r"(?:(?i:is|are|be|would be)\b|[:：为是])\s?:?\s?"
    r"[*\"'(（]{0,3}([A-Z])(?![\w'’]| [a-z])"
    r"|(?i:option|choice) \(?([A-Z])\)? is (?:the )?(?:correct|right|best)"
    r"|(?i:correct|right|best|final) (?i:answer|option|choice),? [\"'(（]{0,2}([A-Z])(?![\w'’])"
)
_BRACKETED = re.compile(r"(?<!\w)[(（]([A-Z])[)）](?! (?:is|are) (?:in|not|wrong|true|false))")

_NEGATION = re.compile(r"\b(?:no|not|none|neither|cannot|never)\b|n't\b", re.IGNORECASE)
_MORE = re.compile(
    r"\b(?:more|greater|larger|bigger|higher|longer|taller)\b.{0,200}\bthan\b", re.IGNORECASE
)
_FEWER = re.compile(r"\b(?:less|fewer|smaller|lower|shorter)\b.{0,200}\bthan\b", re.IGNORECASE)
_SAME = re.compile(r"\b(?:equal to|the same|as many)\b", re.IGNORECASE)
_DECLINED = re.compile(
    r"\b(?:can(?: ?not|'t|’t)|unable to|(?:im|not )possible to|difficult to|could not) "
    r"(?:\w+ ){0,2}"
    r"(?:determine|answer|provide|help|see|tell|calculate|find|identify|view|say|access|analy[sz]e)"
    r"|\bnot (?:\w+ )?(?:provided|given|specified|available|listed|among)\b"
    r"|\b(?:enough|sufficient|more|specific) (?:information|data|context)\b"
    r"|\b(?:insufficient|not determinable|is unknown|cannot be determined)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"(?:^|, )(?:if|when|given that) [^,.]*,", re.IGNORECASE)
_LISTED = re.compile(r"\(?[A-Z][):.] |Choices:$")
_THEREFORE = re.compile(
    r"\b(?:therefore|thus|hence|answer|correct)\b|^(?:so|overall|in (?:conclusion|summary))\b"
    r"|所以|因此|答案",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"(?:there (?:are|is|were|was|will be)|\bis|\bare|\bwas|\bwere|equals?|equal to|=|≈|"
    r"\bhas|\bhave|total of|answer:?|\bin|\bbe|\bby)\s*"
    r"(?:only |about |approximately |exactly |a total of |still )*"
    r"[$£€]?\s*(-?(?:\d[\d,]*\d|\d)(?:\.\d+)?|-?\.\d+)(?![\w,]*\d)",
    re.IGNORECASE,
)
_AFTER = re.compile(r".*(?:\b(?:is|are|be|equals?|equal to|was)\b|[=≈:是为])\s*", re.IGNORECASE)


def extract(response: str, record: Mapping[str, Any]) -> str:
    """The answer in a response to a record's question, empty where it says none.

    `record` has `question_type`, `answer_type` and `choices`, and `question` where it is known. Of
    choices it is the choice's text, else a number or a list.
    """
    text = response.rpartition("</think>")[2][-_LONGEST:].strip()
    if not text:
        return ""
    question = str(record.get("question") or "")[-_LONGEST:]
    if record["question_type"] == "multi_choice":
        return _choice(text, record["choices"] or (), question)
    if record["answer_type"] == "list":
        lists = _LIST.findall(text)
        return lists[-1] if lists else ""
    return _number(text, question)


def _choice(text: str, choices: Sequence[str], question: str) -> str:
    said = final_answer(text)
    place = find_choice(said, choices) if len(said) <= _SHORT else None
    if place is not None:
        return choices[place]
    if lettered := _lettered(text, choices):
        return lettered
    numeric = any(map(_is_number, choices))
    if "\\boxed" in text and numeric:
        return said
    sentences = [_CONDITION.sub("", s.replace("**", "")) for s in _sentences(text)]
    conclusions = [s for s in reversed(sentences) if _THEREFORE.search(s)]
    if named := _first_named(conclusions, choices, numeric):
        return named
    if any(_DECLINED.search(sentence) for sentence in sentences[-3:]):
        return NO_ANSWER
    if named := _first_named(sentences[:: -1 if numeric else 1], choices, False):
        return named
    if sentences and {choice.lower() for choice in choices} == {"yes", "no"}:
        return _yes_or_no(text, choices, question)
    if held := _held(sentences, choices):
        return held
    alike = [fuzz.token_set_ratio(choice.lower(), text.lower()) for choice in choices]
    best = max(alike, default=0)
    if best >= _ALIKE and alike.count(best) == 1:
        return choices[alike.index(best)]
    return _number(text, question) if numeric else ""


def _lettered(text: str, choices: Sequence[str]) -> str:
    """What is said by the letter that a response announces, opens with, or has in brackets.

    That is the choice, or what stands after the letter where this is another one, or the letter
    where there is no such choice.
    """
    place = max(_NAMED.finditer(text), key=lambda match: match.start(), default=None)
    place = place or _OPENED.match(text)
    if place is None:
        places = list(_BRACKETED.finditer(text))
        there = {p[1] for p in places if ord(p[1]) - ord("A") < len(choices)}
        if not there or len(there) == len(choices) > 1:  # all of them: the question again
            return ""
        place = [p for p in places if p[1] in there][-1]
    rest = text[place.end() :].lstrip(")）.: ").partition("\n")[0]
    for choice in sorted(choices, key=len, reverse=True):
        if re.match(rf"{re.escape(choice)}(?:[.,;!](?!\d)|$| [a-z])", rest, re.IGNORECASE):
            return choice
    letter = next(filter(None, place.groups()))
    index = ord(letter) - ord("A")
    return choices[index] if index < len(choices) else letter


def _first_named(sentences: Iterable[str], choices: Sequence[str], numeric: bool) -> str:
    """The choice (or else number) that the first sentence names that names one."""
    for sentence in sentences:
        if _DECLINED.search(sentence):
            continue
        if (after := _AFTER.match(sentence)) and len(sentence) - after.end() < _SHORT:
            place = find_choice(sentence[after.end() :].rstrip(". "), choices)
            if place is not None:
                return choices[place]
        if numeric and (cued := _CUE.findall(sentence)):
            return _mentioned(cued[-1], choices) or cued[-1]
        if named := _mentioned(sentence, choices):
            return named
    return ""


def _held(sentences: Sequence[str], choices: Sequence[str]) -> str:
    """The choice of several words that the first sentence has that has those of just one."""
    for sentence in sentences:
        words = set(_plain(sentence).split())
        held = [c for c in choices if len(w := _plain(c).split()) > 1 and words.issuperset(w)]
        if len(held) == 1:
            return held[0]
    return ""


def _is_number(choice: str) -> bool:
    return re.match(r"\W*\d|.*(?:√|\\frac|\\sqrt|π)", choice) is not None


def _direction(text: str) -> str:
    more, fewer = _MORE.search(text), _FEWER.search(text)
    return "" if bool(more) == bool(fewer) else "more" if more else "fewer"


def _yes_or_no(text: str, choices: Sequence[str], question: str) -> str:
    asked, told = _direction(question), _direction(text)
    same = asked and _SAME.search(text)
    word = "no" if same or _NEGATION.search(text) or (asked and told and asked != told) else "yes"
    return next(choice for choice in choices if choice.lower() == word)


def _mentioned(sentence: str, choices: Sequence[str]) -> str | None:
    """The choice that a sentence names: the first of texts, the last of numbers."""
    sought = {_plain(choice).strip(". "): choice for choice in reversed(choices)}
    longest_first = sorted(filter(None, sought), key=len, reverse=True)
    named = "|".join(map(re.escape, longest_first))
    found = re.findall(rf"(?<![\w.])(?:{named})(?!\w|\.\d)", _plain(sentence)) if named else []
    if found:
        return sought[found[-1 if all(map(_is_number, choices)) else 0]]
    values = {float(n[0]): c for c in choices if len(n := _numbers(c)) == 1}
    same = [values[n] for n in map(float, _numbers(sentence)) if n in values]
    return same[-1] if same else None


def _plain(text: str) -> str:
    """A text in small letters, words without the s of the plural, hyphens as blanks."""
    return _PLURAL.sub("", text.lower().replace("-", " ")).rstrip(".")


def _numbers(text: str) -> list[str]:
    return [number.replace(",", "") for number in _NUMBER.findall(text)]


def _digits(text: str) -> str:
    """A text with digits for its number words."""
    return _SAID.sub(lambda word: str(_WORDS.index(word[0].lower())), text)


def _sentences(text: str) -> list[str]:
    """The sentences and lines of a text, without questions and the choices after them."""
    told, asked = list[str](), False
    for sentence in _SENTENCE.split(text):
        asked = sentence.endswith("?") or (asked and _LISTED.match(sentence) is not None)
        if not asked:
            told.append(sentence)
    return told


def _number(response: str, question: str) -> str:
    """The number that is announced, else a conclusion's, else the one in bold, else the last."""
    said = final_answer(response)
    asked = set(_numbers(_digits(question)))
    sentences = _sentences(_digits(said))
    if said != response.strip() and (sentences and (numbers := _numbers(sentences[0]))):
        return numbers[0] if sentences[0].startswith(numbers[0]) else numbers[-1]
    if any(_DECLINED.search(sentence) for sentence in sentences[-3:]):
        return ""
    conclusions = [s for s in reversed(sentences) if _THEREFORE.search(s)]
    for sentence in conclusions:
        if told := _told(sentence, asked) or (_numbers(sentence) or [""])[-1]:
            return told
    for part in _BOLD.findall(said):
        if numbers := _numbers(part):
            return numbers[0]
    words = set(_plain(question).split())
    last_first = sentences[::-1]
    for sentence in sorted(last_first, key=lambda s: -len(words & set(_plain(s).split()))):
        if told := _told(sentence, asked):
            return told
    for sentence in reversed(sentences):
        if numbers := _numbers(sentence):
            return numbers[-1]
    return ""


def _told(sentence: str, asked: set[str]) -> str:
    """The number that a sentence tells and the question does not."""
    sentence = sentence.replace("**", "")
    for numbers in (_CUE.findall(sentence), _NUMBER.findall(sentence)):
        told = [number.replace(",", "") for number in numbers]
        if fresh := [number for number in told if number not in asked]:
            return fresh[-1 if "=" in sentence else 0]
    return ""
