"""A made-up pool about numbered marks, and a model server that knows the value of each.

The value of a mark follows from its number, so the server answers any question about one truly, and
tests know what it must have said.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from pools import diagram, encoded, pool_of, question
from teacher_server import Body, Say, prompt_of

_MARK = re.compile(r"mark (m\d+\w*)")


def value(mark: str) -> str:
    return str(int(sha256(mark.encode()).hexdigest(), 16) % 900)


def marks_pool(folder: Path, images: int) -> Path:
    """Each image asks for the value of one mark."""
    rows = []
    for n in range(images):
        text = f"What is the value of mark m{n}?"
        data = encoded(diagram(n, size=60))
        asked = question(f"{n}.png", data, text, value(f"m{n}"), clarity=1.0, complexity=1)
        rows.append(("One", asked))
    return pool_of(folder, rows)


def marks_script(body: Body, _: int) -> Say:
    """What the server says, whatever the kind of question."""
    prompt = prompt_of(body)
    asked = prompt.rpartition("Question: ")[2].partition("\n")[0]
    mark = _MARK.search(asked)
    form = prompt.rpartition("JSON schema:\n")[2]
    if '"reasoning"' in form:
        assert mark, prompt
        said = {"reasoning": "It is known.", "answer": value(mark[1])}
    elif '"clarity"' in form:
        said = {"reason": "One mark.", "clarity": 1, "complexity": 0}
    elif '"questions"' in form:
        seed = sha256(json.dumps(body["messages"][0]["content"][0]).encode()).hexdigest()[:6]
        said = {"questions": [_written(f"m{int(seed, 16)}x{n}") for n in range(5)]}
    elif '"rationale"' in form:
        assert mark, prompt
        said = _written(f"{mark[1]}c")
    else:
        assert mark, prompt
        shorter = "Write the question shorter" in prompt
        text = f"Value of mark {mark[1]}?" if shorter else f"Tell how much mark {mark[1]} is worth."
        said = {"question": text, "answer": value(mark[1])}
    return Say(json.dumps(said))


def _written(mark: str) -> dict[str, object]:
    return {
        "question": f"What is the value of mark {mark}?",
        "choices": [],
        "rationale": "It is known.",
        "answer": value(mark),
        "unit": "",
    }
