"""Geometry and arrangements: descriptions written by hand, answers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from mathv360k.builder.scenes import arrangements, geometry
from mathv360k.builder.scenes.scene import DrawnQuestion, Family

FAMILIES = {family.name: family for family in (*geometry.FAMILIES, *arrangements.FAMILIES)}


def figure(kind: str, letters: str = "ABCDEFG", **facts: Any) -> dict[str, Any]:
    part = {
        "kind": kind, "centre": "O", "letters": letters, "names": "abcdefgh",
        "turn": 0, "mirror": False, "unit": "cm",
    }  # fmt: skip
    return {"size": [360, 300], "theme": 0, "parts": [{**part, **facts}]}


def shape(colour: str, kind: str, x: int = 0, y: int = 0, radius: int = 16) -> dict[str, Any]:
    return {"colour": colour, "shape": kind, "radius": radius, "at": [x, y]}


RED_STAR, BLUE_STAR = shape("red", "star"), shape("blue", "star")
GREEN_CIRCLE, RED_CIRCLE = shape("green", "circle"), shape("red", "circle")
BLUE_HEART = shape("blue", "heart")

RIGHT = figure("right", legs=[3, 4], hidden=1, altitude=True)
THIRD_ANGLE = figure("two_angles", letters="", angles=[50, 60], extended=False)
WITH_HEIGHT = figure("height", height=12, base=[5, 9], hidden=-1)
ISOSCELES = figure("isosceles", base_angle=70, leg=9, given="apex", height=False)
RECTANGLE = figure("rectangle", width=12, height=5, diagonal=True)
PARALLELOGRAM = figure("parallelogram", shift=6, height=8, base=15)
TRAPEZOID = figure("trapezoid", shift=3, height=4, top=6, marked=True)
RADIUS = figure("radius", radius=5, shown="diameter", chord=[])
INSCRIBED = figure("inscribed", central=80, third=200, given="central", chord=True)
TANGENT = figure("tangent", sides=[5, 12], hidden=1, second=False)
SEMICIRCLE = figure("semicircle", angle=35, radius=10, spoke=True)
STRAIGHT = figure("straight", total=180, angles=[40, 110, 30], hidden=1)
AROUND = figure("around", total=360, angles=[100, 120, 140], hidden=2)
CROSSING = figure("crossing", angles=[65, 115], given=[0], named=[1, 2])
# given: upper right of the upper crossing; a: below it on the left; b: lower crossing, upper left
PARALLELS = figure("parallels", angle=70, given=0, named=[2, 5])
SHAPES = {
    "size": [340, 280],
    "page": "white",
    "things": [
        shape("red", "star", 50, 60),
        shape("blue", "star", 150, 140),
        shape("blue", "heart", 280, 220),
    ],
}
SIZES = {
    "size": [340, 280],
    "page": "white",
    "things": [
        shape("red", "circle", 40, 200, 25),
        shape("red", "circle", 150, 60, 13),
        shape("green", "square", 260, 120, 13),
    ],
}
SHELF = {
    "width": 360,
    "wall": "#f3efe6",
    "wood": "#b98a5a",
    "shelves": [
        [shape("red", "book"), shape("blue", "cup"), shape("green", "plant")],
        [shape("red", "book")],
        [shape("blue", "box"), shape("red", "vase")],
    ],
}
GRID = {
    "cell": 58,
    "header": "#eaf0f6",
    "gap": None,
    "cells": [
        [RED_STAR, None, BLUE_HEART],
        [None, None, GREEN_CIRCLE],
        [RED_STAR, BLUE_STAR, RED_CIRCLE],
    ],
}
# shapes by column, colours by row
PATTERN = {
    "cell": 58,
    "header": "#eaf0f6",
    "gap": [1, 1],
    "cells": [
        [shape("red", "star"), shape("red", "heart"), shape("red", "cross")],
        [shape("blue", "star"), shape("blue", "heart"), shape("blue", "cross")],
        [shape("pink", "star"), shape("pink", "heart"), shape("pink", "cross")],
    ],
}

WORKED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (
        "triangle",
        RIGHT,
        {
            "What is the length of side BC in cm?": "5",
            "What is the perimeter of triangle ABC in cm?": "12",
            "What is the area of triangle ABC in square cm?": "6",
            "List the side lengths of triangle ABC in cm, in ascending order.": "[3, 4, 5]",
            "What is sin B in triangle ABC, rounded to 2 decimals?": "0.80",
            "How long is the altitude AD in cm, rounded to 2 decimals?": "2.40",
            "Which side is the hypotenuse of triangle ABC?": "BC",
            "Is side AB longer than side CA?": "No",
        },
    ),
    (
        "triangle",
        THIRD_ANGLE,
        {
            "What is the size of the angle marked x in degrees?": "70",
            "Which of these is the size of the angle marked x?": "70°",
            "What kind of triangle is the triangle, judged by its largest angle?": "acute",
        },
    ),
    (
        "triangle",
        WITH_HEIGHT,
        {
            "What is the perimeter of triangle ABC in cm?": "42",
            "What is the area of triangle ABC in square cm?": "84",
            "What is the length of AD in cm?": "5",
            "Is AD longer than DB?": "No",
            "What is the area of triangle ADC in square cm?": "30",
        },
    ),
    (
        "triangle",
        ISOSCELES,
        {
            "What is the size of angle ABC in degrees?": "70",
            "How long is side AC in cm?": "9",
            "Is angle BAC larger than angle ABC?": "No",
            "How many degrees is the exterior angle beside angle ABC?": "110",
        },
    ),
    (
        "polygon",
        RECTANGLE,
        {
            "What is the perimeter of rectangle ABCD in cm?": "34",
            "What is the area of rectangle ABCD in square cm?": "60",
            "What is the length of diagonal AC in cm?": "13",
            "What is the area of triangle ABC in square cm?": "30",
        },
    ),
    (
        "polygon",
        PARALLELOGRAM,
        {
            "What is the perimeter of parallelogram ABCD in cm?": "50",
            "What is the area of parallelogram ABCD in square cm?": "120",
            "What is the length of AE in cm?": "6",
            "What is the length of side AD in cm?": "10",
        },
    ),
    (
        "polygon",
        TRAPEZOID,
        {
            "What is the perimeter of trapezoid ABCD in cm?": "24",
            "What is the area of trapezoid ABCD in square cm?": "30",
            "Is side AB longer than side BC?": "Yes",
        },
    ),
    (
        "circle",
        RADIUS,
        {
            "What is the radius of the circle with centre O in cm?": "5",
            "What is the circumference of the circle with centre O in cm, taking pi as 3.14? "
            "Give 2 decimals.": "31.40",
            "What is the area of the circle with centre O in square cm, taking pi as 3.14? "
            "Give 2 decimals.": "78.50",
        },
    ),
    (
        "circle",
        INSCRIBED,
        {
            "What is the size of angle ACB in degrees?": "40",
            "What is the size of the reflex angle AOB in degrees?": "280",
            "List the three angles of triangle AOB in degrees, in ascending order.": "[50, 50, 80]",
            "Is angle AOB an obtuse angle?": "No",
        },
    ),
    (
        "circle",
        TANGENT,
        {
            "What is the length of tangent AB in cm?": "12",
            "What is the shortest distance in cm from point B to the circle with centre O?": "8",
            "What is the area of triangle OAB in square cm?": "30",
            "Is the tangent AB longer than the radius OA?": "Yes",
        },
    ),
    (
        "circle",
        SEMICIRCLE,
        {
            "What is the size of angle ACB in degrees?": "90",
            "What is the size of angle ABC in degrees?": "55",
            "What is the size of angle BOC in degrees?": "70",
            "Is chord BC longer than chord AC?": "No",
        },
    ),
    (
        "angles",
        STRAIGHT,
        {
            "What is the size of angle BOC in degrees?": "110",
            "How many of the angles on line AD are acute?": "2",
            "Which angle on line AD is the largest?": "angle BOC",
            "List all angles on line AD in degrees, in ascending order.": "[30, 40, 110]",
        },
    ),
    (
        "angles",
        AROUND,
        {
            "What is the size of angle COA in degrees?": "140",
            "How many of the angles around point O are acute?": "0",
            "Is angle COA the largest of the angles around point O?": "Yes",
        },
    ),
    (
        "angles",
        CROSSING,
        {
            "How many degrees is angle a?": "115",
            "How many degrees is angle b?": "65",
            "Are angles a and b equal?": "No",
            "What are angle b and the angle marked 65° to each other?": "vertical angles",
        },
    ),
    (
        "angles",
        PARALLELS,
        {
            "How many degrees is angle a?": "70",
            "List the sizes of angles a and b in degrees, in this order.": "[70, 110]",
            "What are angle a and the angle marked 70° to each other?": "vertical angles",
            "Is angle b as large as the angle marked 70°?": "No",
        },
    ),
    (
        "shapes",
        SHAPES,
        {
            "How many shapes are there in total?": "3",
            "Which colour occurs most often?": "blue",
            "Which kind of shape occurs most often?": "star",
            "What is the colour of the leftmost shape?": "red",
            "What is the colour of the bottommost shape?": "blue",
            "How many shapes are to the right of the red star?": "2",
            "Count the shapes of each colour and list the numbers in ascending order.": "[1, 2]",
        },
    ),
    (
        "shapes",
        SIZES,
        {
            "How many large shapes are there?": "1",
            "Are there more small shapes than large ones?": "Yes",
            "How many shapes are below the green square?": "1",
            "What is the colour of the topmost shape?": "red",
        },
    ),
    (
        "shelf",
        SHELF,
        {
            "How many objects are on the top shelf?": "3",
            "List the number of objects on each shelf, from top to bottom.": "[3, 1, 2]",
            "Which shelf holds the most objects?": "the top shelf",
            "What stands directly to the right of the blue cup?": "the green plant",
            "What stands directly to the right of the blue box?": "the red vase",
            "Which colour occurs most often?": "red",
        },
    ),
    (
        "shelf",
        {**SHELF, "shelves": [SHELF["shelves"][0], SHELF["shelves"][2]]},
        {
            "What stands between the red book and the green plant?": "the blue cup",
            "How many objects are on the bottom shelf?": "2",
            "What colour is the cup?": "blue",
        },
    ),
    (
        "grid",
        GRID,
        {
            "List the number of symbols in each row, from top to bottom.": "[2, 1, 3]",
            "How many cells are empty?": "3",
            "Which row holds the most symbols?": "row C",
            "Which kind of symbol occurs most often?": "star",
        },
    ),
    (
        "grid",
        PATTERN,
        {
            "Which symbol belongs in the cell with the question mark?": "blue heart",
            "Which colour must the missing symbol have?": "blue",
            "Which shape must the missing symbol have?": "heart",
            "In which cell is the question mark?": "B2",
            "How many crosses, hearts and stars can be seen? List the numbers in this order.": (
                "[3, 2, 3]"
            ),
        },
    ),
]


def asked(family: Family, description: dict[str, Any]) -> dict[str, DrawnQuestion]:
    return {question.text: question for question in family.questions(description)}


@pytest.mark.parametrize(("name", "description", "expected"), WORKED)
def test_answers_worked_by_hand(
    name: str, description: dict[str, Any], expected: dict[str, str]
) -> None:
    questions = asked(FAMILIES[name], description)
    answers = {text: questions[text].answer if text in questions else None for text in expected}
    assert answers == expected
    assert len(questions) >= 6


@pytest.mark.parametrize(("name", "description"), [case[:2] for case in WORKED])
def test_draws_descriptions_written_by_hand(name: str, description: dict[str, Any]) -> None:
    image = FAMILIES[name].draw(description)
    assert image.mode == "RGB"
    assert 280 <= image.width <= 640 and 220 <= image.height <= 480


def test_nearly_level_shapes_are_not_compared() -> None:
    things = [shape("red", "star", 60, 100), shape("blue", "heart", 200, 108)]
    things.append(shape("green", "circle", 300, 104))
    questions = asked(FAMILIES["shapes"], {"size": [340, 280], "page": "white", "things": things})
    assert not any("above" in text or "topmost" in text for text in questions)
    assert questions["What is the colour of the rightmost shape?"].answer == "green"
