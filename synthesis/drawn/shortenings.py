"""Shorter texts of questions about drawn pictures, for somebody who points at the picture.

The rules follow the shapes in which the families of pictures ask.
"""

from __future__ import annotations

import re

from .rules import filled, joined, parts_of, rules

_OPENINGS = rules(
    (r"How many (.+) are there(.*)", "How many {0}{1}"),
    (r"How many (.+) are in it then", "How many {0} then"),
    (r"How many lamps are lit then", "How many are lit then"),
    (r"How many (.+) are left in it", "How many are left"),
    (r"How many (cells|switches) are (\w+)", "How many {1} {0}"),
    (r"How many (different) parts of the cell are labelled", "How many {0} labelled parts"),
    (r"How many of the (.+?) are (\w+)", "How many {1} {0}"),
    (r"How many of the (.+)", "How many {0}"),
    (r"How many (.+?) are (?:to the )?(.+)", "How many {0} {1}"),
    (r"How many (.+) can be seen", "How many {0}"),
    (r"How many \w+ chose (.+)", "How many chose {0}"),
    (r"How many hectares grow (.+)", "Hectares of {0}"),
    (r"How many (\w+) belong to (.+)", "How many {0} in {1}"),
    (r"How many minutes pass (.+)", "Minutes {0}"),
    (r"How many degrees (?:is|does) (.+?)(?: measure)?", "{0} in degrees"),
    (r"How many (.+?) does (?:the food web|the .*plot|the legend.*) \w+", "How many {0}"),
    (r"How many (.+?) does (.+) have(?: in .+)?", "How many {0} for {1}"),
    (r"How many (.+?) do (.+) have", "How many {0}"),
    (r"How many (.+) is that in all", "How many {0}"),
    (r"How many (.+) can (.+) buy at most", "How many {0} at most"),
    (r"On average, how many (.+) does (.+) have", "Average number of {0} for {1}"),
    (r"According to (.+), how many (.+)", "How many {1}"),
    (r"According to (.+), does (.+)", "Does {1}"),
    (r"Seen from (.+), in how many minutes will (.+) strike", "Minutes from {0} to {1}"),
    (r"(In|On|At|For) how many of the (.+)", "{0} how many {1}"),
    (r"For how many (\w+) is the value for (.+)", "For how many {0} is {1}"),
    (r"By how many (.+?) do (the .+) and the (.+) differ", "Difference of {1} and {2} in {0}"),
    (r"By how much is (.+?) greater than (.+)", "How much greater is {0} than {1}"),
    (r"By how many (.+?) is (.+)", "How many {0} is {1}"),
    (r"How much money, in dollars, does (.+) need to buy (.+)", "Price of {1}, in dollars"),
    (r"How much do (.+) cost together, (.+)", "Price of {0} together, {1}"),
    (r"How much more does (.+) cost than (.+), (.+)", "Price of {0} minus price of {1}, {2}"),
    (r"How much change does (.+) get, (.+)", "How much change, {1}"),
    (r"How long is (.+)", "Length of {0}"),
    (r"What time does (.+) show", "Time on {0}"),
    (r"What time will (.+) show (in .+)", "Time on {0} {1}"),
    (r"What time did (.+) show (.+) ago", "Time on {0} {1} ago"),
    (r"What percentage do (.+) make up together(.*)", "Percentage of {0} together{1}"),
    (r"What percentage of .+ (?:chose|is spent on|grows) (.+)", "Percentage for {0}"),
    (r"What percentage of all things in the picture are (.+)", "Percentage of {0}"),
    (r"What percentage of (.+) are (\w+)", "Percentage of {0} {1}"),
    (r"What fraction of (.+) is (\w+)", "{1} fraction of {0}"),
    (r"What kind of (\w+) is (\1 )?(.+)", "Kind of {1}{2}"),
    (r"What colour is (.+)", "Colour of {0}"),
    (r"What stands (.+)", "What is {0}"),
    (r"What is (?:the |a )?(.+?)(?:, which .+)?, called", "Name for {0}"),
    (r"What current flows through (.+)", "Current through {0}"),
    (r"What (?:is|are) (?:the )?(.+)", "{0}"),
    (r"How are the (.+) in the circuit connected.*", "How are the {0} connected"),
    (r"Which of these organisms (.+)", "Which {0}"),
    (r"Which of these (.+)", "Which {0}"),
    (r"Which labelled part (.+)", "Which part {0}"),
    (r"Which part of the cell does the letter (.+) point to", "Part at letter {0}"),
    (r"Which (kind) of (.+) occurs most often", "Most frequent {0} of {1}"),
    (r"Which (.+) occurs most often", "Most frequent {0}"),
    (r"Which letter points to (.+)", "Letter of {0}"),
    (r"Which symbol is in (.+)", "Symbol in {0}"),
    (r"Which (.+) is (the (?:\w+est|most \w+))", "{1} {0}"),
    (r"Which (\w+) was (chosen .+)", "{0} {1}"),
    (r"Which (\w+) (?:holds|has|had|with) (.+)", "{0} with {1}"),
    (r"(In|On|At|For) which (.+) the (highest|lowest|largest)", "{0} which {1} {2}"),
    (r"Are there (more .+)", "{0}"),
    (r"(?:Is|Are) (?:the )?(?!there|that)(.+)", "{0}"),
    (r"Did more \w+ choose (.+)", "Did more choose {0}"),
    (r"Does (.+) hold more things than (.+)", "Does {0} hold more than {1}"),
    (r"When does it end", "End time"),
    (r"Is that enough money to buy (.+)", "Is that enough for {0}"),
    (r"Do the symbols in (.+) have the same (\w+)", "Same {1} in {0}"),
    (r"Do (.+)", "{0}"),
    (r"List (?:the )?(.+)", "{0}"),
    (r"Count (?:the )?(.+) and list the numbers (.+)", "Number of {0} {1}"),
    (r"Give the time on (.+) as a list of two numbers, (.+)", "Time on {0} as a list: {1}"),
)
_VISIBLE = (
    (re.compile(r" (?:in|of) (?:the|this) (?:(?:pie )?chart|picture|circuit|food web)"), ""),
    (re.compile(r" (?:shown|drawn in the cell)\b"), ""),
    (re.compile(r"\bthe clock labelled\b"), "clock"),
    (re.compile(r"\bmore than (?=\$?\d)"), "over "),
    (re.compile(r"\bfewer than (?=\d)"), "under "),
    (re.compile(r" greater than the value for "), " above "),
    (re.compile(r"\bat least (\d+)"), r"\1+"),
    (re.compile(r"\bexactly (?=\d)"), ""),
)
"""What somebody who points at the picture need not say, or says shorter."""
_ARTICLE = re.compile(r"\bthe ")


def shortened(text: str) -> list[str]:
    """Shorter texts of the question, without what the picture shows, the shortest first.

    They may mean different questions to somebody who does not know this one.
    """
    before, core, after = parts_of(text)
    end = "?" if "?" in text else "."
    opened = (filled(_OPENINGS, core) or [core])[0]
    bare = _without_visible(opened)
    ways = [(_without_visible(before), bare), (before, opened)]
    if opened == core:
        ways += [(before, _ARTICLE.sub("", bare)), (before, _ARTICLE.sub("", core))]
    texts = [joined(b, said[0].upper() + said[1:] + end, after) for b, said in ways]
    return sorted(dict.fromkeys(t for t in texts if len(t) < len(text)), key=len)


def _without_visible(text: str) -> str:
    for pattern, instead in _VISIBLE:
        text = pattern.sub(instead, text)
    return text
