r"""The values that latex2sympy2 1.9.1 and Python find, or that they find none.

The expectations were printed by the real `round(eval(str(latex2sympy(text))), 2)`, with the names
of `math` in scope (latex2sympy2 1.9.1, sympy 1.14.0, antlr4 4.7.2, Python 3.11).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.eval.latex_value import Undecided, latex_value

FOUND = {
    "5": "5", "5)": "5", "5}": "5", "5]": "5", "1,234": "1234", "5.": "5", "5_2": "5", "5'": "5",
    "5!": "120", r"5\%": "0.05", "5:2": "2.5", "1:2:3": "0.17", "x=5": "5", "e^2": "7.39",
    r"\pi": "3.14", r"2\pi": "6.28", r"\tau": "6.28", r"\frac{1}{2}": "0.5", r"3\frac{1}{2}": "1.5",
    r"\frac{\sqrt{21}}{5}}isthevalueof\sin{t": "0.92", r"\sqrt{3}": "1.73", r"\sqrt[3]{8}": "2.0",
    "2^3": "8", "2^{-1}": "0.5", "2^{0.5}": "1.41", r"4^{\frac{1}{2}}": "2.0", "-2^2": "-4",
    "(-2)^2": "4", r"\lfloor2.5\rfloor": "2", r"\sin{30}": "-0.99", r"\sin30": "-0.99",
    r"\sin^2(30)": "0.98", r"\log_{2}8": "3.0", r"\log(100)": "2.0", r"\binom{5}{2}": "10",
    r"5\times3": "15", r"6\div2": "3.0", "6/2": "3.0", "6/4/2": "0.75", "2+3*4": "14",
    "2-3-4": "-5",
    "1-(2-3)": "2", "[5]": "5", "{5}": "5", r"\{5\}": "5", "((5))": "5", "--5": "5", ".5": "0.5",
    "5 6": "30", r"\sqrt{2}5": "7.07", r"\frac{3^{1008}-1}{3^{1009}}": "0.33", "2^2^3": "64",
    "5<6": "1", r"1\frac{2}{3}": "0.67", "1 2/3": "0.67", "00012": "12", "1,2345": "6170",
    "12,345,678.5": "12345678.5", "5.5.5": "2.75", "7/7": "1.0", "0^0": "1", r"\tan(45)": "1.62",
    r"\arcsin(1)": "1.57", r"\exp(2)": "7.39", r"100\,": "100", "5&3": "5",
}  # fmt: skip
NONE = [
    "5,", "5,6", "5;", "x", "e", "2e", r"\infty", r"\frac12", r"\sqrt[3]{-8}", r"\sqrt3", "|-5|",
    r"\lceil2.5\rceil", r"\ln(5)", "(5", "5+", "5°", r"60^{\circ}", "12#", "12?", "1e3",
    r"2\mod3", r"5\mathrm{cm}", "5x", r"\alpha", r"5\cm", "6a", "5@", '5"', "5>", r"5\pm3",
    r"5\approx6", "1,23", "12,34.5", "1/0", r"\sqrt{-1}", "i", r"\cot(1)", "5**2", "5//2", "d",
    r"\begin{pmatrix}1\\2\end{pmatrix}", "", "   ", "1<=2", "5=5",
]  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_it_is_found(text: str) -> None:
    assert repr(round(latex_value(text), 2)) == FOUND[text]


@pytest.mark.parametrize("text", NONE)
def test_there_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        latex_value(text)


@pytest.mark.parametrize(
    "text", ["9^{9^{9}}", "9^{9^{9^{9}}}", "(9^{9^{9}})!", "99999999!", "(2^{999999})^{9999}"]
)
def test_what_would_not_end_is_undecided(text: str) -> None:
    with pytest.raises(Undecided):
        latex_value(text)


PATHOLOGICAL = ["{" * 10_000 + "1" + "}" * 10_000, "(" * 900 + "1", "-" * 1_999 + "1", "√٣"]


@pytest.mark.parametrize("text", PATHOLOGICAL)
def test_what_is_pathological_has_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        latex_value(text)


@given(st.text(alphabet="0123456789+-*/^(){}[]\\,.:!|_ =<>'esqrtfacinpblog%", max_size=60))
def test_any_text_has_a_number_or_none(text: str) -> None:
    try:
        value = latex_value(text)
    except (ValueError, OverflowError, Undecided):
        return
    assert isinstance(value, int | float)
