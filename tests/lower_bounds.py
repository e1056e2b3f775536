"""The oldest versions of all dependencies that pyproject.toml allows, for `pip-audit -r`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_BOUND = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)")


def lower_bounds() -> list[str]:
    """`name==version`, sorted; raises `ValueError` where a dependency has no bound."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    named = [entry for group in groups for entry in group if not entry.startswith("mathv360k[")]
    found = {entry: _BOUND.fullmatch(entry) for entry in named}
    if loose := [entry for entry, match in found.items() if match is None]:
        raise ValueError(f"no lower bound: {', '.join(loose)}")
    return sorted({f"{match[1]}=={match[2]}" for match in found.values() if match})


if __name__ == "__main__":
    print("\n".join(lower_bounds()))
