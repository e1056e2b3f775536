"""Files in the format of the released MathV360K, of any size, with the bad rows consumers met.

As a script it makes one from the real images of the shared samples:
`python tests/release_file.py SHARED_SOURCES OUT --rows 360000 --images 40000`.
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

LETTER_HINT = (
    "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, "
    "at the end."
)
INTEGER_HINT = (
    "Hint: Please answer the question requiring an integer answer and provide the final value, "
    "e.g., 1, 2, 3, at the end."
)
FINAL_HINT = "Hint: Please answer the question and provide the final answer at the end."
FIRST_SYNTHETIC = 38_734


@dataclass
class ReleaseFile:
    """What was written, and what reading it has to give."""

    annotations: Path
    images: Path
    rows: int = 0
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Questions by source and kind."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows by reason."""


def write_release(
    out: Path, pictures: Iterable[tuple[str, str, bytes]], rows: int, bad: bool = True
) -> ReleaseFile:
    """`train_samples_all_tuning.json` and `data_images.zip` in `out` about (source, file, bytes).

    With about `rows` good rows, the originals first; with `bad`, one in 200 rows is malformed in
    one of the ways of `_bad_rows`, in turn.
    """
    made = ReleaseFile(out / "train_samples_all_tuning.json", out / "data_images.zip")
    names = []
    with zipfile.ZipFile(made.images, "w") as archive:
        for source, file, data in pictures:
            archive.writestr(f"data_images/{source}/images/{file}", data)
            names.append((source, f"{source}/images/{file}"))
        if bad:
            archive.writestr("data_images/TabMWP/images/text.png", b"this is no picture")
            archive.writestr("data_images/TabMWP/images/cut.png", png(99)[:-40])
            archive.writestr("data_images/TabMWP/images/empty.png", b"")
            archive.writestr("../outside.png", png(1))
            made.rejected["unsafe_path"] += 1
    rng = Random(0)
    with made.annotations.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for number, row in enumerate(_rows(names, rows, made, rng, bad)):
            file.write((",\n" if number else "") + json.dumps(row))
            made.rows += 1
        file.write("\n]\n")
    return made


def _rows(
    names: list[tuple[str, str]], rows: int, made: ReleaseFile, rng: Random, bad: bool
) -> Iterator[dict[str, Any]]:
    faults = _bad_rows(made)
    for number in range(rows):
        turn, place = divmod(number, len(names))
        source, image = names[place]
        identity = f"identity_{number if turn == 0 else FIRST_SYNTHETIC + number}"
        kind = "original" if turn == 0 else "synthetic"
        yield _row(identity, image, *_question(number, rng))
        made.accepted[source, kind] += 1
        if bad and number % 200 == 199:
            yield from next(faults)(source, image, number)


def _question(number: int, rng: Random) -> tuple[str, str]:
    """A question that no other row asks, and its answer, in one of the forms of the release."""
    a, b = rng.randint(2, 99), rng.randint(2, 99)
    asked = f"Row {number}: what is the sum of {a} and {b} in the figure shown?"
    if number % 3 == 0:
        listed = "\n".join(f"({c}) {a + b + i} of row {number}" for i, c in enumerate("ABCD"))
        return f"<image>\n{LETTER_HINT}\nQuestion: {asked}\nChoices:\n{listed}", "A"
    if number % 3 == 1:
        return f"<image>\n{INTEGER_HINT}\nQuestion: {asked} (Unit: $)", str(a + b)
    return f"<image>\n{FINAL_HINT}\nQuestion: {asked}", f"{a}.{b}"


def _row(identity: str, image: str, question: str, answer: str) -> dict[str, Any]:
    return {
        "id": identity,
        "image": image,
        "conversations": [
            {"from": "human", "value": question},
            {"from": "gpt", "value": f"The answer is {answer}"},
        ],
    }


def _bad_rows(made: ReleaseFile) -> Iterator[Any]:
    """Endlessly, functions that give malformed rows and note how they have to be rejected."""
    numbers = count(900_000)

    def image(reason: str, path: str) -> Any:
        def rows(_source: str, _image: str, number: int) -> Iterator[dict[str, Any]]:
            made.rejected[reason] += 1
            yield _row(
                f"identity_{next(numbers)}", path.format(number), f"Question: {number}?", "1"
            )

        return rows

    def changed(reason: str, change: dict[str, Any]) -> Any:
        def rows(_source: str, image: str, number: int) -> Iterator[dict[str, Any]]:
            made.rejected[reason] += 1
            row = _row(f"identity_{next(numbers)}", image, f"Question: bad {number}?", "1")
            yield {**row, **change}

        return rows

    def answered(reason: str, first: str, second: str, kept: int) -> Any:
        def rows(source: str, image: str, number: int) -> Iterator[dict[str, Any]]:
            for answer in (first, second):
                yield _row(f"identity_{next(numbers)}", image, f"Question: twice {number}?", answer)
            made.rejected[reason] += 2 - kept
            made.accepted[source, "synthetic"] += kept

        return rows

    def same_id(_source: str, image: str, number: int) -> Iterator[dict[str, Any]]:
        made.rejected["duplicate_id"] += 1
        yield _row("identity_0", image, f"Question: another {number}?", "1")

    def no_such_choice(_source: str, image: str, number: int) -> Iterator[dict[str, Any]]:
        made.rejected["answer_not_among_choices"] += 1
        text = f"Question: Which {number}?\nChoices:\n(A) one\n(B) two"
        yield _row(f"identity_{next(numbers)}", image, text, "E")

    faults = [
        image("image_missing", "TabMWP/images/nowhere-{}.png"),
        image("image_unreadable", "TabMWP/images/text.png"),
        image("image_truncated", "TabMWP/images/cut.png"),
        image("image_empty", "TabMWP/images/empty.png"),
        image("unsafe_path", "../../etc/passwd"),
        image("unsafe_path", "/etc/passwd"),
        image("unknown_source", "KVQA/images/1.png"),
        changed("malformed_row", {"conversations": "none"}),
        changed("malformed_row", {"image": None}),
        changed("no_answer", {"conversations": [{"from": "human", "value": "Question: Why?"},
                                                {"from": "gpt", "value": "The answer is "}]}),
        answered("duplicate_question", "The same", "the same.", 1),
        answered("conflicting_answers", "one", "two", 0),
        same_id,
        no_such_choice,
    ]  # fmt: skip
    while True:
        yield from faults


def png(number: int) -> bytes:
    """A small picture that no other number gives."""
    image = Image.frombytes("RGB", (24, 24), Random(number).randbytes(24 * 24 * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def small_pictures(images: int) -> Iterator[tuple[str, str, bytes]]:
    """Pictures of a kilobyte, under the names of three sources."""
    for number in range(images):
        source = ("TabMWP", "Geometry3K", "GeoQA+")[number % 3]
        yield source, f"{number}.png", png(number)


def real_pictures(samples: Path, images: int) -> Iterator[tuple[str, str, bytes]]:
    """Real images of the shared samples, repeated with another comment inside until enough."""
    files = real_files(samples)
    for number in range(images):
        path = files[number % len(files)]
        source = path.relative_to(samples).parts[0]
        yield source, f"{number}{path.suffix}", commented(path.read_bytes(), f"copy {number}")


def real_files(samples: Path) -> list[Path]:
    """Images of six sources in the shared samples."""
    return sorted(
        path
        for name in ("ChartQA", "Geometry3K", "TabMWP", "VQA-RAD", "ScienceQA", "IconQA")
        for path in (samples / name).rglob("*")
        if path.suffix in (".png", ".jpg")
    )


def commented(data: bytes, comment: str) -> bytes:
    """The same PNG or JPEG with a comment: other bytes, equal pixels."""
    text = comment.encode("ascii")
    if data.startswith(b"\x89PNG"):
        chunk = b"tEXtComment\0" + text
        length, checksum = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
        return data[:33] + length + chunk + checksum + data[33:]  # behind the header chunk
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=360_000)
    parser.add_argument("--images", type=int, default=40_000)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    written = write_release(given.out, real_pictures(given.samples, given.images), given.rows)
    print(json.dumps({"rows": written.rows, "rejected": dict(written.rejected)}))
