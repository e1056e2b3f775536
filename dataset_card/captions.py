"""What each figure of a card shows, for those who cannot see it."""

from __future__ import annotations

from .statistics import Statistics

FOLDER = "figures"
_SAYS = {
    "composition": "Questions by source and kind",
    "lengths": "Characters of a question: median, the middle half, and the middle 90 % by kind and "
    "task",
    "answers": "Answer types, and how often each letter is the answer",
    "scores": "Clarity of images, and their comprehension complexity by task",
    "sizes": "Sizes and formats of images",
}


def captions(statistics: Statistics) -> dict[str, str]:
    """What each figure shows, by its name in the dataset's folder."""
    overview = f"{headline(statistics)}, and their shares of tasks, kinds and splits"
    said = {"overview": overview, **_SAYS}
    return {f"{FOLDER}/{name}.png": text for name, text in said.items()}


def headline(statistics: Statistics) -> str:
    """How much there is, in a line."""
    sources = statistics.questions["source"].nunique()
    return (
        f"{len(statistics.questions):,} questions on {len(statistics.images):,} images of "
        f"{sources} source{'s' if sources != 1 else ''}"
    )
