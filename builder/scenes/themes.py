"""What the drawn charts and stories are about; all figures shown with it are invented."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    "Ada Amir Ana Ben Boris Carla Chen David Dina Elif Emma Eva Felix Grace Hana Hugo Ida Ines "
    "Ivan Jack Jana Kim Lara Leo Lily Luca Maya Mia Nina Noah Omar Oscar Paul Priya Ravi Rosa "
    "Ruth Sam Sara Sofia Tara Theo Tom Uma Vera Wei Yara Yusuf Zoe"
)
PLACES = _words(
    "Alton Barrow Colby Dunmore Elmwood Fairhaven Glenby Harwick Iverton Kenfield Larkhill "
    "Milford Norwell Oakley Penrose Quarley Redmoor Selby Thornby Upton Westbury Yarrow"
)
MONTHS = _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
DAYS = _words("Mon Tue Wed Thu Fri Sat Sun")
_IN_FULL = dict(
    zip(
        MONTHS + DAYS,
        _words(
            "January February March April May June July August September October November "
            "December Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
        ),
        strict=True,
    )
)
FRUITS = _words("apple banana cherry grape kiwi lemon mango melon orange peach pear plum")
TEAMS = _words("Bears Comets Eagles Falcons Hawks Lions Owls Rockets Sharks Stars Tigers Wolves")
TREES = _words("ash beech birch cedar elm fir larch lime maple oak pine willow")


def in_full(label: str) -> str:
    """A chart's short label as a sentence would have it: `Mar` is March."""
    return _IN_FULL.get(label, label)


# title, axis, unit, one of them, value of {x}, superlatives, more than {v}, labels, may be added up
BARS = (
    ("Books read in the holidays", "Number of books", None, "student",
     "the number of books read by {x}", "read the most books", "read the fewest books",
     "read more than {v} books", NAMES, True),
    ("Rainfall", "Rainfall (mm)", "mm", "month", "the rainfall in {x}", "had the most rainfall",
     "had the least rainfall", "had more than {v} mm of rainfall", MONTHS, True),
    ("Goals scored by each team", "Number of goals", None, "team",
     "the number of goals scored by the {x}", "scored the most goals", "scored the fewest goals",
     "scored more than {v} goals", TEAMS, True),
    ("Favourite fruits", "Number of votes", None, "fruit", "the number of votes for {x}",
     "received the most votes", "received the fewest votes", "received more than {v} votes",
     FRUITS, True),
    ("Heights of trees in the park", "Height (m)", "m", "tree", "the height of the {x}",
     "is the tallest", "is the shortest", "are more than {v} m tall", TREES, False),
    ("Visitors to the museum", "Number of visitors", None, "day",
     "the number of visitors on {x}", "had the most visitors", "had the fewest visitors",
     "had more than {v} visitors", DAYS, True),
    ("Farms in each village", "Number of farms", None, "village", "the number of farms in {x}",
     "has the most farms", "has the fewest farms", "have more than {v} farms", PLACES, True),
    ("Distance cycled", "Distance (km)", "km", "cyclist", "the distance cycled by {x}",
     "cycled the longest distance", "cycled the shortest distance", "cycled more than {v} km",
     NAMES, True),
    ("Kites sold at the beach shop", "Number of kites", None, "month",
     "the number of kites sold in {x}", "had the most kites sold", "had the fewest kites sold",
     "had more than {v} kites sold", MONTHS, True),
    ("Money saved", "Money (dollars)", "dollars", "child", "the money saved by {x}",
     "saved the most money", "saved the least money", "saved more than {v} dollars", NAMES, True),
    ("Waste paper collected", "Mass (kg)", "kg", "place", "the mass of paper collected in {x}",
     "collected the most paper", "collected the least paper", "collected more than {v} kg of paper",
     PLACES, True),
    ("Points in the quiz", "Number of points", None, "team",
     "the number of points scored by the {x}", "scored the most points",
     "scored the fewest points", "scored more than {v} points", TEAMS, True),
)  # fmt: skip
PLURALS = {"child": "children", "leaf": "leaves"}
SMALL = ("Books read in the holidays", "Goals scored by each team", "Heights of trees in the park",
         "Temperature", "Wind speed", "Training distance")  # fmt: skip
"""Titles whose values stay below fifty."""

# title for {s}, axis, unit, measure of {s}, lines, may be added up
LINES = (
    ("Temperature", "Temperature (°C)", "°C", "the temperature in {s}", PLACES, False),
    ("Bicycles sold", "Number of bicycles", None, "the number of bicycles sold in {s}", PLACES,
     True),
    ("Savings", "Savings (dollars)", "dollars", "the amount in the account of {s}", NAMES, False),
    ("Wind speed", "Wind speed (km/h)", "km/h", "the wind speed in {s}", PLACES, False),
    ("Water level", "Water level (cm)", "cm", "the water level at {s}", PLACES, False),
    ("Visitors", "Number of visitors", None, "the number of visitors to {s}", PLACES, True),
    ("Training distance", "Distance (km)", "km", "the distance run by {s}", NAMES, True),
    ("Library loans", "Number of loans", None, "the number of library loans in {s}", PLACES, True),
    ("Score in the game", "Score (points)", "points", "the score of {s}", NAMES, False),
)  # fmt: skip
# one of them, preposition, labels in order
TIMES = (
    ("month", "in", MONTHS),
    ("day", "on", DAYS),
    ("year", "in", tuple(str(year) for year in range(2008, 2026))),
    ("week", "in", tuple(f"week {i}" for i in range(1, 11))),
    ("hour", "at", ("6 am", "8 am", "10 am", "noon", "2 pm", "4 pm", "6 pm", "8 pm")),
)

# title, whole, share that {x} has, number that {x} has, compared with {y}, superlatives, labels
_CHOSE = (
    "What percentage of the {w} chose {x}", "How many {w} chose {x}",
    "Did more {w} choose {x} than {y}", "was chosen by the most {w}",
    "was chosen by the fewest {w}",
)  # fmt: skip
_SPENT = (
    "What percentage of the budget is spent on {x}", "How many {w} are spent on {x}",
    "Is more money spent on {x} than on {y}", "takes the most money", "takes the least money",
)  # fmt: skip
_GREW = (
    "What percentage of the {w} grows {x}", "How many {w} grow {x}",
    "Is the area growing {x} larger than the area growing {y}", "has the largest area",
    "has the smallest area",
)  # fmt: skip
PIES = (
    ("Favourite sports", "students", "sport", _CHOSE,
     ("tennis", "football", "swimming", "judo", "running", "rowing", "hockey", "chess", "golf")),
    ("Favourite fruits", "children", "fruit", _CHOSE, FRUITS),
    ("Favourite subjects", "pupils", "subject", _CHOSE,
     ("art", "biology", "chemistry", "English", "history", "maths", "music", "physics")),
    ("Favourite pets", "families", "pet", _CHOSE,
     ("cats", "dogs", "fish", "hamsters", "parrots", "rabbits", "turtles", "lizards")),
    ("Favourite drinks", "guests", "drink", _CHOSE,
     ("cocoa", "coffee", "juice", "lemonade", "milk", "soda", "tea", "water")),
    ("Favourite instruments", "musicians", "instrument", _CHOSE,
     ("cello", "drums", "flute", "guitar", "harp", "piano", "trumpet", "violin")),
    ("Holiday plans", "people", "place", _CHOSE,
     ("the beach", "the city", "the desert", "the forest", "the hills", "the islands",
      "the lakes", "the river")),
    ("Family budget", "dollars", "item", _SPENT,
     ("clothes", "food", "heating", "rent", "savings", "school", "sports", "travel")),
    ("School fair budget", "dollars", "item", _SPENT,
     ("drinks", "games", "music", "posters", "prizes", "snacks", "tents", "tickets")),
    ("Crops on a farm", "hectares", "crop", _GREW,
     ("barley", "beans", "maize", "oats", "potatoes", "rice", "rye", "wheat")),
)  # fmt: skip

# title, x axis, y axis, one point, x in words, y in words
SCATTERS = (
    ("Study time and test score", "Hours studied", "Score", "student", "study time in hours",
     "score"),
    ("Age and price of used cars", "Age (years)", "Price (hundred dollars)", "car", "age in years",
     "price in hundred dollars"),
    ("Water and growth of seedlings", "Water (ml)", "Growth (mm)", "seedling",
     "amount of water in ml", "growth in mm"),
    ("Leaf length and width", "Length (cm)", "Width (mm)", "leaf", "length in cm", "width in mm"),
    ("Practice and missed shots", "Days of practice", "Missed shots", "player",
     "number of days of practice", "number of missed shots"),
    ("Depth and water temperature", "Depth (m)", "Temperature (°C)", "reading", "depth in m",
     "temperature in °C"),
    ("Mass and stretch of a spring", "Mass (kg)", "Stretch (mm)", "trial", "mass in kg",
     "stretch in mm"),
)  # fmt: skip
