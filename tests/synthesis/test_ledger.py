"""The ledger: kept at once, shared, exported and taken over."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asking import GOOD, requests_in
from mathv360k.errors import FolderError, SourceError, UsageError
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.teacher import Reply, Status


def test_an_answer_is_found_by_all_that_decides_it(tmp_path: Path) -> None:
    first, other = requests_in(tmp_path, 2)
    (warmer,) = requests_in(tmp_path, 1, temperature=0.1)
    (elsewhere,) = requests_in(tmp_path, 1, model="n")
    assert len({r.key for r in (first, other, warmer, elsewhere)}) == 4
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.add(first, Reply(GOOD, input_tokens=7, output_tokens=3), 0.5, 1.2)
        ledger.add(first, Reply("another", Status.REFUSED), 9.0, 1.0)  # the first one stays
        assert ledger.known(first.key) == (Status.ANSWERED, 0.5, 10)
        assert ledger.known(other.key) is None
        entry = ledger.read(requests_in(tmp_path, 1)[0].key)
    assert entry is not None
    assert (entry.text, entry.input_tokens, entry.output_tokens) == (GOOD, 7, 3)


def test_what_was_added_is_there_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from asking import GOOD, requests_in\n"
        "from mathv360k.synthesis.ledger import Ledger\n"
        "from mathv360k.synthesis.teacher import Reply\n"
        "here = Path(sys.argv[2])\n"
        "ledger = Ledger(here / 'ledger')\n"
        "for r in requests_in(here, 50): ledger.add(r, Reply(GOOD), 0.0, 0.0)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    tests = str(Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code, tests, str(tmp_path)], check=False)
    assert done.returncode == -9
    with Ledger(tmp_path / "ledger") as ledger:
        assert all(ledger.known(r.key) for r in requests_in(tmp_path, 50))


def test_an_export_gives_another_ledger_all_it_needs(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 30)
    with Ledger(tmp_path / "ours") as ours:
        for number, request in enumerate(requests):
            ours.add(request, Reply(f"{number} é"), number / 100, 0.1)
        ours.keep_demonstrations("x/GPS/0", [{"question": "Find x."}])
        assert ours.export(tmp_path / "ours.parquet") == 30
    with Ledger(tmp_path / "theirs") as theirs:
        theirs.add(requests[3], Reply("mine"), 0.0, 0.1)
        assert theirs.import_(tmp_path / "ours.parquet") == (30, 29)
        assert theirs.import_(tmp_path / "ours.parquet") == (30, 0)
        entries = [theirs.read(r.key) for r in requests]
        assert theirs.demonstrations("x/GPS/0") == [{"question": "Find x."}]
        theirs.export(tmp_path / "theirs.parquet")
    assert [e.text for e in entries if e][2:5] == ["2 é", "mine", "4 é"]
    table = pq.read_table(tmp_path / "theirs.parquet")
    assert table["key"].to_pylist() == sorted(r.key for r in requests)
    assert set(table["model"].to_pylist()) == {"m"}


def test_an_export_that_was_changed_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        for request in requests_in(tmp_path, 3):
            ledger.add(request, Reply(GOOD), None, 0.1)
        ledger.export(tmp_path / "good.parquet")
        table = pq.read_table(tmp_path / "good.parquet")
        text = table["request"].to_pylist()
        text[1] = text[1].replace("What", "Who")
        place = table.schema.get_field_index("request")
        pq.write_table(table.set_column(place, "request", pa.array(text)), tmp_path / "bad.parquet")
        with pytest.raises(SourceError, match="is not what its key says"):
            ledger.import_(tmp_path / "bad.parquet")
        (tmp_path / "no.parquet").write_bytes(b"PAR1")
        for name in ("no.parquet", "other.parquet"):
            pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
            with pytest.raises(SourceError, match="is not an exported ledger"):
                ledger.import_(tmp_path / name)
        with pytest.raises(UsageError, match="does not exist"):
            ledger.import_(tmp_path / "nowhere.parquet")


def test_what_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("my notes, and not a database at all, but long enough for one")
    with pytest.raises(FolderError, match="cannot be used as a ledger"):
        Ledger(tmp_path / "text")
    with sqlite3.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(FolderError, match="is not a ledger"):
        Ledger(tmp_path / "db")
    with sqlite3.connect(tmp_path / "db") as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]
    with pytest.raises(UsageError, match="is not a folder; make it first"):
        Ledger(tmp_path / "no" / "ledger")
    with pytest.raises(UsageError, match="does not exist"):
        Ledger(tmp_path / "none", must_exist=True)


def test_answers_of_no_use_can_be_asked_for_again(tmp_path: Path) -> None:
    one, two = requests_in(tmp_path, 2)
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.add(one, Reply("", Status.TRUNCATED), 0.1, 0.1)
        ledger.add(two, Reply(GOOD), 0.1, 0.1)
        assert ledger.forget(Status.TRUNCATED) == 1
        assert ledger.known(one.key) is None
        assert ledger.known(two.key) is not None


def test_the_summary_adds_up(tmp_path: Path) -> None:
    one, two, three = requests_in(tmp_path, 3)
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.add(one, Reply(GOOD, input_tokens=10, output_tokens=1), 0.25, 0.1)
        ledger.add(two, Reply(GOOD, input_tokens=20, output_tokens=2), None, 0.1)
        ledger.add(three, Reply("no", Status.REFUSED, input_tokens=5), 0.5, 0.1)
        rows = ledger.summary()
    answered = {
        "model": "m",
        "purpose": "answer",
        "status": "answered",
        "answers": 2,
        "input_tokens": 30,
        "output_tokens": 3,
        "usd": 0.25,
        "without_price": 1,
    }
    refused = {
        **answered,
        "status": "refused",
        "answers": 1,
        "input_tokens": 5,
        "output_tokens": 0,
        "usd": 0.5,
        "without_price": 0,
    }
    assert json.loads(json.dumps(rows)) == [answered, refused]
