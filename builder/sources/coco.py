"""COCO pictures, which several sources use and every copy of COCO names in its own way."""

from __future__ import annotations

from .files import Files

_NAMES = {
    "COCO_*.jpg": "COCO_{part}_{number:012d}.jpg",  # since 2014
    "0*.jpg": "{number:012d}.jpg",  # since 2017
    "*.jpg": "{number}.jpg",  # the released MathV360K
}


def naming(images: Files) -> str:
    """How the pictures in this folder are named, as a format of `part` and `number`."""
    found = (name for glob, name in _NAMES.items() if next(images.matches(glob), None))
    return next(found, _NAMES["COCO_*.jpg"])


def picture(number: int) -> str:
    """What all sources call the COCO picture of this id."""
    return f"coco/{number}"
