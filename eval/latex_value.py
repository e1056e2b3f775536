"""The number that a piece of LaTeX is, as MATH-V's scorer finds it, without evaluating code.

The scorer has Python evaluate what latex2sympy2 1.9.1 prints (mathllm/MATH-V at a1f5cc3,
`evaluation/utils.py`): only the longest beginning that is a formula counts, letters have no value,
and a quotient is a float even where it is whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

Value = int | float

_MOST_BITS = 1 << 22
_MOST_FACTORIAL = 20_000
_DEEPEST = 100
_LONGEST = 2_000
_RATIO = re.compile(r"\(([a-zA-Z0-9+\-*/\\ ]+?)\)_{([a-zA-Z0-9+\-*/\\ ]+?)}")
_TOKEN = re.compile(
    r"(?P<number>\d*(?:,\d{3})*\.\d+|\d+(?:,\d{3})*)(?P<percent>\\%)?"
    r"|(?P<command>\\(?:[a-zA-Z]+|[{}|]))|(?P<letter>[a-zA-Z])"
    r"|(?P<sign>[<>=!]=|[-+*/:^_(){}\[\]|=<>!,;.&'])"
)
_BLANK = re.compile(r"\s+|\\displaystyle|\\quad|\\qquad|~|\\,|\$|\\left(?![a-z])|\\right(?![a-z])")
_ONE_ARGUMENT: dict[str, Callable[[Value], Value]] = {
    "\\sin": math.sin, "\\cos": math.cos, "\\tan": math.tan,
    "\\sinh": math.sinh, "\\cosh": math.cosh, "\\tanh": math.tanh,
    "\\arcsin": math.asin, "\\arccos": math.acos, "\\arctan": math.atan,
    "\\arsinh": math.asinh, "\\arcosh": math.acosh, "\\artanh": math.atanh,
    "\\exp": math.exp, "\\log": lambda x: math.log(x, 10),
}  # fmt: skip
_CONSTANTS = {"\\pi": math.pi, "\\tau": math.tau}
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}"}
_TIMES = frozenset(("*", "\\times", "\\cdot"))
_OVER = frozenset(("/", ":", "\\div"))
_RELATIONS: dict[str, Callable[[Value, Value], bool]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b,
    "\\le": lambda a, b: a <= b, "\\leq": lambda a, b: a <= b,
    "\\ge": lambda a, b: a >= b, "\\geq": lambda a, b: a >= b,
    "\\lt": lambda a, b: a < b, "\\gt": lambda a, b: a > b,
}  # fmt: skip


class Undecided(Exception):
    """The number is too large to be computed; the official script would not come back."""


@lru_cache(maxsize=4096)
def latex_value(latex: str) -> Value:
    """The number; raises `ValueError` where there is none, `OverflowError`, or `Undecided`."""
    if len(latex) > _LONGEST:
        raise ValueError("too long")
    try:
        return _Parser(_RATIO.sub(r"\\frac{(\1)!}{((\1)-(\2))!}", latex)).value()
    except (ZeroDivisionError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


class _Parser:
    """Reads from left to right; what follows the formula is not looked at."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._next()

    def value(self) -> Value:
        if self._kind == "letter" and self._text[self._at :].lstrip(" $~").startswith("="):
            self._next()
            self._next()
            return self.value()
        result = self._sum()
        while (relation := _RELATIONS.get(self._token)) is not None:
            self._next()
            result = int(relation(result, self._sum()))
        if self._token in ("=", "==", "!=", "<=", ">=", ",", ";", ":") or self._kind == "unknown":
            raise ValueError(f"{self._token!r} after a number")
        return _real(result)

    def _next(self) -> None:
        while blank := _BLANK.match(self._text, self._at):
            self._at = blank.end()
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            end = self._at >= len(self._text)
            self._kind, self._token = ("end", "") if end else ("unknown", self._text[self._at])
            return
        self._kind, self._token = str(found.lastgroup), found[0]
        if self._kind == "percent":
            self._kind = "number"
        self._at = found.end()

    def _take(self, token: str) -> bool:
        if self._token == token and self._kind != "unknown":
            self._next()
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ValueError(f"{token!r} is missing")

    def _sum(self) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too deep")
        result = self._product()
        while self._token in ("+", "-"):
            sign = self._token
            self._next()
            other = self._product()
            result = result + other if sign == "+" else result - other
        self._depth -= 1
        return result

    def _product(self, functions: bool = True) -> Value:
        result = self._unary(functions)
        while self._token in _TIMES or self._token in _OVER:
            times = self._token in _TIMES
            self._next()
            other = self._unary(functions)
            result = _times(result, other) if times else result / other
        return result

    def _unary(self, functions: bool) -> Value:
        if self._take("+"):
            return self._unary(functions)
        if self._take("-"):
            return -self._unary(functions)
        result = self._postfix()
        while self._starts(functions):
            result = _times(result, self._postfix())
        return result

    def _starts(self, functions: bool) -> bool:
        """Whether another factor follows at once."""
        if self._kind in ("number", "letter"):
            return True
        if self._kind == "command":
            plain = self._token in _CONSTANTS or self._token in ("\\frac", "\\binom", "\\{")
            return plain or (functions and self._token not in _TIMES | _OVER | _RELATIONS.keys()
                             and self._token not in ("\\}", "\\rfloor"))  # fmt: skip
        return self._token in ("(", "[", "{", "|") and self._kind == "sign"

    def _postfix(self) -> Value:
        result = self._power()
        while self._token in ("!", "'"):  # the other transposes, which a number does not mind
            result = _factorial(result) if self._token == "!" else result
            self._next()
        return result

    def _power(self) -> Value:
        if self._token == "e" and self._kind == "letter":
            self._next()
            if self._token != "^":
                raise ValueError("e is a letter")
            self._next()
            result: Value = math.exp(self._exponent())
        else:
            result = self._atom()
        while self._take("^"):
            result = _power(result, self._exponent())
        return result

    def _exponent(self) -> Value:
        if self._take("{"):
            result = self._sum()
            self._expect("}")
            return result
        if self._kind == "number" or self._token in _CONSTANTS:
            return self._atom()
        raise ValueError("no exponent")

    def _atom(self) -> Value:
        kind, token = self._kind, self._token
        self._next()
        if kind == "number":
            return _number(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if token in _CLOSING and kind != "unknown":
            result = self._sum()
            self._expect(_CLOSING[token])
            return result
        if token == "\\lfloor":
            result = self._sum()
            self._expect("\\rfloor")
            return math.floor(result)
        if token == "\\frac":
            return self._braced() / self._braced()
        if token == "\\binom":
            return _binomial(self._braced(), self._braced())
        if token == "\\sqrt":
            return self._root()
        if token in _ONE_ARGUMENT:
            return self._function(token)
        raise ValueError(f"{token!r} is no number")

    def _braced(self) -> Value:
        self._expect("{")
        result = self._sum()
        self._expect("}")
        return result

    def _root(self) -> Value:
        degree: Value = 2
        if self._take("["):
            degree = self._sum()
            self._expect("]")
        inside = self._braced()
        return math.sqrt(inside) if degree == 2 else _power(inside, 1 / degree)

    def _function(self, name: str) -> Value:
        base: Value | None = None
        power: Value | None = None
        if name == "\\log" and self._take("_"):
            base = self._exponent()
        if self._take("^"):
            power = self._exponent()
        if self._take("("):
            argument = self._sum()
            self._expect(")")
        else:
            argument = self._product(functions=False)
        result = math.log(argument, base) if base is not None else _ONE_ARGUMENT[name](argument)
        return result if power is None else _power(result, power)


def _number(token: str) -> Value:
    plain = token.removesuffix("\\%").replace(",", "")
    hundredths = 100 if token.endswith("\\%") else 1
    whole, _, decimals = plain.partition(".")
    above, below = int(whole + decimals), hundredths * 10 ** len(decimals)
    return above // below if above % below == 0 else above / below


def _times(one: Value, other: Value) -> Value:
    _limit(_bits(one) + _bits(other))
    return one * other


def _power(base: Value, exponent: Value) -> Value:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
        _limit(_bits(base) * abs(exponent))
    return _real(base**exponent)


def _factorial(value: Value) -> Value:
    if not isinstance(value, int) or value < 0:
        raise ValueError("no factorial")
    if value > _MOST_FACTORIAL:
        raise Undecided
    return math.factorial(value)


def _binomial(n: Value, k: Value) -> Value:
    if not isinstance(n, int) or not isinstance(k, int) or min(n, k) < 0:
        raise ValueError("no binomial coefficient")
    _limit(n)
    return math.comb(n, k)


def _bits(value: Value) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _limit(bits: int) -> None:
    if bits > _MOST_BITS:
        raise Undecided


def _real(value: object) -> Value:
    if not isinstance(value, int | float) or value != value or value in (math.inf, -math.inf):
        raise ValueError("no real number")
    return value
