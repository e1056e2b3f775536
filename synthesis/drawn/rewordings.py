"""Questions about drawn pictures in other words, which mean the same.

The rules follow the shapes in which the families of pictures ask.
"""

from __future__ import annotations

import re

from ...builder.scenes.scene import DrawnQuestion
from .rules import filled, joined, parts_of, rules


def _number(what: str, that: str) -> tuple[str, ...]:
    """Templates that ask how many there are of what is `that`."""
    return (
        f"Find the number of {what} {that}",
        f"Count the {what} {that}",
        f"What is the number of {what} {that}?",
    )


_REWORDED = rules(
    # how many
    (
        r"How many (.+) are there in (?:total|all)",
        "Find the total number of {0}",
        "What is the total number of {0}?",
        "How many {0} are there altogether?",
    ),
    (r"How many (.+) are there", "Find the number of {0}", "What is the number of {0}?"),
    (
        r"How many more (.+) than (.+) are (.+)",
        "Find how many more {0} than {1} are {2}",
        "By how many do the {0} outnumber the {1} {2}?",
    ),
    (
        r"How many of (the .+?) ((?:are|do) .+)",
        "Find how many of {0} {1}",
        "Count those of {0} that {1}",
    ),
    (
        r"How many things of each kind are (.+)",
        "Count the things of each kind {0}",
        "For each kind, find the number of things {0}",
    ),
    (r"How many (.+?) (are .+)", *_number("{0}", "that {1}")),
    (
        r"How many (.+) can be seen",
        "Count the {0} that can be seen",
        "What are the numbers of {0} that can be seen?",
    ),
    (
        r"How many degrees (?:is|does) (.+?)(?: measure)?",
        "Find the size of {0} in degrees",
        "What is the size of {0} in degrees?",
    ),
    (
        r"How many (.+?) does (.+) (have|show|name)( in .+)?",
        *_number("{0}", "that {1} {2:es}{3}"),
    ),
    (r"How many (.+?) do (.+) have", *_number("{0}", "that {1} have")),
    (
        r"How many dollars is that in all",
        "Find how many dollars that is in all",
        "What is the total in dollars?",
    ),
    (
        r"How many (.+) can (.+) buy at most",
        "Find the largest number of {0} that {1} can buy",
        "What is the largest number of {0} that {1} can buy?",
    ),
    (r"How many (different food chains|\w+) (.+)", *_number("{0}", "that {1}")),
    (
        r"According to (.+), how many (.+) (feed .+)",
        *_number("{1}", "that {2} according to {0}"),
    ),
    (
        r"On average, how many (.+) does (.+) have",
        "Find the average number of {0} that {1} has",
        "What is the average number of {0} that {1} has?",
    ),
    (
        r"Seen from (.+), in how many minutes will (.+) strike",
        "Find how many minutes after {0} {1} will strike",
        "How many minutes after {0} will {1} strike?",
    ),
    (
        r"(In|On|At|For) how many of the (\w+) was (.+) (more than .+)",
        *_number("{1}", "{0:low} which {2} was {3}"),
    ),
    (
        r"For how many (\w+) is (.+?) ((?:more|less|greater) than .+)",
        *_number("{0}", "for which {1} is {2}"),
    ),
    (
        r"Between how many (.+) did (.+) (rise|fall)",
        *_number("{0}", "between which {1} {2:ed}"),
    ),
    # how much, how long
    (
        r"By how (much|many .+?) is (.+?) ((?:greater|larger|longer) than .+)",
        "Find by how {0} {1} is {2}",
        "Work out by how {0} {1} is {2}",
    ),
    (
        r"By how many (.+?) do (.+) differ",
        "Find by how many {0} {1} differ",
        "How many {0} is the difference between {1}?",
    ),
    (
        r"How much money, in dollars, does (.+) need to (.+)",
        "Find the money, in dollars, that {0} needs to {1}",
        "What amount, in dollars, must {0} have to {1}?",
    ),
    (
        r"How much do (.+) cost together, in dollars",
        "Find the price of {0} together, in dollars",
        "What is the price of {0} together, in dollars?",
    ),
    (
        r"How much more does (.+) cost than (.+), in dollars",
        "Find how much more {0} costs than {1}, in dollars",
        "By how many dollars is {0} more expensive than {1}?",
    ),
    (
        r"How much change does (.+) get, in dollars",
        "Find the change that {0} gets, in dollars",
        "How many dollars does {0} get back?",
    ),
    (r"How long is (.+)", "Find the length of {0}", "What is the length of {0}?"),
    # what
    (r"What time does (.+) show", "Find the time that {0} shows", "Read the time on {0}"),
    (
        r"What time will (.+) show in (.+)",
        "Find the time that {0} will show in {1}",
        "When {1} have passed, which time will be on {0}?",
    ),
    (
        r"What time did (.+) show (.+) ago",
        "Find the time that {0} showed {1} ago",
        "Which time was on {0} {1} earlier?",
    ),
    (r"When does it end", "Find the time when it ends", "At what time is it over?"),
    (
        r"What percentage of (the \w+|all things in the picture) (.+)",
        "Find the percentage of {0} that {1}",
        "What share of {0} {1}, in percent?",
    ),
    (
        r"What percentage do (.+) make up together( in .+)?",
        "Find the percentage that {0} make up together{1}",
        "What share do {0} have together{1}, in percent?",
    ),
    (
        r"What fraction of (.+) (is \w+)",
        "Find the fraction of {0} that {1}",
        "Work out which fraction of {0} {1}",
    ),
    (
        r"What kind of (\w+) is (.+?)(, .+)?",
        "Name the kind of {0} that {1} is{2}",
        "Say what kind of {0} {1} is{2}",
    ),
    (r"What colour is (.+)", "Name the colour of {0}", "Which colour does {0} have?"),
    (r"What are (.+) (to each other)", "Say what {0} are {1}", "Name what {0} are {1}"),
    (r"What is (.+), called", "Give the name for {0}", "Which name is there for {0}?"),
    (r"What (current) (flows .+)", "Find the {0} that {1}", "Determine the {0} that {1}"),
    (r"What (stands .+)", "Name the thing that {0}", "Which thing {0}?"),
    (r"What is (.+)", "Find {0}", "Determine {0}", "Work out {0}"),
    (
        r"How are (.+) connected (.+)",
        "Describe how {0} are connected {1}",
        "In which way are {0} connected {1}?",
    ),
    # which
    (r"Which of these is (.+)", "Choose from these {0}", "Pick the one of these that is {0}"),
    (r"Which of these (feeds .+)", "Name the one of these that {0}", "Say which of these {0}"),
    (r"Which of (.+?) ((?:is|holds) .+)", "Name the one of {0} that {1}", "Say which of {0} {1}"),
    (
        r"Which (.+) does (.+) point to",
        "Name the {0} that {1} points to",
        "To which {0} does {1} point?",
    ),
    (r"Which (\w+ must .+)", "Say which {0}", "Work out which {0}"),
    (
        r"Which (labelled part|(?:kind|number) of \w+|side of \w+ \w+|\w+) (.+)",
        "Name the {0} that {1}",
        "Say which {0} {1}",
    ),
    (r"In which cell is (.+)", "Find the cell with {0}", "Name the cell that {0} is in"),
    (
        r"For which of (.+) is (.+) the (only food)",
        "Name the one of {0} for which {1} is the {2}",
        "Say for which of {0} {1} is the {2}",
    ),
    (
        r"(In|On|At|For) which (\w+) (was|is) (.+) the (highest|lowest|largest)",
        "Find the {1} {0:low} which {3} {2} the {4}",
        "Name the {1} {0:low} which {3} {2} the {4}",
    ),
    (
        r"Over which (\w+) did (.+) (rise|fall) (.+)",
        "Find the {0} over which {1} {2:ed} {3}",
        "Name the {0} over which {1} {2:ed} {3}",
    ),
    # lists
    (r"List (.+)", "Write down {0}", "Make a list of {0}"),
    (
        r"Count the (.+) and list the numbers (.+)",
        "Find the numbers of {0} and write them {1}",
        "How many {0} are there? Write the numbers {1}",
    ),
    (
        r"Give the time on (.+) as (a list .+)",
        "Read {0} and write its time as {1}",
        "Write the time that {0} shows as {1}",
    ),
)
_COMPARED = (
    "(?:greater|larger|longer|more) than|as large as|the largest|the hypotenuse|enough money"
    "|lit$|closed$|open$|to the (?:left|right) of|above|below"
)
_STATEMENTS = rules(
    (r"(Is|Are) there (.+)", "there {0:low} {1}"),
    (r"(Is|Are) (more .+?) ((?:spent|drawn) .+)", "{1} {0:low} {2}"),
    (rf"Is (.+?) ((?:{_COMPARED}).*)", "{0} is {1}"),
    (r"Is (.+) (an? \w+(?: angle)?)", "{0} is {1}"),
    (r"Are (.+) equal", "{0} are equal"),
    (r"Did (more .+?) (choose) (.+)", "{0} {1:ed} {2}"),
    (r"Did (.+) (fall|rise) (from .+)", "{0} {1:ed} {2}"),
    (r"Does (.+?) (hold|tend|show|flow) (.+)", "{0} {1:es} {2}"),
    (r"Does (the largest current .+) flow (.+)", "{0} flows {1}"),
    (r"According to (.+), does (.+) eat (.+)", "{1} eats {2} according to {0}"),
    (r"Do (.+)", "{0}"),
)
_DECIDED = ("Decide whether {}.", "Is it true that {}?", "Say whether {}.")
_GENERIC = ("Study the picture, then answer this: ", "Look at the picture and answer: ")
"""For questions of unknown shape; what follows is the question itself."""

_PHRASE = re.compile(r"Find (the [^,]+)(?:, (in [^,]+))?\.")


def reworded(text: str) -> list[str]:
    """The question in other words, in all the ways there are; the meaning stays."""
    before, core, after = parts_of(text)
    found = [way.format(said) for said in filled(_STATEMENTS, core) for way in _DECIDED]
    found += [said if said[-1] == "?" else f"{said}." for said in filled(_REWORDED, core)]
    whole = [joined(before, said[0].upper() + said[1:], after) for said in found]
    return whole or [way + text for way in _GENERIC]


def unwrapped(text: str) -> str:
    """The question in a text of a general rewording."""
    for way in _GENERIC:
        text = text.removeprefix(way)
    return text


def noun_phrase(question: DrawnQuestion) -> str:
    """What an integer question asks for, as part of a sentence: `the number of cups`."""
    for text in reworded(question.text):
        match = _PHRASE.fullmatch(text)
        if match and " and " not in text:
            return f"{match[1]} ({match[2]})" if match[2] else match[1]
    return f'the answer to "{question.text}"'
