"""The same question in a benchmark: told by its words, not by boilerplate."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.text_overlap import COMMON, Overlap, find_overlaps, text_of

LONG = "A baker sells twelve loaves on Monday and twice as many on every following day of the week"


def hits(
    items: Sequence[tuple[str, Sequence[str], str]], rows: Sequence[tuple[str, Sequence[str], str]]
) -> set[tuple[int, int]]:
    """Pairs of row and item; every row is about an image of its own."""
    found = find_overlaps(
        [text_of(*item) for item in items],
        ((image, text_of(*row)) for image, row in enumerate(rows)),
    )
    return {(overlap.row, overlap.item) for overlap in found}


def test_the_same_words_are_found_whatever_case_and_marks() -> None:
    again = f"  {LONG.upper().replace(' AND ', ', and ')}?!"
    assert hits([(LONG, [], "84")], [("What is this about?", [], "84"), (again, [], "84")]) == {
        (1, 0)
    }


def test_a_question_inside_a_longer_one_is_found() -> None:
    more = f"Hint: give the number at the end.\nQuestion: {LONG}. How many loaves are that?"
    assert hits([(LONG, [], "84")], [(more, [], "84")]) == {(0, 0)}
    assert hits([(more + LONG[::-1] * 3, [], "84")], [(LONG, [], "84")]) == set()


def test_other_numbers_are_another_problem_unless_the_text_is_long() -> None:
    other = LONG.replace("loaves", "buns")
    assert hits([(LONG, [], "84")], [(LONG, [], "91")]) == set()
    assert hits([(LONG, [], "84")], [(other, [], "84")]) == set()  # most word groups are others
    longer = " ".join(f"{LONG} {number}" for number in ("first", "then", "last"))
    assert hits([(longer, [], "84")], [(longer, [], "91")]) == {(0, 0)}


def test_boilerplate_says_nothing() -> None:
    find = ("Find x in the figure below.", ["1", "2", "3", "4"], "B")
    assert hits([find], [find] * (COMMON + 1)) == set()
    assert hits([find], [find] * COMMON) == {(row, 0) for row in range(COMMON)}


def test_short_questions_need_the_same_choices() -> None:
    short = "Find the length of segment AB there."
    assert hits([(short, ["5", "6", "7"], "A")], [(short, ["7", "6", "5"], "5")]) == {(0, 0)}
    assert hits([(short, ["5", "6", "7"], "A")], [(short, ["8", "9", "10"], "8")]) == set()
    assert hits([(short, [], "5")], [(short, [], "5")]) == set()  # too little to be sure


def test_the_letter_of_a_choice_is_that_choice() -> None:
    choices = ["12 cm", "84 cm"]
    assert text_of(LONG, choices, "B") == text_of(LONG, choices[::-1], "84 cm")
    assert text_of(LONG, choices, "B").disagrees(text_of(LONG, ["1", "2"], "1"))
    assert not text_of(LONG, choices, "B").disagrees(text_of(LONG, [], ""))


def test_latex_and_unicode_forms_are_the_same_words() -> None:
    one = text_of(r"In \triangle A B C, find the ﬁrst side of length 1.5", [], "")
    assert one == text_of("in triangle a b c find the first side of length 1.5", [], "")
    assert one != text_of("in triangle a b c find the first side of length 2.5", [], "")


@given(st.text(max_size=200), st.lists(st.text(max_size=10), max_size=5), st.text(max_size=10))
def test_any_text_can_be_compared_with_itself(
    question: str, choices: list[str], answer: str
) -> None:
    text = text_of(question, choices, answer)
    assert not text.disagrees(text)
    assert list(find_overlaps([text], [(0, text)])) in ([], [Overlap(0, 0, 1.0)])
