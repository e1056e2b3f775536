"""The released MathV360K: `train_samples_all_tuning.json` and `data_images(.zip)` as they are.

Facts about the format: README and issue #3 of HZQ950419/Math-LLaVA; arXiv 2406.17294, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import SourceError, UsageError
from .answer_form import answer_type, decimals
from .archives import ZipArchive
from .images import read_file, safe_path
from .intake import Feed
from .json_stream import stream
from .schema import AnswerType, Kind, Reason, Unusable
from .sources import SOURCES
from .sources.source import Candidate, Rejection, Source

ORIGINALS = 38_734
"""The first rows, identity_0 .. identity_38733, are the sources' own questions (Math-LLaVA #3)."""

_IDENTITY = re.compile(r"identity_(\d{1,9})", re.ASCII)
_QUESTION = re.compile(r"(?:^|\n)\s*Question:\s*", re.IGNORECASE)
_CHOICES = re.compile(r"\s*(?:^|\n)\s*Choices:\s*", re.IGNORECASE)
_CHOICE = re.compile(r"(?:^|(?<=\s))\(([A-Z])\)\s*")
_UNIT = re.compile(r"\s*\(Unit:\s*([^()]+)\)\s*$", re.IGNORECASE)
_ANSWER = re.compile(r"^\s*(?:the\s+answer\s+is|answer)\s*:?\s+", re.IGNORECASE)
_FULL_STOP = re.compile(r"(?<!\.[A-Za-z])\s*[.。]\s*$")  # but not the last dot of "P.M."
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:]?(?:\s+(?P<text>.+))?", re.DOTALL)
_WORD = re.compile(r"\w+")
_DECIMALS = re.compile(r"\b(one|two|three) decimal place", re.IGNORECASE)


@contextmanager
def open_release(annotations: Path, images: Path) -> Iterator[Feed]:
    """The release as a feed for a pool.

    `images` is the folder or the zip, whatever its top folder is called; the zip is read in place.
    Raises `errors.UsageError` where one of them is missing and `errors.SourceError` where it is
    not what it should be.
    """
    if not annotations.is_file():
        raise UsageError(f"{annotations} does not exist; give the path of the released JSON file.")
    with ExitStack() as stack:
        if images.is_dir():
            load, unsafe = partial(read_file, _base(images)), []
        elif images.is_file():
            load, unsafe = stack.enter_context(_open_zip(images))
        else:
            raise UsageError(f"{images} does not exist; give the image folder or data_images.zip.")
        file = stack.enter_context(annotations.open("rb"))
        reader = _Reader(annotations.name, load)
        yield Feed("release", chain(((None, row) for row in unsafe), reader.rows(file)))


def _base(root: Path) -> Path:
    """The folder that holds the sources' folders: `root` itself or one directly below."""
    for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
        if any((folder / name).is_dir() for name in SOURCES):
            return folder
    raise SourceError(
        f"{root} holds no folder of a source (TabMWP, Geometry3K, ...); "
        "give the folder that data_images.zip unpacks to."
    )


@contextmanager
def _open_zip(path: Path) -> Iterator[tuple[Callable[[str], bytes], list[Rejection]]]:
    """A loader of the images in a zip, by `<source>/images/<file>`, and its unsafe members."""
    with closing(ZipArchive(path)) as archive:
        members: dict[str, str] = {}
        for name in archive.names():
            parts = name.split("/")
            start = next((i for i, part in enumerate(parts) if part in SOURCES), None)
            if start is not None:
                members.setdefault("/".join(parts[start:]), name)
        unsafe = [
            Rejection(path.name, bad.reason, bad.detail, name) for name, bad in archive.unsafe
        ]
        yield partial(_read_member, archive, members), unsafe


def _read_member(archive: ZipArchive, members: dict[str, str], name: str) -> bytes:
    member = members.get(safe_path(name).as_posix())
    if member is None:
        raise Unusable(Reason.IMAGE_MISSING, f"{name!r} is not in the zip")
    return archive.read_image(member)


@dataclass(frozen=True, slots=True)
class _Original:
    """What tells a rewording of an original: its choices, its answer, its words."""

    choices: tuple[str, ...]
    answer: str
    words: list[str]


@dataclass(slots=True)
class _Reader:
    """Turns rows of the released JSON into candidates, remembering ids and originals."""

    file_name: str
    load: Callable[[str], bytes]
    ids: set[str] = field(default_factory=set)
    originals: dict[str, list[_Original]] = field(default_factory=dict)

    def rows(self, file: BinaryIO) -> Iterator[tuple[Source | None, Candidate | Rejection]]:
        for line, index, row in stream(file, self.file_name):
            if isinstance(index, str):
                raise SourceError(
                    f"{self.file_name} is a JSON object, not the released list of rows."
                )
            where = f"{self.file_name}: line {line}"
            try:
                yield self._row(where, index, row)
            except Unusable as bad:
                image = row.get("image") if isinstance(row, dict) else None
                first, _, rest = image.partition("/") if isinstance(image, str) else ("", "", "")
                known = SOURCES.get(first)
                yield known, Rejection(where, bad.reason, bad.detail, rest if known else image)

    def _row(self, where: str, index: int, row: Any) -> tuple[Source, Candidate]:
        image, human, gpt = _fields(row)
        name = _text_of(row.get("id"), f"row {index}")
        if name in self.ids:
            raise Unusable(Reason.DUPLICATE_ID, f"{name} stands here again: {human!r} {gpt!r}")
        self.ids.add(name)
        path = safe_path(image)
        source = SOURCES.get(path.parts[0])
        if source is None or len(path.parts) < 2:
            raise Unusable(Reason.UNKNOWN_SOURCE, f"{image!r} starts with no known source")
        asked = parse_question(human)
        answer, place = parse_answer(gpt, asked.choices)
        number = int(match[1]) if (match := _IDENTITY.fullmatch(name)) else index
        kind, parent = self._kind(image, asked, answer, number < ORIGINALS)
        form, precision = _form(asked.hint, answer)
        return source, Candidate(
            row=f"{where}, {name}",
            image="/".join(path.parts[1:]),
            load=partial(self.load, image),
            question=asked.question,
            answer=answer,
            choices=asked.choices,
            answer_index=place,
            answer_type=form,
            unit=asked.unit,
            precision=precision,
            kind=kind,
            parent=parent,
        )

    def _kind(
        self, image: str, asked: Asked, answer: str, original: bool
    ) -> tuple[Kind, int | None]:
        """The kind of a row, and the number of the original it was written from, if that shows.

        Same image, same three or more choices, same answer and at least half of its words: a
        rewriting of that original. A clearly shorter one is the underspecified version, one of
        about the same length the reworded one; a longer one may also be the harder one. All
        others cannot be told.
        """
        originals = self.originals.setdefault(image, [])
        words = _WORD.findall(asked.question.casefold())
        if original:
            originals.append(_Original(asked.choices, answer, words))
            return Kind.ORIGINAL, None
        same = [
            i for i, o in enumerate(originals) if (o.choices, o.answer) == (asked.choices, answer)
        ]
        if len(asked.choices) < 3 or len(same) != 1:
            return Kind.SYNTHETIC, None
        asked_first = originals[same[0]].words
        if len(set(words) & set(asked_first)) < len(set(words)) / 2:
            return Kind.SYNTHETIC, None
        ratio = len(words) / max(1, len(asked_first))
        if ratio <= 0.75:
            return Kind.SIMPLIFY, same[0]
        return (Kind.REPHRASE if ratio <= 1.25 else Kind.SYNTHETIC), same[0]


def _fields(row: Any) -> tuple[str, str, str]:
    """Image, question text and answer text of a row."""
    try:
        image, (human, gpt) = row["image"], row["conversations"]
        texts = image, human["value"], gpt["value"]
        speakers = human["from"], gpt["from"]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        detail = f"not {{id, image, conversations: [human, gpt]}} ({type(error).__name__}: {error})"
        raise Unusable(Reason.MALFORMED_ROW, detail) from None
    if speakers != ("human", "gpt") or not all(isinstance(text, str) for text in texts):
        raise Unusable(Reason.MALFORMED_ROW, f"not a question and an answer: {speakers}")
    return texts


def _text_of(value: Any, default: str) -> str:
    return default if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Asked:
    """A released question taken apart."""

    hint: str | None
    question: str
    choices: tuple[str, ...]
    unit: str | None


def parse_question(text: str) -> Asked:
    """Take apart `<image>`, hint, `Question: ...`, `Choices:` and `(A) ...`, each on a new line."""
    text = text.replace("<image>", "").replace("\r\n", "\n").strip()
    hint, marker, body = _partition(_QUESTION, text)
    if not marker:
        hint, body = "", text
    question, marker, listed = _partition(_CHOICES, body)
    choices = _choices(listed) if marker else ()
    if marker and not choices:
        raise Unusable(Reason.MALFORMED_ROW, f"no (A) below 'Choices:' in {text!r}")
    unit = _UNIT.search(question)
    if unit:
        question = question[: unit.start()]
    if not question.strip():
        raise Unusable(Reason.NO_QUESTION, f"no question in {text!r}")
    hint = hint.strip().removeprefix("Hint:").strip()
    return Asked(hint or None, question.strip(), choices, unit[1].strip() if unit else None)


def _partition(pattern: re.Pattern[str], text: str) -> tuple[str, bool, str]:
    match = pattern.search(text)
    return (text[: match.start()], True, text[match.end() :]) if match else (text, False, "")


def _choices(text: str) -> tuple[str, ...]:
    """The texts behind (A), (B), ... in their order; a letter out of order belongs to a text."""
    marks: list[re.Match[str]] = []
    for match in _CHOICE.finditer(text):
        if match[1] == chr(ord("A") + len(marks)):
            marks.append(match)
    ends = [mark.start() for mark in marks[1:]] + [len(text)][: len(marks)]
    return tuple(text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True))


def parse_answer(text: str, choices: tuple[str, ...]) -> tuple[str, int | None]:
    """The answer's text and, with choices, its position, from `The answer is X`."""
    said = _ANSWER.sub("", text).strip()
    if not said:
        raise Unusable(Reason.NO_ANSWER, f"no answer in {text!r}")
    if not choices:
        return _FULL_STOP.sub("", said) or said, None
    match = _LETTER.fullmatch(_FULL_STOP.sub("", said))
    if match:
        place = ord(match[1].upper()) - ord("A")
        meant = match["text"]
        if place < len(choices) and meant in (None, choices[place]):
            return choices[place], place
    for form in (said, _FULL_STOP.sub("", said)):
        places = [i for i, choice in enumerate(choices) if choice.casefold() == form.casefold()]
        if places:
            return choices[places[0]], places[0]
    raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, f"{said!r} is not among {list(choices)}")


def _form(hint: str | None, answer: str) -> tuple[AnswerType, int | None]:
    """Type and decimals of an answer; a hint that asks for decimals makes `5` a float."""
    form, precision = answer_type(answer), decimals(answer)
    wanted = _DECIMALS.search(hint or "")
    if wanted and form in (AnswerType.INTEGER, AnswerType.FLOAT):
        return AnswerType.FLOAT, {"one": 1, "two": 2, "three": 3}[wanted[1].lower()]
    return form, precision
