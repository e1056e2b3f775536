"""The pictures that the embedded source draws: families of scenes for each of the five tasks."""

from . import arrangements, charts, geometry, textbook, word_problems
from .scene import Family

FAMILIES: tuple[Family, ...] = (
    *charts.FAMILIES,
    *geometry.FAMILIES,
    *word_problems.FAMILIES,
    *textbook.FAMILIES,
    *arrangements.FAMILIES,
)
