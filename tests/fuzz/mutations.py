"""Inputs that are nearly right: valid ones with a few bytes changed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_PIECES = [
    b"null", b"true", b"{}", b"[]", b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000",
    b"\\ud800", b"1e999", b"-1", b"0", b"9" * 40, b"NaN", b"Infinity", b"\x00", b"\xff\xfe",
    b"\xf0\x9f\x98\x80", "٣½²".encode(), b"../../up", b"/etc/passwd", b"C:\\x", b"<script>",
    b"\\frac{", b"\\sqrt[", b"^{9^{9^9}}", b"[" * 400, b"(" * 400, b"9!!!!",
    b"\n", b"\r\n", b" " * 99,
]  # fmt: skip


def mutated(seeds: Sequence[bytes], rng: Random) -> bytes:
    """One of the seeds with one to sixteen changes: of bits, bytes, spans, numbers, pieces."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        _CHANGES[rng.randrange(len(_CHANGES))](data, seeds, rng)
    return bytes(data)


def _span(data: bytearray, rng: Random, longest: int = 64) -> slice:
    start = rng.randrange(len(data) + 1)
    return slice(start, start + rng.randint(1, longest))


def _flip(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _delete(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    del data[_span(data, rng)]


def _repeat(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    span = _span(data, rng)
    data[span.start : span.start] = data[span] * rng.randint(1, 20)


def _insert(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    place = rng.randrange(len(data) + 1)
    data[place : place + rng.choice((0, 0, 1, 4))] = rng.choice(_PIECES)


def _cut(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    if rng.random() < 0.2:
        del data[rng.randrange(len(data) + 1) :]


def _splice(data: bytearray, seeds: Sequence[bytes], rng: Random) -> None:
    other = bytearray(rng.choice(seeds))
    data[_span(data, rng)] = other[_span(other, rng, 256)]


_CHANGES = (_flip, _overwrite, _delete, _repeat, _insert, _cut, _splice)
