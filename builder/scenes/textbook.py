"""Figures of a science textbook: food webs, cells, circuits."""

from __future__ import annotations

from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, decimal, dice, integer, listing, yes_no
from .canvas import GREY, INK, Canvas, Point
from .cells import CELL
from .circuits import CIRCUIT
from .scene import DrawnQuestion, Family, Scene

# place, what grows there, and each animal with its food, one layer above another
_WEBS: tuple[tuple[str, tuple[str, ...], tuple[dict[str, tuple[str, ...]], ...]], ...] = (
    ("meadow", ("grass", "clover", "berries", "seeds"), (
        {"rabbit": ("grass", "clover"), "grasshopper": ("grass", "clover"),
         "mouse": ("seeds", "berries"), "sparrow": ("seeds", "berries"),
         "snail": ("clover", "grass")},
        {"snake": ("mouse", "sparrow", "rabbit"), "frog": ("grasshopper", "snail"),
         "hedgehog": ("snail", "grasshopper"), "weasel": ("mouse", "rabbit", "sparrow")},
        {"hawk": ("snake", "weasel", "frog"), "eagle owl": ("hedgehog", "weasel", "frog")})),
    ("pond", ("algae", "pondweed", "duckweed"), (
        {"tadpole": ("algae", "pondweed"), "water snail": ("algae", "pondweed"),
         "water flea": ("algae",), "mayfly larva": ("algae", "duckweed"),
         "water louse": ("duckweed",)},
        {"stickleback": ("water flea", "tadpole", "water louse"),
         "dragonfly": ("mayfly larva", "tadpole"), "water beetle": ("tadpole", "water snail"),
         "roach": ("water snail", "water flea", "mayfly larva")},
        {"pike": ("stickleback", "roach"), "heron": ("roach", "stickleback", "water beetle"),
         "kingfisher": ("stickleback", "dragonfly")})),
    ("forest", ("oak leaves", "acorns", "grass", "berries"), (
        {"caterpillar": ("oak leaves",), "squirrel": ("acorns", "berries"),
         "deer": ("grass", "oak leaves"), "vole": ("grass", "berries"),
         "aphid": ("oak leaves",)},
        {"blue tit": ("caterpillar", "aphid"), "ladybird": ("aphid",),
         "marten": ("squirrel", "vole"), "shrew": ("caterpillar",)},
        {"sparrowhawk": ("blue tit",), "owl": ("shrew", "blue tit", "marten"),
         "lynx": ("marten",)})),
    ("ocean", ("plankton", "seaweed", "sea grass"), (
        {"krill": ("plankton",), "sea urchin": ("seaweed", "sea grass"),
         "mussel": ("plankton",), "limpet": ("seaweed",), "shrimp": ("plankton", "seaweed")},
        {"herring": ("krill", "shrimp"), "crab": ("mussel", "limpet", "sea urchin"),
         "sea otter": ("sea urchin", "mussel"), "squid": ("krill", "shrimp"),
         "starfish": ("mussel", "limpet")},
        {"seal": ("herring", "squid", "crab"), "gull": ("crab", "starfish", "herring"),
         "orca": ("sea otter", "squid", "herring")})),
    ("savanna", ("grass", "acacia", "shrubs"), (
        {"zebra": ("grass",), "giraffe": ("acacia",), "impala": ("grass", "shrubs", "acacia"),
         "termite": ("grass", "acacia"), "hare": ("grass", "shrubs")},
        {"aardvark": ("termite",), "mongoose": ("termite",), "jackal": ("hare", "impala"),
         "serval": ("hare",)},
        {"lion": ("aardvark", "jackal"), "leopard": ("jackal", "serval", "aardvark"),
         "martial eagle": ("mongoose", "serval")})),
    ("desert", ("cactus", "desert grass", "seeds"), (
        {"kangaroo rat": ("seeds", "cactus"), "locust": ("desert grass",),
         "ant": ("seeds", "desert grass"), "jackrabbit": ("desert grass", "cactus"),
         "quail": ("seeds",)},
        {"lizard": ("ant", "locust"), "scorpion": ("locust", "ant"),
         "kit fox": ("kangaroo rat", "jackrabbit", "quail"),
         "rattlesnake": ("kangaroo rat", "quail")},
        {"hawk": ("lizard", "rattlesnake", "kit fox"), "roadrunner": ("lizard", "scorpion"),
         "coyote": ("kit fox", "rattlesnake")})),
)  # fmt: skip
_SIZES = (
    ((1, 1, 1),),
    ((1, 1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 1), (1, 2, 2)),
    ((2, 2, 1, 1), (2, 2, 2), (3, 2, 1), (2, 3, 2), (2, 2, 2, 1), (2, 3, 2, 1)),
    ((3, 4, 3, 2), (3, 3, 3, 2), (2, 4, 3, 2), (3, 4, 3, 1), (3, 4, 4)),
)
"""Organisms in each layer, from below, by level."""
_TINTS = ("#e2f0d9", "#fdf0d5", "#fbe1d3", "#f3d3d3")


def _invent_web(rng: Random, level: int) -> Scene:
    while True:
        scene = _try_web(rng, level)
        if scene and scene.complexity == level:
            return scene


def _try_web(rng: Random, level: int) -> Scene | None:
    """A random part of a web; none where an animal would be without food."""
    place, plants, above = rng.choice(_WEBS)
    sizes = rng.choice(_SIZES[level])
    layers = [rng.sample(plants, min(sizes[0], len(plants)))]
    links: list[list[str]] = []
    for size, foods in zip(sizes[1:], above, strict=False):
        fed = {eater: [food for food in eaten if food in layers[-1]]
               for eater, eaten in foods.items()}  # fmt: skip
        able = [eater for eater, eaten in fed.items() if eaten]
        if len(able) < size:
            return None
        layer = rng.sample(able, size)
        links += [[food, eater] for eater in layer for food in fed[eater]]
        layers.append(layer)
    fed_on = {food for food, _ in links}
    if any(name not in fed_on for layer in layers[:-1] for name in layer):
        return None
    description = {
        "place": place,
        "layers": layers,
        "links": links,
        "tinted": rng.random() < 0.7,
        "radius": rng.choice((0, 6, 12)),
        "gap": rng.randint(0, 14),
        "ink": rng.choice((INK, "#2f5d46", "#26456e", "#5a3a22")),
    }
    return Scene(description, sum(map(len, layers)), len(links))


def _draw_web(description: dict[str, Any]) -> Image.Image:
    layers, widest = description["layers"], max(map(len, description["layers"]))
    apart, rise = 122 + description["gap"], 84 + description["gap"] // 2
    width = max(390, widest * apart + 20)
    height = max(240, 92 + rise * (len(layers) - 1) + 46)
    canvas = Canvas(width, height)
    canvas.text((width / 2, 20), f"Food web of a {description['place']}".replace(
        "a ocean", "an ocean"), 16)  # fmt: skip
    note = "An arrow points from the food to the animal that eats it."
    canvas.text((width / 2, height - 16), note, 12, GREY)
    at: dict[str, Point] = {}
    for k, layer in enumerate(layers):
        for i, name in enumerate(layer):
            x = width / 2 + (i - (len(layer) - 1) / 2) * apart
            at[name] = x, height - 60 - k * (height - 122) / (len(layers) - 1)
    for food, eater in description["links"]:
        eaten = [a for a, b in description["links"] if b == eater]
        eaters = [b for a, b in description["links"] if a == food]
        start = at[food][0] + _spread(eater, eaters, at), at[food][1] - 15
        end = at[eater][0] + _spread(food, eaten, at), at[eater][1] + 15
        canvas.arrow(start, end, description["ink"], 1.6)
    for k, layer in enumerate(layers):
        fill = _TINTS[k] if description["tinted"] else "white"
        for name in layer:
            x, y = at[name]
            half = canvas.text_width(name, 14) / 2 + 9
            box = (x - half, y - 14, x + half, y + 14)
            canvas.rectangle(box, fill, INK, 1.4, description["radius"])
            canvas.text((x, y), name, 14)
    return canvas.finish()


def _spread(name: str, beside: list[str], at: dict[str, Point]) -> float:
    """Where along the box of its partner an arrow ends, so that heads do not cover each other."""
    order = sorted(beside, key=lambda other: at[other][0])
    return 14 * (order.index(name) - (len(order) - 1) / 2)


def _chains(name: str, food: dict[str, list[str]]) -> int:
    return sum(_chains(eaten, food) for eaten in food[name]) if food[name] else 1


def _ask_web(description: dict[str, Any]) -> list[DrawnQuestion]:
    rng, layers, links = dice(description), description["layers"], description["links"]
    names = [name for layer in layers for name in layer]
    food = {name: sorted(a for a, b in links if b == name) for name in names}
    eaters = {name: sorted(a for b, a in links if b == name) for name in names}
    animals = [name for name in names if food[name]]
    x, y = rng.choice(animals), rng.choice([name for name in names if eaters[name]])
    top, many = rng.choice(layers[-1]), len(links)
    plants = ", ".join(layers[0])
    hunter = rng.choice(animals)
    unlinked = [name for name in names if name not in (*food[hunter], hunter)]
    prey = rng.choice(rng.choice((food[hunter], unlinked)))
    asked = [
        integer(f"How many kinds of food does the {x} have in the food web?", len(food[x]),
                f"Arrows lead to the {x} from: {', '.join(food[x])}."),
        integer(f"According to the food web, how many kinds of animals feed on the {y}?",
                len(eaters[y]), f"Arrows lead from the {y} to: {', '.join(eaters[y])}."),
        integer("How many arrows does the food web have?", many, f"There are {many} arrows."),
        integer("How many of the organisms do not feed on any other organism in the food web?",
                len(layers[0]), f"No arrow leads to: {plants}."),
        listing(f"List everything that the {x} eats in this food web, in alphabetical order.",
                food[x], f"These have an arrow to the {x}."),
        integer(f"How many different food chains lead from the bottom row up to the {top}?",
                _chains(top, food), "Follow the arrows backwards and count the paths."),
        decimal("On average, how many kinds of food does an animal in the food web have? Round to "
                "two decimal places.", many / len(animals), 2,
                f"{many} arrows lead to {len(animals)} animals."),
        yes_no(f"According to the food web, does the {hunter} eat the {prey}?",
               prey in food[hunter], f"The {hunter} eats: {', '.join(food[hunter])}."),
    ]  # fmt: skip
    return asked + _choose_web(rng, names, food, eaters)


def _choose_web(
    rng: Random, names: list[str], food: dict[str, list[str]], eaters: dict[str, list[str]]
) -> list[DrawnQuestion]:
    mixed = rng.sample(names, len(names))
    tops = [name for name in names if not eaters[name]]
    plants = [name for name in names if not food[name]]
    asked = []
    for ends, text in (
        (tops, "Which of these organisms is eaten by no other in the food web?"),
        (plants, "Which of these feeds on nothing else in the food web?"),
    ):
        others = [name for name in mixed if name not in ends]
        if len(others) > 1:
            asked.append(choose(text, rng.choice(ends), others, "Look at the arrows."))
    most = max(len(eaten) for eaten in food.values())
    best = [name for name in names if len(food[name]) == most]
    if len(best) == 1 and len(names) > 2:
        text, why = "Which animal has the most kinds of food in the food web?", f"It has {most}."
        others = [name for name in mixed if food[name]]
        if len(others) > 2:
            asked.append(choose(text, best[0], others, why))
    sole = [(a, b) for b in names for a in food[b] if len(food[b]) == 1]
    if sole:
        gone, hungry = rng.choice(sole)
        others = [name for name in mixed if food[name] and food[name] != [gone]]
        if len(others) > 1:
            text = f"For which of these animals is the {gone} the only food?"
            asked.append(choose(text, hungry, others, f"The {hungry} eats the {gone} only."))
    pair = rng.sample(names, 2)
    counts = [len(eaters[name]) for name in pair]
    if counts[0] != counts[1]:
        text = f"Do more kinds of animals feed on the {pair[0]} than on the {pair[1]}?"
        why = f"It is {counts[0]} against {counts[1]}."
        asked.append(yes_no(text, counts[0] > counts[1], why))
    return asked


FAMILIES: tuple[Family, ...] = (
    Family("food web", Task.TQA, "scientific figure", _invent_web, _draw_web, _ask_web),
    CELL,
    CIRCUIT,
)
