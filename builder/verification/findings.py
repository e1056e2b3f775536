"""What a verification looks at, and what it finds wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Check = Literal["files", "columns", "rows", "hashes", "ids", "images", "splits", "card"]

CHECKS: dict[Check, str] = {
    "files": "every file is there with its sha256, and no other",
    "columns": "each config has its columns and types",
    "rows": "row counts, and the same rows in every config",
    "hashes": "each row's hash, and the digest of all",
    "ids": "no id twice; every image and parent that a row names is there",
    "images": "each image is what its id says, and can be decoded",
    "splits": "no image, look-alike or problem in two splits",
    "card": "the card's numbers, tables, features and figures are those of the files",
}
SHOWN = 100
"""Problems that are told one by one; all are counted."""


@dataclass(slots=True)
class Verification:
    """What was looked at and what is wrong."""

    checked: dict[Check, int] = field(default_factory=dict)
    """How many things each check looked at; a check that was left out is missing."""
    bad: dict[Check, int] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    """The first `SHOWN`: check, where (file and row) and detail."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.bad

    def looked(self, check: Check, count: int) -> None:
        """Count things that a check looked at."""
        self.checked[check] = self.checked.get(check, 0) + count

    def complain(self, check: Check, where: str, detail: str) -> None:
        """Note that something is wrong."""
        self.bad[check] = self.bad.get(check, 0) + 1
        if len(self.problems) < SHOWN:
            self.problems.append({"check": check, "where": where, "detail": detail})
