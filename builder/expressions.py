"""Whether two mathematical expressions say the same, by math-verify and SymPy behind guards.

Answers are anyone's text: what could keep a parser busy is never given to it.
"""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from functools import lru_cache
from itertools import permutations
from typing import Any

from .quantities import EXACTLY, Quantity, asked_unit, said_unit, same_quantity
from .spelling import COMMAND, LONGEST, closes, closing

DEEPEST = 4
"""Levels of brackets beyond which the parser's time explodes."""
_LARGEST_POWER = 2000
_MOST_HEAVY = 7
"""Quotients, roots, functions: each that stands in another doubles the time to a value."""
_MOST_BARS = 8
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "θ": "theta", "λ": "lambda", "µ": "mu",
    "ρ": "rho", "σ": "sigma", "φ": "phi", "ω": "omega", "Δ": "Delta",
}  # fmt: skip
_TO_LATEX = str.maketrans(
    {
        "×": r"\times ", "·": r"\cdot ", "÷": r"\div ", "π": r"\pi ", "±": r"\pm ", "≤": r"\le ",
        "≥": r"\ge ", "≠": r"\neq ", "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ",
        **{letter: rf"\{name} " for letter, name in _GREEK.items()},
    }
)  # fmt: skip
_FUNCTIONS = (
    "arcsin", "arccos", "arctan", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln",
)  # fmt: skip
_COMMANDS = {
    "frac", "sqrt", "pi", "times", "cdot", "div", "pm", "le", "ge", "neq", "infty", "cup", "cap",
    *_FUNCTIONS, *_GREEK.values(),
}  # fmt: skip
_FUNCTION = re.compile(rf"(?<![\\A-Za-z])({'|'.join(_FUNCTIONS)})(?![A-Za-z])")
_PI = re.compile(r"(?<![\\A-Za-z])pi(?![A-Za-z])")
_ROOT_SIGN = re.compile(r"√\s?(\d+(?:\.\d+)?|[A-Za-z])")
_BARE_ROOT = re.compile(r"\\sqrt\s?(\d|[A-Za-z](?![A-Za-z]))", re.ASCII)
_ROOT_OPENS = re.compile(r"√\s?\(|(?<![\\A-Za-z])sqrt\s?\(")
_PLAIN_POWER = re.compile(r"\s?\^\s?(?:\((-?\d+(?:/\d+)?|-?[A-Za-z])\)|(-?\d+))")
_SAFE_CHARACTERS = re.compile(r"[A-Za-z0-9\s+\-*/^=<>().,{}\[\]|\\_]+", re.ASCII)
_POWER = re.compile(
    r"\^(?:\{-?(?:(\d{1,2})|\d{0,2}[A-Za-z]|\d{1,2}/\d{1,2}|\\frac\{\d{1,2}\}\{\d{1,2}\})\}"
    r"|(\d)|[A-Za-z])(?!\s*\^)",
    re.ASCII,
)
_RANGE_OR_DATE = re.compile(r"\d+\s?-\s?\d+|\d+([-/])\d+\1\d+", re.ASCII)
_HEAVY = re.compile(rf"/|\\(?:frac|div|sqrt|cup|cap|pm|{'|'.join(_FUNCTIONS)})(?![A-Za-z])")
_UNCLEAR = re.compile(
    r"\d\s+\d|\d\.\d*\.|[A-Za-z]\d|\d{21}|(?<![\\A-Za-z])[A-Za-z]{3}|\\\\|\\[^A-Za-z{}]|[-+*/^]{3}",
    re.ASCII,
)
_MEASURED = re.compile(
    r"(?P<head>(?:[^A-Za-z\\]|\\[a-z]+(?![a-z])|(?<![A-Za-z])(?:pi|sqrt)(?![A-Za-z]))*?[\d)}π])\s?"
    r"(?P<tail>[A-Za-z°%].*)"
)
_TOLERANCE = Decimal("1e-25")
_POINTS = (("0.7310585786", "1.6180339887", "0.4142135623"), ("-1.2020569", "0.5772156", "2.6854"),
           ("2.2360679", "-0.9159655", "-1.3247179"))  # fmt: skip


def same_expression(
    one: tuple[str, Quantity | None], other: tuple[str, Quantity | None], unit: str | None
) -> bool:
    """Whether two expressions have the same value; a decimal may be the other's rounding.

    Beside each stands the quantity that it is, if it is one; both are never.
    """
    (first, number), (second, another) = one, other
    if another:
        return same_expression(other, one, unit)
    first, first_unit = (first, number.unit) if number else _measured(first, unit)
    second, second_unit = _measured(second, unit)
    if first_unit and second_unit and first_unit != second_unit:
        return False
    right = _latex(second)
    if right is None:
        return False
    if number:
        value = _constant(_parsed(right))
        return value is not None and _same_constant(number, value)
    left = _latex(first)
    if left is None or left == right:
        return left is not None
    parsed = _parsed(left), _parsed(right)
    try:
        return _same_parsed(*parsed, left + right)
    except Exception:
        return False


def _measured(plain: str, unit: str | None) -> tuple[str, str]:
    """An expression without the unit behind it, and the unit; empty where there is none."""
    match = _MEASURED.fullmatch(plain)
    measured = said_unit(match["tail"], unit) if match else None
    if match is None or measured is None:
        return plain, asked_unit(unit)
    return match["head"], measured


@lru_cache(maxsize=1 << 12)
def _latex(plain: str) -> str | None:
    """The LaTeX of what looks like harmless mathematics, None for all else."""
    if _RANGE_OR_DATE.fullmatch(plain):
        return None
    text = _FUNCTION.sub(r"\\\1 ", _PI.sub("π", plain))
    text = _BARE_ROOT.sub(r"\\sqrt{\1}", _ROOT_SIGN.sub(r"\\sqrt{\1}", text))
    while opened := _ROOT_OPENS.search(text):
        end = closing(text, opened.end() - 1, "(", ")")
        if end is None:
            return None
        inside = text[opened.end() : end]
        text = rf"{text[: opened.start()]}\sqrt{{{inside}}}{text[end + 1 :]}"
    text = _PLAIN_POWER.sub(lambda power: f"^{{{power[1] or power[2]}}}", text)
    if text.startswith("{") and text.endswith("}") and closes(text):
        text = rf"\{{{text[1:-1]}\}}"
    text = text.translate(_TO_LATEX).strip()
    return text if _harmless(text) else None


def _harmless(latex: str) -> bool:
    """Whether a parser and a computer algebra system end soon with this, and it is no word."""
    if len(latex) > LONGEST or not _SAFE_CHARACTERS.fullmatch(latex) or _UNCLEAR.search(latex):
        return False
    if not {word[1] for word in COMMAND.finditer(latex)} <= _COMMANDS:
        return False
    if len(_HEAVY.findall(latex)) > _MOST_HEAVY or latex.count("|") > _MOST_BARS:
        return False
    if not re.search(r"\d|\\", latex) and (
        re.search(r"[A-Za-z]{2}", latex) or not re.search(r"[-+*/^=<>|]", latex)
    ):
        return False
    powers = list(_POWER.finditer(latex))
    product = 1
    for power in powers:
        product *= max(1, int(power[1] or power[2] or 1))
    return len(powers) == latex.count("^") and product <= _LARGEST_POWER and _shallow(latex)


def _shallow(latex: str) -> bool:
    opened = list[str]()
    for character in latex.replace("\\{", "(").replace("\\}", ")"):
        if character in "([{":
            opened.append(character)
        elif character in ")]}" and (not opened or (opened.pop() == "{") != (character == "}")):
            return False
        if len(opened) > DEEPEST:
            return False
    return not opened


@lru_cache(maxsize=1 << 10)
def _parsed(latex: str) -> Any:
    """What math-verify reads in LaTeX, without its signals and without `eval`."""
    from math_verify import LatexExtractionConfig, LatexNormalizationConfig, parse

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # warns that it has no timeout
    normal = LatexNormalizationConfig(malformed_operators=True, boxed="none")
    config = [LatexExtractionConfig(boxed_match_priority=-1, normalization_config=normal)]
    try:
        found = parse(f"${latex}$", config, fallback_mode="no_fallback", parsing_timeout=0)
    except Exception:
        return None
    return found[0] if found else None


def _constant(expression: Any) -> Decimal | None:
    try:
        value = expression.evalf(60)
        return Decimal(str(value)) if value.is_Float or value.is_Rational else None
    except Exception:
        return None


def _same_constant(number: Quantity, value: Decimal) -> bool:
    if not value.is_finite():
        return False
    exact = number.decimal()
    away = EXACTLY.subtract(exact, value).copy_abs()
    if away <= EXACTLY.multiply(_TOLERANCE, max(exact.copy_abs(), value.copy_abs())):
        return True
    return same_quantity(number, Quantity(value, None, ""))


def _same_parsed(one: Any, other: Any, text: str) -> bool:
    from math_verify import verify
    from sympy import Expr, FiniteSet

    if one is None or other is None:
        return False
    if one == other:
        return "zoo" not in str(one) and "nan" not in str(one)
    if isinstance(one, Expr) and isinstance(other, Expr):
        return _same_everywhere(one, other)
    if isinstance(one, FiniteSet) and isinstance(other, FiniteSet):
        return len(one.args) == len(other.args) <= 5 and any(
            all(_same_everywhere(a, b) for a, b in zip(one.args, order, strict=True))
            for order in permutations(other.args)
        )
    if not _verifiable(one, text) or not _verifiable(other, text):
        return False
    if _apart(one, other) or _apart(other, one):
        return False
    return any(verify(*pair, timeout_seconds=0) for pair in ((one, other), (other, one)))


def _apart(one: Any, other: Any) -> bool:
    """Whether a point that satisfies the equation `one` does not satisfy the equation `other`.

    Found only where a side of `one` is a symbol that its other side lacks; solving takes a hundred
    times as long.
    """
    from sympy import Eq, Float, Symbol
    from sympy.core.function import AppliedUndef

    if not all(isinstance(equation, Eq) for equation in (one, other)):
        return False
    kinds = Symbol, AppliedUndef
    for alone, rest in ((one.lhs, one.rhs), (one.rhs, one.lhs)):
        if not isinstance(alone, kinds) or rest.has(alone):
            continue
        unknown = sorted((one.atoms(*kinds) | other.atoms(*kinds)) - {alone}, key=str)
        if len(unknown) > len(_POINTS[0]):
            return False
        point = {s: Float(v, 40) for s, v in zip(unknown, _POINTS[0], strict=False)}
        point[alone] = rest.xreplace(point).evalf(40)
        away = (other.lhs - other.rhs).xreplace(point).evalf(30)
        return away.is_number is True and away.is_finite is True and abs(away) > 1e-9
    return False


def _verifiable(said: Any, text: str) -> bool:
    """Whether a relation or a set is so simple that solving and simplifying it ends soon."""
    if len(text) > LONGEST // 2 or len(said.free_symbols) > 3:
        return False
    if any(int(power[1] or power[2] or 9) > 2 for power in _POWER.finditer(text)):
        return False
    roots = said.free_symbols and ("\\sqrt" in text or "|" in text)
    return not roots and not any(f"\\{name}" in text for name in _FUNCTIONS)


def _same_everywhere(one: Any, other: Any) -> bool:
    """Whether two expressions agree wherever they are looked at; `simplify` may never end."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    if len(symbols) > len(_POINTS[0]):
        return False
    return all(
        _close(one, other, dict(zip(symbols, point, strict=False)))
        for point in (_POINTS if symbols else _POINTS[:1])
    )


def _close(one: Any, other: Any, point: dict[Any, str]) -> bool:
    from sympy import Float

    at = {symbol: Float(value, 40) for symbol, value in point.items()}
    values = [_parts(side.evalf(40, subs=at)) for side in (one, other)]
    if values[0] is None or values[1] is None:
        return False
    size = max(abs(part) for value in values for part in value or ())
    return all(abs(a - b) <= _TOLERANCE * size for a, b in zip(values[0], values[1], strict=True))


def _parts(value: Any) -> tuple[Decimal, Decimal] | None:
    parts = [Decimal(str(part)) for part in value.as_real_imag()]
    return (parts[0], parts[1]) if all(part.is_finite() for part in parts) else None
