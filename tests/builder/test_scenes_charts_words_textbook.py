"""Small scenes with answers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from mathv360k.builder.scenes import charts, scatter, textbook, word_problems
from mathv360k.builder.scenes.scene import Family

FAMILIES = {
    family.name: family
    for family in (*charts.FAMILIES, *scatter.FAMILIES, *word_problems.FAMILIES, *textbook.FAMILIES)
}
BOOKS = {
    "series": [""],
    "unit": None,
    "sums": True,
    "one": "student",
    "of": "the number of books read by {x}",
    "most": "Which student read the most books?",
    "least": "Which student read the fewest books?",
    "above": "How many students read more than {v} books?",
}
RAIN = {
    "series": ["2015", "2016"],
    "unit": "mm",
    "sums": True,
    "one": "month",
    "of": "the rainfall in {x} in {s}",
    "most": "Which month had the most rainfall in {s}?",
    "least": "Which month had the least rainfall in {s}?",
    "above": "How many months had more than {v} mm of rainfall in {s}?",
}
WIND = {
    "unit": "km/h",
    "sums": False,
    "one": "day",
    "of": "the wind speed in {s} on {x}",
    "measure": "the wind speed in {s}",
    "most": "On which day was the wind speed in {s} the highest?",
    "least": "On which day was the wind speed in {s} the lowest?",
    "above": "On how many of the days was the wind speed in {s} more than {v} km/h?",
}
CHOSE = {
    "whole": "guests",
    "one": "drink",
    "words": [
        "What percentage of the guests chose {x}",
        "How many guests chose {x}",
        "Did more guests choose {x} than {y}",
        "was chosen by the most guests",
        "was chosen by the fewest guests",
    ],
}
CARS = {"one": "car", "plural": "cars", "words": ["age in years", "price in hundred dollars"]}
LAMPS = {"kind": "lamps", "volts": 9}
RESISTORS = {"kind": "resistors", "volts": 12}


def lamp(name: str) -> dict[str, Any]:
    return {"kind": "lamp", "name": name, "ohms": 0}


def switch(name: str, closed: bool) -> dict[str, Any]:
    return {"kind": "switch", "name": name, "closed": closed}


def resistor(name: str, ohms: int) -> dict[str, Any]:
    return {"kind": "resistor", "name": name, "ohms": ohms}


def organelles(**counts: int) -> list[dict[str, Any]]:
    return [
        {"part": part, "x": 0, "y": 0, "turn": 0} for part, n in counts.items() for _ in range(n)
    ]


# family, description, what must be asked and answered so
EXAMPLES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (
        "bar chart",
        BOOKS | {"labels": ["Ana", "Ben", "Zoe"], "values": [[3, 8, 5]]},
        {
            "Which student read the most books?": "Ben",
            "Which student read the fewest books?": "Ana",
            "What is the sum of the values shown?": "16",
            "What is the mean of the values shown? Round to one decimal place.": "5.3",
            "What is the median of the values shown? Give one decimal place.": "5.0",
            "List the values shown in ascending order.": "[3, 5, 8]",
        },
    ),
    (
        "bar chart",
        RAIN | {"labels": ["Jan", "Feb", "Mar"], "values": [[40, 60, 20], [50, 10, 30]]},
        {
            "Which month had the most rainfall in 2015?": "February",
            "Which month had the least rainfall in 2016?": "February",
            "What is the sum of the values shown for 2015, in mm?": "120",
            "What is the mean of the values shown for 2016, in mm? Round to one decimal place.": (
                "30.0"
            ),
            "How many series does the legend of the chart name?": "2",
        },
    ),
    (
        "line chart",
        WIND | {"labels": ["Mon", "Tue", "Wed", "Thu"], "values": [[10, 25, 20, 30]],
                "series": ["Alton"]},
        {
            "On which day was the wind speed in Alton the highest?": "Thursday",
            "Between how many pairs of neighbouring days did the wind speed in Alton rise?": "2",
            "Over which step did the wind speed in Alton rise the most?": "Monday to Tuesday",
            "What is the difference between the largest and the smallest of the values shown, in "
            "km/h?": "20",
            "What is the median of the values shown, in km/h? Give one decimal place.": "22.5",
        },
    ),
    (
        "line chart",
        WIND | {"labels": ["Fri", "Sat", "Sun"], "values": [[5, 10, 15], [20, 15, 5]],
                "series": ["Alton", "Colby"]},
        {
            "On which day was the wind speed in Colby the lowest?": "Sunday",
            "Between how many pairs of neighbouring days did the wind speed in Alton rise?": "2",
            "Between how many pairs of neighbouring days did the wind speed in Colby rise?": "0",
            "List the values shown for Colby in ascending order, in km/h.": "[5, 15, 20]",
        },
    ),
    (
        "pie chart",
        CHOSE | {"labels": ["tea", "milk", "soda"], "values": [[50, 30, 20]], "series": [""],
                 "total": 300},
        {
            "Which drink was chosen by the most guests?": "tea",
            "Which drink was chosen by the fewest guests?": "soda",
            "List the percentages of the pie chart in descending order.": "[50, 30, 20]",
        },
    ),
    (
        "pie chart",
        CHOSE | {"labels": ["tea", "milk", "soda"], "values": [[40, 40, 20], [10, 25, 65]],
                 "series": ["2010", "2012"], "total": 100},
        {
            "Which drink was chosen by the fewest guests in 2010?": "soda",
            "Which drink was chosen by the most guests in 2012?": "soda",
            "List the percentages of the pie chart for 2012 in descending order.": "[65, 25, 10]",
        },
    ),
    (
        "scatter",
        CARS | {"points": [[[1, 9], [3, 6], [8, 2]]]},
        {
            "How many cars does the scatter plot show?": "3",
            "What is the highest price in hundred dollars of any car?": "9",
            "What is the mean price in hundred dollars of all cars? Round to one decimal place.": (
                "5.7"
            ),
            "What is the difference between the highest and the lowest price in hundred "
            "dollars?": "7",
        },
    ),
    (
        "scatter",
        CARS | {"points": [[[2, 2], [4, 5]], [[4, 4], [6, 7], [9, 9]]]},
        {
            "How many marks belong to Group A?": "2",
            "Are there more cars in Group A than in Group B?": "No",
            "List the different values of the age in years in ascending order.": "[2, 4, 6, 9]",
            "What is the highest price in hundred dollars of any car?": "9",
        },
    ),
    (
        "price table",
        {"kind": "price", "names": ["Ana", "Ben", "Zoe"],
         "rows": [["pen", 150], ["ruler", 225], ["folder", 90]]},
        {
            "Which item is the most expensive?": "ruler",
            "Which item is the cheapest?": "folder",
            "List the prices in dollars in ascending order.": "[0.9, 1.5, 2.25]",
        },
    ),
    (
        "price table",
        {"kind": "frequency", "who": "families", "what": "pets", "verb": "have",
         "rows": [[0, 5], [1, 3], [2, 4]]},
        {
            "How many families are there in all?": "12",
            "How many pets are there in all?": "11",
            "What is the mean number of pets? Round to two decimal places.": "0.92",
            "What is the mode of the number of pets?": "0",
        },
    ),
    (
        "price table",
        {"kind": "stem", "who": "players", "what": "points", "verb": "scored",
         "rows": [[2, [1, 4]], [3, [0, 0, 7]], [4, [2]]]},
        {
            "What is the largest number of points?": "42",
            "What is the range of the numbers of points?": "21",
            "What is the median number of points? Give one decimal place.": "30.0",
            "Which number of points occurs most often?": "30",
            "How many players does the plot show?": "6",
        },
    ),
    (
        "counting",
        {"container": "box", "things": ["stars", "fish"],
         "boxes": [{"name": "box A", "counts": [3, 1]}, {"name": "box B", "counts": [2, 5]}]},
        {
            "How many things are drawn in the picture in all?": "11",
            "How many more fish than stars are in the picture?": "1",
            "How many things of each kind are in the picture? List the numbers in ascending "
            "order.": "[5, 6]",
            "What is the mean number of things in the boxes? Round to one decimal place.": "5.5",
        },
    ),
    (
        "counting",
        {"container": "bag", "things": ["kites"],
         "boxes": [{"name": "Ana's bag", "counts": [4]}, {"name": "Ben's bag", "counts": [9]},
                   {"name": "Zoe's bag", "counts": [2]}]},
        {
            "How many things are drawn in the picture in all?": "15",
            "Which of the bags holds the most things?": "Ben's bag",
            "What is the mean number of things in the bags? Round to one decimal place.": "5.0",
        },
    ),
    (
        "clock",
        {"clocks": [{"label": "Bus", "minutes": 455}]},
        {
            "What time does the clock show?": "7:35",
            "Seen from the time on the clock, in how many minutes will the next full hour "
            "strike?": "25",
            "Give the time on the clock as a list of two numbers, the hour and the minutes.": (
                "[7, 35]"
            ),
            "What is the smaller angle, in degrees, between the two hands of the clock? Give one "
            "decimal place.": "17.5",
        },
    ),
    (
        "clock",
        {"clocks": [{"label": "Bus", "minutes": 430}, {"label": "Lunch", "minutes": 705}]},
        {
            "All clocks show times between 1 am and noon of the same day. How many minutes pass "
            "from Bus to Lunch?": "275",
            "List the hours that the hour hands have passed last, in ascending order.": "[7, 11]",
        },
    ),
    (
        "food web",
        {"layers": [["grass"], ["rabbit"], ["fox"]], "links": [["grass", "rabbit"],
                                                               ["rabbit", "fox"]]},
        {
            "How many arrows does the food web have?": "2",
            "How many of the organisms do not feed on any other organism in the food web?": "1",
            "How many different food chains lead from the bottom row up to the fox?": "1",
            "Which of these organisms is eaten by no other in the food web?": "fox",
        },
    ),
    (
        "food web",
        {"layers": [["grass", "seeds"], ["mouse", "vole"], ["owl"]],
         "links": [["grass", "vole"], ["seeds", "vole"], ["seeds", "mouse"], ["mouse", "owl"],
                   ["vole", "owl"]]},
        {
            "How many arrows does the food web have?": "5",
            "How many different food chains lead from the bottom row up to the owl?": "3",
            "On average, how many kinds of food does an animal in the food web have? Round to two "
            "decimal places.": "1.67",
        },
    ),
    (
        "cell",
        {"plant": False, "letters": True, "labels": ["nucleus", "cytoplasm", "cell membrane"],
         "parts": organelles(nucleus=1, cytoplasm=1, mitochondrion=4)},
        {
            "How many different parts of the cell are labelled?": "3",
            "Which labelled part controls the activities of the cell?": "nucleus",
            "How many mitochondria are drawn in the cell?": "4",
        },
    ),
    (
        "cell",
        {"plant": True, "letters": False, "labels": ["vacuole", "cell wall", "nucleus"],
         "parts": organelles(nucleus=1, vacuole=1, chloroplast=3, ribosome=2)},
        {
            "How many chloroplasts are drawn in the cell?": "3",
            "Which labelled part stores water and cell sap?": "vacuole",
            "List the labelled parts of the cell in alphabetical order.": (
                '["cell wall", "nucleus", "vacuole"]'
            ),
        },
    ),
    (
        "circuit",
        LAMPS | {"main": [switch("S1", True)],
                 "branches": [[lamp("L1"), switch("S2", False)], [lamp("L2")]]},
        {
            "How many lamps are lit?": "1",
            "How many switches are open?": "1",
            "Switch S1 is opened, nothing else changes. How many lamps are lit then?": "0",
            "Switch S2 is closed, nothing else changes. How many lamps are lit then?": "2",
            "Lamp L2 is unscrewed and leaves a gap. How many lamps are lit then?": "0",
            "Is lamp L1 lit?": "No",
        },
    ),
    (
        "circuit",
        RESISTORS | {"main": [resistor("R1", 4)],
                     "branches": [[resistor("R2", 3)], [resistor("R3", 6)]]},
        {
            "What is the total resistance of the circuit, in ohm? Round to two decimal places.": (
                "6.00"
            ),
            "What current flows through the battery, in A? Round to two decimal places.": "2.00",
            "Which resistor has the largest resistance?": "R3",
            "How are the resistors in the circuit connected to each other?": (
                "partly in series and partly in parallel"
            ),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "description", "expected"), EXAMPLES)
def test_by_hand(name: str, description: dict[str, Any], expected: dict[str, str]) -> None:
    family: Family = FAMILIES[name]
    answers = {question.text: question.answer for question in family.questions(description)}
    assert {text: answers.get(text) for text in expected} == expected
