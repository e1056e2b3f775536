"""Numbers with their units: what a text says, and whether two say the same."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from .spelling import LONGEST, spelled

EXACTLY = Context(prec=1000, Emax=10**6, Emin=-(10**6))
"""How the values of quantities are calculated with."""
_MIN_PLACES = 2
"""Decimals that the coarser of two numbers needs for the finer one to be rounded to it."""
_WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]  # fmt: skip
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_NUMBER = re.compile(
    rf"""
    (?P<sign>[+-]?)\s?(?P<money>US\$|[$€£¥₹])?\s?(?P<inner>[+-]?)
    (?:
        (?:(?P<whole>\d+)\s)?(?P<over>\d+)\s?/\s?(?P<under>\d+)
      | (?P<digits>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d*)?|\.\d+)
        (?:[eE](?P<exp>[+-]?\d{{1,3}})(?!\w)
          |\s?[x×·*]\s?10\s?\^\s?[({{]?(?P<power>[+-]?\d{{1,3}})[)}}]?)?
      | (?P<word>{"|".join(sorted(_WORDS, key=len, reverse=True))})(?![a-z])
    )
    (?P<tail>.*)
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_MONEY = {"$": "dollar", "us$": "dollar", "€": "euro", "£": "£", "¥": "yen", "₹": "rupee"}
_UNITS = {
    name: names.split()[0]
    for names in (
        "mm millimeter millimetre", "cm centimeter centimetre", "dm decimeter decimetre",
        "m meter metre", "km kilometer kilometre", "foot feet ft", "inch inches in", "yard yd",
        "mile mi", "mg milligram", "g gram gm", "kg kilogram kilo", "tonne", "ton",
        "pound lb lbs", "ounce oz", "l L liter litre", "ml mL milliliter millilitre",
        "gallon gal", "quart qt", "pint pt", "cup", "second sec s", "minute min",
        "hour hr h", "day", "week", "month", "year yr", "° degree deg", "rad radian",
        "°C ℃ celsius", "°F ℉ fahrenheit", "kelvin K", "dollar usd $", "cent ¢", "euro eur €",
        "£ gbp", "yen jpy", "yuan rmb cny", "rupee inr ₹", "% percent percentage pct", "newton N",
        "joule J", "kj kilojoule", "watt W", "kilowatt kw", "volt V", "ampere amp A", "ohm Ω",
        "hz hertz", "pascal pa", "kpa", "mol mole", "acre", "hectare ha", "point", "mph",
    )
    for name in names.split()
}  # fmt: skip
_COMPOUND = {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "kmph": "km/hour"}
_UNIT = re.compile(
    r"(?:(?P<before>square|sq\.?|cubic|cu\.?) ?)?(?P<name>[^\W\d_]+|°[CF]?|[%$€£¢₹℃℉])"
    r"(?P<after>\s?\^\s?[23]|[23]| squared| cubed)?\.?",
    re.IGNORECASE,
)


class Quantity(NamedTuple):
    value: Decimal | Fraction
    places: int | None
    """Digits behind the point, None where the value is exact."""
    unit: str

    def decimal(self) -> Decimal:
        """The value, of fractions as exact as calculations are."""
        if isinstance(self.value, Decimal):
            return self.value
        return EXACTLY.divide(Decimal(self.value.numerator), Decimal(self.value.denominator))


@lru_cache(maxsize=1 << 14)
def read_quantity(plain: str, unit: str | None) -> Quantity | None:
    """The number and the unit that a text is, None where it is anything else.

    A number that says no unit has the asked one.
    """
    match = _NUMBER.fullmatch(plain)
    if match is None or (match["sign"] and match["inner"]):
        return None
    tail = match["tail"].strip()
    exponent = int(match["exp"] or match["power"] or 0)
    scale, _, after = tail.partition(" ")
    scale = scale.casefold()
    if scale in _SCALES and not match["under"] and not _names(tail, unit):
        exponent, tail = exponent + _SCALES[scale], after
    measured = said_unit(tail, unit)
    if measured is None:
        return None
    if match["money"]:
        money = _MONEY[match["money"].casefold()]
        if tail and measured != money:
            return None
        measured = money
    sign = match["sign"] or match["inner"]
    if match["under"]:
        if not int(match["under"]):
            return None
        value = int(match["whole"] or 0) + Fraction(int(match["over"]), int(match["under"]))
        return Quantity(-value if sign == "-" else value, None, measured)
    digits = match["digits"]
    digits = digits.replace(",", "") if digits else _WORDS.index(match["word"].casefold())
    value = Decimal(f"{sign}{digits}e{exponent}")
    last = value.as_tuple().exponent
    return Quantity(value, max(0, -last) if isinstance(last, int) else None, measured)


def same_quantity(one: Quantity, other: Quantity) -> bool:
    """Whether they are equal or one is the other's rounding; no unit is like any."""
    if one.unit and other.unit and one.unit != other.unit:
        return False
    if one.value == other.value:
        return True
    coarser, finer = sorted((one, other), key=_fineness)
    if coarser.places is None or coarser.places < _MIN_PLACES or finer.places == coarser.places:
        return False
    value = finer.decimal()
    if value.adjusted() > LONGEST:
        return False
    step = Decimal(1).scaleb(-coarser.places)
    return any(
        value.quantize(step, rounding, EXACTLY) == coarser.value
        for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)
    )


def _fineness(number: Quantity) -> float:
    return float("inf") if number.places is None else number.places


def said_unit(tail: str, unit: str | None) -> str | None:
    """The unit a number's tail says, the asked one where it says none, None if it is no unit."""
    return asked_unit(unit) if not tail or _names(tail, unit) else _canonical(tail)


def asked_unit(unit: str | None) -> str:
    """One name for the unit that is asked for, empty where none is; it may be any word."""
    if not unit or not unit.strip():
        return ""
    said = spelled(unit)
    name = _canonical(said.plain)
    return said.key if name is None else name


def _names(tail: str, unit: str | None) -> bool:
    return unit is not None and spelled(unit).key == spelled(tail).key


@lru_cache(maxsize=1 << 10)
def _canonical(text: str) -> str | None:
    """One name for the spellings of a unit, empty for `units`, None for what is no unit."""
    parts = [_one_unit(part.strip()) for part in re.split(r"/| per ", text.strip())]
    return None if None in parts else "/".join(part for part in parts if part is not None)


def _one_unit(text: str) -> str | None:
    match = _UNIT.fullmatch(text)
    if match is None:
        return None
    word = match["name"]
    lower = word.casefold()
    power = (match["before"] or match["after"] or "").casefold().strip()
    power = "^2" if power[-1:] == "2" or power[:2] == "sq" else "^3" if power else ""
    if lower in ("unit", "units"):
        return ""
    names = (word,) if len(word) == 1 else (word, lower, lower.removesuffix("s"))
    known = next((_UNITS[name] for name in names if name in _UNITS), None)
    if known is None:
        return _COMPOUND.get(lower) if not power else None
    return _COMPOUND.get(known, known) + power
