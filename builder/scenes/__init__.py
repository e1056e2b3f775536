"""The pictures that the embedded source draws: families of scenes for each of the five tasks."""

from . import arrangements, charts, geometry, scatter, textbook, word_problems
from .scene import Family

FAMILIES: tuple[Family, ...] = (
    *charts.FAMILIES,
    *scatter.FAMILIES,
    *geometry.FAMILIES,
    *word_problems.FAMILIES,
    *textbook.FAMILIES,
    *arrangements.FAMILIES,
)
