"""From a pool to verified questions, as a user does it: by command, by recipe, from Python."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

import mathv360k
from marks import marks_pool, marks_script, value
from mathv360k import FolderError, Recipe, UsageError, read_recipe
from mathv360k.builder.answers import same_answer
from mathv360k.builder.intake import QUESTIONS
from mathv360k.builder.manifest import read_manifest
from mathv360k.builder.pool import read_questions
from mathv360k.curation import select
from mathv360k.errors import TeacherError
from mathv360k.pipeline import read_sources
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.drawn.teacher import truth
from mathv360k.synthesis.run import synthesize
from mathv360k.synthesis.verify import verify_answers
from mathv360k.synthesis.window import Limits
from teacher_server import Body, Say, prompt_of, teacher_server
from test_cli import answer, run

datasets.disable_progress_bars()
_KEY = "sk-marker-4711-never-to-be-seen"
_KILLS = int(os.environ.get("MATHV360K_KILLS", "6"))


def files_in(folder: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def marks_recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(
        {"name": "marks", "synthesize": {"teacher": {"model": "m"}}, **changes}
    )


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marks_pool(tmp_path_factory.mktemp("marks") / "pool", 20)


def asking(folder: Path, url: str, **more: Any) -> Asking:
    return Asking(folder / "ledger", base_url=url, limits=Limits(16), **more)


def test_all_four_kinds_are_written_and_verified(marks: Path, tmp_path: Path) -> None:
    recipe = marks_recipe()
    with teacher_server(marks_script) as server:
        written = synthesize(marks, recipe, tmp_path / "written", asking(tmp_path, server.url))
        assert (written["requests"], written["questions"], written["faults"]) == (80, 160, {})
        assert server.answered.total() == 80
        verified = verify_answers(
            marks, tmp_path / "written", recipe, tmp_path / "out", asking(tmp_path, server.url)
        )
    assert server.answered.total() == 80 + 3 * 160
    rows = read_questions(tmp_path / "out", QUESTIONS.names).to_pylist()
    assert Counter(row["kind"] for row in rows) == {
        "original": 20,
        "ask_image": 100,
        "complex": 20,
        "rephrase": 20,
        "simplify": 20,
    }
    assert verified["questions"] == len(rows)
    assert [row["image"] for row in rows] == sorted(row["image"] for row in rows)
    by_id = {row["id"]: row for row in rows}
    reworded = by_id["One/3.png#rephrase-0"]
    assert reworded["question"] == "Tell how much mark m3 is worth."
    assert reworded["answer"] == value("m3") == by_id["One/3.png#original-0"]["answer"]
    assert reworded["parent_id"] == "One/3.png#original-0"
    assert by_id["One/3.png#complex-0"]["answer"] == value("m3c")
    asked = by_id["One/3.png#ask_image-4"]
    assert (asked["parent_id"], asked["teacher"], asked["agreement"]) == (None, "m", 1.0)
    assert by_id["One/3.png#original-0"]["agreement"] is None
    assert (asked["answer_type"], asked["question_type"]) == ("integer", "free_form")


def test_nothing_is_asked_twice_and_no_key_is_needed_to_rebuild(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = marks_recipe()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = tmp_path / "one", tmp_path / "two"
    with teacher_server(marks_script) as server:
        synthesize(marks, recipe, one / "written", asking(one, server.url))
        verify_answers(marks, one / "written", recipe, one / "out", asking(one, server.url))
        before = server.seen.total()
        synthesize(marks, recipe, one / "again", asking(one, server.url))
        assert server.seen.total() == before
    answer("ledger export one/ledger answers.parquet", tmp_path)
    told = answer("ledger import two/ledger answers.parquet", tmp_path)
    assert told == {"answers": before, "new": before}
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    nobody = asking(two, "http://127.0.0.1:9/v1")
    synthesize(marks, recipe, two / "written", nobody)
    verify_answers(marks, two / "written", recipe, two / "out", nobody)
    assert files_in(two / "written") == files_in(one / "written")
    assert files_in(two / "out") == files_in(one / "out")


def test_a_key_is_nowhere_to_be_seen(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in ledger, folders, output or error, even where the server quotes it."""

    def script(body: Body, times: int) -> Say:
        if server.seen.total() == 3:
            return Say(f"My key is {_KEY}, thank you.")
        if server.seen.total() == 5:
            return Say(status=400, error={"message": f"bad request with {_KEY}"})
        if server.seen.total() > 60:
            return Say(status=401, error={"message": f"Incorrect API key provided: {_KEY}"})
        return marks_script(body, times)

    monkeypatch.setenv("OPENAI_API_KEY", _KEY)
    with teacher_server(script) as server:
        call = f"synthesize {marks} --teacher m --base-url {server.url} --out written"
        refused = run(call, tmp_path)
        assert refused.returncode == 1
        assert "Incorrect API key provided: [key]" in refused.stderr
        assert {h["authorization"] for h in server.headers} == {f"bearer {_KEY}".lower()}
        partial = run(f"{call} --partial", tmp_path)
    seen = refused.stdout + refused.stderr + partial.stdout + partial.stderr
    assert _KEY not in seen
    assert seen.count("\n") < 12
    for path in (*tmp_path.rglob("*"), *marks.rglob("*")):
        assert path.is_dir() or _KEY.encode() not in path.read_bytes(), path


def test_what_brings_no_question_is_kept_with_its_reason(marks: Path, tmp_path: Path) -> None:
    def script(body: Body, times: int) -> Say:
        number = server.seen.total() % 8 if "reasoning" not in prompt_of(body) else 7
        return {
            0: Say(refusal="No, sorry."),
            1: Say("half", finish="length"),
            2: Say("half", finish="content_filter"),
            3: Say("Not JSON at all."),
        }.get(number, marks_script(body, times))

    recipe = marks_recipe(verify={"answers": 1})
    with teacher_server(script) as server:
        written = synthesize(marks, recipe, tmp_path / "written", asking(tmp_path, server.url))
        verify_answers(
            marks, tmp_path / "written", recipe, tmp_path / "out", asking(tmp_path, server.url)
        )
    assert set(written["faults"]) >= {"refused", "truncated", "filtered"}
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    said = {row["reason"]: row["reply"] for row in rejected if row["reply"]}
    assert (said["refused"], said["truncated"], said["filtered"]) == ("No, sorry.", "half", "half")
    counts = Counter(row["reason"] for row in rejected)
    assert dict(counts) == written["faults"]
    manifest = read_manifest(tmp_path / "out", "pool")
    assert manifest
    told: Counter[str] = Counter()
    for row in manifest["synthesis"]["yield"]:
        told.update(row["rejected"])
    assert told == counts


def test_verification_finds_what_a_teacher_got_wrong(tmp_path: Path) -> None:
    """One in five questions, and of the answers to them, is wrong; by the scenes we know which."""
    read_sources(read_recipe("demo").limited(255), tmp_path / "pool")
    recipe = Recipe.model_validate(
        {"name": "x", "synthesize": {"teacher": {"model": "drawn", "error_rate": 0.2}}}
    )
    here = Asking(tmp_path / "ledger")
    synthesize(tmp_path / "pool", recipe, tmp_path / "written", here)
    verify_answers(tmp_path / "pool", tmp_path / "written", recipe, tmp_path / "out", here)
    names = pq.read_table(tmp_path / "out" / "images.parquet")["name"].to_pylist()
    written = pq.read_table(tmp_path / "written" / "written.parquet").to_pylist()
    kept = {row["id"] for row in read_questions(tmp_path / "out", ["id", "kind"]).to_pylist()}

    def right(row: dict[str, Any]) -> bool:
        true = truth(names[row["image"]], row["question"], row["choices"])
        return true is not None and same_answer(true, row["answer"], row["choices"], row["unit"])

    judged = Counter((right(row), row["id"] in kept) for row in written if row["question"])
    wrong = judged[False, True] + judged[False, False]
    assert 0.15 < wrong / judged.total() < 0.25
    assert judged[True, True] / (judged[True, True] + judged[False, True]) >= 0.98  # precision
    assert judged[True, True] / (judged[True, True] + judged[True, False]) >= 0.9  # recall


def test_another_teacher_may_answer(marks: Path, tmp_path: Path) -> None:
    recipe = marks_recipe(verify={"answers": 1, "teacher": {"model": "other"}})
    with teacher_server(marks_script) as server:
        here = asking(tmp_path, server.url)
        synthesize(marks, recipe, tmp_path / "written", here)
        manifest = verify_answers(marks, tmp_path / "written", recipe, tmp_path / "out", here)
    models = Counter(body["model"] for body in server.bodies)
    assert models == {"m": 80, "other": 160}
    assert manifest["synthesis"]["verified_by"] == "other"


def test_without_answers_only_the_form_counts(marks: Path, tmp_path: Path) -> None:
    recipe = marks_recipe(verify={"answers": 0})
    with teacher_server(marks_script) as server:
        here = asking(tmp_path, server.url)
        synthesize(marks, recipe, tmp_path / "written", here)
        verify_answers(marks, tmp_path / "written", recipe, tmp_path / "out", here)
    assert server.seen.total() == 80
    rows = read_questions(tmp_path / "out", ["agreement"])
    assert rows["agreement"].null_count == len(rows) == 180


def test_new_questions_of_a_kind_of_ones_own_may_not_repeat_others(
    marks: Path, tmp_path: Path
) -> None:
    def script(body: Body, times: int) -> Say:
        said = json.loads(marks_script(body, times).text)
        if prompt_of(body).startswith("Look closer."):
            mark = prompt_of(body).partition("mark ")[2].partition("?")[0]
            said |= {"question": f"Find the value of mark {mark}.", "answer": value(mark)}
        return Say(json.dumps(said))

    prompt = "Look closer.\nQuestion: {{ question }}\n"
    kind = {"prompt": prompt, "about": "question", "answer": "new"}
    recipe = marks_recipe(
        synthesize={"teacher": {"model": "m"}, "kinds": {"closer": kind}}, verify={"answers": 0}
    )
    with teacher_server(script) as server:
        here = asking(tmp_path, server.url)
        synthesize(marks, recipe, tmp_path / "written", here)
        verify_answers(marks, tmp_path / "written", recipe, tmp_path / "out", here)
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert {(row["kind"], row["reason"]) for row in rejected} == {("closer", "near_duplicate")}
    assert len(rejected) == 20


def test_a_kind_of_ones_own_by_recipe(marks: Path, tmp_path: Path) -> None:
    prompt = "Say it as a riddle.\nQuestion: {{ question }}\n"
    kind = {"prompt": prompt, "about": "question", "answer": "same"}
    synthesis = {"teacher": {"model": "m"}, "kinds": {"riddle": kind, "ask_image": {"count": 2}}}
    recipe = marks_recipe(synthesize=synthesis, verify={"answers": 1}, splits={"train": 1.0})
    with teacher_server(marks_script) as server:
        mathv360k.build(recipe, tmp_path / "out", pool=marks, asking=asking(tmp_path, server.url))
    assert any(prompt_of(b).startswith("Say it as a riddle.") for b in server.bodies)
    riddles = mathv360k.load(tmp_path / "out", "questions", kind="riddle", split="train")
    assert len(riddles) == 20  # type: ignore[arg-type]
    assert len(mathv360k.load(tmp_path / "out", kind="ask_image", split="train")) == 40  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Unknown kind 'ridle'; did you mean riddle"):
        mathv360k.load(tmp_path / "out", kind="ridle")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"riddle": {}}, "riddle needs prompt"),
        ({"riddle": {"prompt": "x"}}, "riddle needs about"),
        ({"riddle": {"prompt": "x", "about": "question"}}, "riddle needs answer"),
        ({"riddle": {"prompt": "x", "about": "image", "answer": "same"}}, "its answers are new"),
        ({"complex": {"count": 3}}, "one is written from each"),
        (
            {"complex": {"prompt": "{{ nonsense }}"}},
            "cannot be filled in .*'nonsense' is undefined",
        ),
        ({"complex": {"prompt": "{% if %}"}}, "is no jinja template"),
        ({"complex": {"prompt": "{{ ''.__class__.__mro__ }}"}}, "cannot be filled in"),
        ({"original": {"prompt": "x"}}, "is not written by a teacher"),
    ],
)
def test_a_kind_that_is_not_declared_whole(
    kinds: dict[str, Any], said: str, marks: Path, tmp_path: Path
) -> None:
    recipe = marks_recipe(synthesize={"teacher": {"model": "m"}, "kinds": kinds})
    with pytest.raises(UsageError, match=said):
        synthesize(marks, recipe, tmp_path / "out", Asking(tmp_path / "ledger"))


def test_money_is_only_spent_where_a_budget_is_given(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with teacher_server(marks_script) as server:
        call = f"synthesize {marks} --teacher gpt-5-mini --base-url {server.url} --out written"
        told = answer(f"{call} --dry-run", tmp_path)
        assert told["to_ask"]["ask_image"]["requests"] == 20
        assert told["usd"] > 0
        assert told["batch_usd"] == pytest.approx(told["usd"] / 2, abs=1e-3)
        done = run(call, tmp_path)
        assert done.returncode == 2
        assert f"costs money, about ${told['usd']:.2f}" in done.stderr
        assert server.seen.total() == 0
        stopped = run(f"{call} --budget 0.006", tmp_path)
        assert stopped.returncode == 1
        assert "The budget is spent: " in stopped.stderr
        some = server.answered.total()
        assert 0 < some < 80
        partial = answer(f"{call} --budget 0.006 --partial", tmp_path)
        assert partial["missing"] == 80 - server.answered.total() > 0
        whole = answer(f"{call} --budget 1", tmp_path)
        assert (whole["missing"], whole["questions"]) == (0, 160)
    assert server.answered.total() == 80
    assert set(server.answered.values()) == {1}
    shown = run("ledger show", tmp_path).stdout
    assert "80 answers, $0.00" in shown or "80 answers, $0.01" in shown


def test_a_build_says_before_hours_of_reading_that_it_costs_money(tmp_path: Path) -> None:
    recipe = {"name": "x", "sources": {"GEOS": {}}, "synthesize": {"teacher": {"model": "gpt-4o"}}}
    with pytest.raises(UsageError, match="gpt-4o costs money; say with --budget"):
        mathv360k.build(Recipe.model_validate(recipe), tmp_path / "out", source_root=tmp_path)


def test_what_does_not_fit_is_one_sentence(marks: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    for call, code, said in (
        (f"synthesize {marks}", 2, "Name who writes"),
        (f"synthesize {marks} release", 2, "Name who writes"),
        (f"synthesize {marks} --teacher drawn", 2, "only knows drawn pictures, not One/"),
        (f"synthesize {marks} --teacher ''", 2, "name of the teacher is empty"),
        (f"label {marks} --teacher ''", 2, "name of the teacher is empty"),
        (f"verify-answers {marks} --report no/x.html", 2, "no is not a folder"),
        (f"synthesize {marks} --teacher m", 2, "No key: set OPENAI_API_KEY, or name a server"),
        (f"synthesize {marks} --teacher m --base-url ftp://x", 2, "must begin with http://"),
        (f"synthesize {marks} --teacher m --budget 5 --base-url http://x", 2, "price of this"),
        (f"synthesize {marks} --teacher m --ledger notes", 1, "cannot be used as a ledger"),
        ("synthesize nowhere --teacher m", 1, "nowhere is not a finished pool"),
        (f"verify-answers {marks} --written nowhere", 1, "nowhere holds no written questions"),
        (f"verify-answers {marks} --report x.pdf", 2, "x.pdf must end in .html"),
        ("ledger show nowhere", 2, "nowhere does not exist"),
        ("ledger import x.ledger nowhere.parquet", 2, "nowhere.parquet does not exist"),
        ("ledger export notes out.parquet", 1, "cannot be used as a ledger"),
    ):
        done = run(call, tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), (call, done.stderr)
        assert said in done.stderr, call
    assert (tmp_path / "notes").read_text() == "mine"


def test_written_questions_belong_to_their_pool(marks: Path, tmp_path: Path) -> None:
    recipe = marks_recipe()
    other = marks_pool(tmp_path / "other", 3)
    with teacher_server(marks_script) as server:
        here = asking(tmp_path, server.url)
        synthesize(other, recipe, tmp_path / "written", here)
        with pytest.raises(FolderError, match="was written about another pool"):
            verify_answers(marks, tmp_path / "written", recipe, tmp_path / "out", here)
        verify_answers(other, tmp_path / "written", recipe, tmp_path / "out", here)
        with pytest.raises(UsageError, match="has questions of the kind ask_image already"):
            synthesize(tmp_path / "out", recipe, tmp_path / "twice", here)


def test_requests_without_answer_are_told_and_asked_the_next_time(
    marks: Path, tmp_path: Path
) -> None:
    def script(body: Body, times: int) -> Say:
        broken = "mark m7?" in prompt_of(body) and "harder" in prompt_of(body)
        return Say(drop=True) if broken and not mended else marks_script(body, times)

    mended = False
    recipe = marks_recipe()
    limits = Limits(16, retries=0)
    with teacher_server(script) as server:
        here = Asking(tmp_path / "ledger", base_url=server.url, limits=limits)
        with pytest.raises(TeacherError, match=r"1 requests have no answer .*79 of 80"):
            synthesize(marks, recipe, tmp_path / "written", here)
        assert not (tmp_path / "written").exists()
        mended = True
        assert synthesize(marks, recipe, tmp_path / "written", here)["questions"] == 160
    assert set(server.answered.values()) == {1}


def test_demo_has_all_kinds_and_what_was_rejected(tmp_path: Path) -> None:
    manifest = mathv360k.build(read_recipe("demo").limited(119), tmp_path / "mathv360k")
    kinds = manifest["sources"]["drawn"]["questions"]
    assert kinds["original"] == 357
    assert kinds["ask_image"] > 580
    assert min(kinds["complex"], kinds["rephrase"], kinds["simplify"]) > 110
    written = mathv360k.load(tmp_path / "mathv360k", "questions", min_agreement=1, split="train")
    assert set(written["agreement"]) == {1.0}  # type: ignore[index]
    rejected = sum(split["questions"] for split in manifest["rejected"].values())
    assert rejected == 119 * 11 - sum(kinds.values())
    if rejected:
        again = datasets.load_dataset(str(tmp_path / "mathv360k"), "rejected")
        assert sum(map(len, again.values())) == rejected
    assert manifest["synthesis"]["teacher"] == "drawn"


_CODE = """
import sys
from pathlib import Path
from mathv360k import Recipe
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.run import synthesize
from mathv360k.synthesis.verify import verify_answers
from mathv360k.synthesis.window import Limits
pool, here = Path(sys.argv[1]), Path(sys.argv[2])
ledger = Path(sys.argv[4])
asking = Asking(ledger, base_url=sys.argv[3], limits=Limits(32))
recipe = {"name": "x", "synthesize": {"teacher": {"model": "m"}}, "verify": {"answers": 1}}
recipe = Recipe.model_validate(recipe)
synthesize(pool, recipe, here / "written", asking)
verify_answers(pool, here / "written", recipe, here / "out", asking)
"""


def _run(pool: Path, here: Path, url: str, ledger: Path | None = None) -> subprocess.Popen[bytes]:
    words = [str(pool), str(here), url, str(ledger or here / "ledger")]
    return subprocess.Popen([sys.executable, "-c", _CODE, *words])


def test_killed_again_and_again_it_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """2,000 requests are written and verified; nothing that was answered is asked again but what
    was in flight. The whole campaign: MATHV360K_KILLS=50."""
    pool = marks_pool(tmp_path / "pool", 170)  # 680 to write, 1,360 to verify
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    calm.mkdir()
    wild.mkdir()

    def script(body: Body, times: int) -> Say:
        said = marks_script(body, times)
        return Say(said.text, delay=0.02)

    with teacher_server(script) as server:
        assert _run(pool, calm, server.url).wait() == 0
        assert server.answered.total() == 680 + 1360
    rng = random.Random(3)
    in_flight = 0
    with teacher_server(script) as server:
        for _ in range(_KILLS):
            process = _run(pool, wild, server.url)
            goal = server.seen.total() + rng.randrange(1, 2 * 2040 // _KILLS)
            while server.seen.total() < goal and process.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.wait()
            in_flight += 32
        assert _run(pool, wild, server.url).wait() == 0
        asked_again = server.answered.total() - len(server.answered)
    assert asked_again <= in_flight
    for folder in ("written", "out"):
        assert files_in(wild / folder) == files_in(calm / folder)
    assert sorted(p.name for p in wild.iterdir() if not p.name.startswith("ledger")) == [
        "out",
        "written",
    ]


def test_two_processes_share_a_ledger_and_the_work(tmp_path: Path) -> None:
    pool = marks_pool(tmp_path / "pool", 100)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    shared = tmp_path / "ledger"
    with teacher_server(lambda body, n: Say(marks_script(body, n).text, delay=0.05)) as server:
        both = [_run(pool, tmp_path / name, server.url, shared) for name in ("one", "two")]
        assert [process.wait() for process in both] == [0, 0]
    asked_twice = server.answered.total() - len(server.answered)
    assert asked_twice < 400  # of 1,200: each is free to finish what the other has in flight
    assert files_in(tmp_path / "one" / "out") == files_in(tmp_path / "two" / "out")


def test_verified_questions_are_reported(marks: Path, tmp_path: Path) -> None:
    with teacher_server(marks_script) as server:
        options = f"--base-url {server.url} --ledger ledger"
        answer(f"synthesize {marks} --teacher m --out written {options}", tmp_path)
        call = f"verify-answers {marks} --written written --out out --answers 1 {options}"
        told = answer(f"{call} --report report.html", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert told["synthesis"]["yield"][0]["kept"] == 100
    assert "ask_image" in page
    assert json.dumps(told)


def test_what_is_forgotten_is_asked_again(marks: Path, tmp_path: Path) -> None:
    def script(body: Body, times: int) -> Say:
        broken = "mark m7?" in prompt_of(body) and not mended
        return Say(finish="length") if broken else marks_script(body, times)

    mended = False
    recipe = marks_recipe()
    with teacher_server(script) as server:
        here = asking(tmp_path, server.url)
        first = synthesize(marks, recipe, tmp_path / "written", here)
        assert first["faults"] == {"truncated": 3}
        assert synthesize(marks, recipe, tmp_path / "written", here) == first
        assert answer("ledger forget ledger truncated", tmp_path) == {"forgotten": 3}
        mended = True
        assert synthesize(marks, recipe, tmp_path / "written", here)["questions"] == 160
        before = server.seen.total()
        assert synthesize(marks, recipe, tmp_path / "written", here)["questions"] == 160
    assert server.seen.total() == before


def test_a_pool_is_not_written_over_itself(marks: Path, tmp_path: Path) -> None:
    recipe = marks_recipe()
    before = files_in(marks)
    with teacher_server(marks_script) as server:
        here = asking(tmp_path, server.url)
        synthesize(marks, recipe, tmp_path / "written", here)
        with pytest.raises(UsageError, match="is what is read; name another folder"):
            verify_answers(marks, tmp_path / "written", recipe, marks, here)
    done = run(f"select {marks} --out {marks}", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert files_in(marks) == before


def test_one_budget_is_for_writing_and_verifying(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 requests write, 480 verify; each costs 140 millionths of a dollar."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    (tmp_path / "prices.yaml").write_text("m: {input: 1, output: 2}\n")
    recipe = marks_recipe(splits={"train": 1.0})
    with teacher_server(marks_script) as server:
        poor = asking(tmp_path, server.url, prices=tmp_path / "prices.yaml", budget_usd=0.03)
        with pytest.raises(TeacherError, match="The budget is spent"):
            mathv360k.build(recipe, tmp_path / "out", pool=marks, asking=poor)
        assert 80 < server.answered.total() < 0.03 / 140e-6
        tokens = asking(tmp_path, server.url, prices=poor.prices, budget_tokens=560 * 120 - 1)
        with pytest.raises(TeacherError, match="The budget is spent"):
            mathv360k.build(recipe, tmp_path / "out", pool=marks, asking=tokens)
        rich = asking(tmp_path, server.url, prices=poor.prices, budget_usd=1.0)
        manifest = mathv360k.build(recipe, tmp_path / "out", pool=marks, asking=rich)
    assert server.answered.total() == 560
    assert manifest["synthesis"]["usd"] == pytest.approx(560 * 140e-6)


def test_answers_that_contradict_each_other_about_an_image_go_both(
    marks: Path, tmp_path: Path
) -> None:
    def script(body: Body, times: int) -> Say:
        if '"questions"' not in prompt_of(body):
            return marks_script(body, times)
        asked = [("Which is the first mark?", "m1"), ("which is the first mark", "m2"),
                 ("What is the value of mark m3?", "3"), ("How many marks are there?", "4"),
                 ("Tell how many marks there are.", "4.0")]  # fmt: skip
        rest = {"choices": [], "rationale": "", "unit": ""}
        said = [{"question": q, "answer": a, **rest} for q, a in asked]
        return Say(json.dumps({"questions": said}))

    synthesis = {"teacher": {"model": "m"}, "kinds": {"ask_image": {}}}
    recipe = marks_recipe(synthesize=synthesis, verify={"answers": 0})
    with teacher_server(script) as server:
        here = asking(tmp_path, server.url)
        synthesize(marks, recipe, tmp_path / "written", here)
        manifest = verify_answers(marks, tmp_path / "written", recipe, tmp_path / "out", here)
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    of_image = [row for row in rejected if row["id"].startswith("One/3.png#")]
    assert [(row["answer"], row["reason"]) for row in of_image] == [
        ("m1", "conflicting_answers"),
        ("m2", "conflicting_answers"),
        # what an original says of its mark outweighs what a teacher wrote
        ("3", "conflicting_answers"),
        ("4.0", "near_duplicate"),
    ]
    (row,) = manifest["synthesis"]["yield"]
    assert row["kept"] == 100 - sum(row["rejected"].values())
    assert row["kept"] + len(rejected) == 100


def picture_of(pool: Path, name: str) -> bytes:
    (row,) = [r for r in pq.read_table(pool / "images.parquet").to_pylist() if r["name"] == name]
    return (pool / "images.bin").read_bytes()[row["offset"] : row["offset"] + row["size"]]


def test_questions_about_a_benchmarks_image_are_marked_like_its_originals(
    marks: Path, tmp_path: Path
) -> None:
    (tmp_path / "Bench").mkdir()
    (tmp_path / "Bench" / "7.png").write_bytes(picture_of(marks, "One/3.png"))
    select(marks, Recipe(name="x"), tmp_path / "pool", against=[tmp_path / "Bench"])
    recipe = marks_recipe(verify={"answers": 0})
    with teacher_server(marks_script) as server:
        here = asking(tmp_path, server.url)
        synthesize(tmp_path / "pool", recipe, tmp_path / "written", here)
        verify_answers(tmp_path / "pool", tmp_path / "written", recipe, tmp_path / "out", here)
    rows = read_questions(tmp_path / "out", ["id", "contamination"]).to_pylist()
    marked = {row["id"] for row in rows if row["contamination"]}
    assert marked == {row["id"] for row in rows if row["id"].startswith("One/3.png#")}
    assert len(marked) == 9


def test_written_questions_that_a_benchmark_has_are_found_and_rejected_ones_stay(
    marks: Path, tmp_path: Path
) -> None:
    text = "How far does the striped turtle swim between noon and midnight on Sunday?"
    item = {"id": "t1", "question": text, "answer": "12"}
    (tmp_path / "bench.jsonl").write_text(json.dumps(item) + "\n")

    def script(body: Body, times: int) -> Say:
        if '"questions"' not in prompt_of(body):
            return Say(refusal="no") if "harder" in prompt_of(body) else marks_script(body, times)
        if third not in body["messages"][0]["content"][0]["image_url"]["url"]:
            return marks_script(body, times)
        rest = {"choices": [], "rationale": "", "unit": ""}
        return Say(json.dumps({"questions": [{"question": text, "answer": "12", **rest}]}))

    third = b64encode(picture_of(marks, "One/3.png")).decode()
    kinds = {"ask_image": {"count": 1}, "complex": {}}
    recipe = marks_recipe(
        synthesize={"teacher": {"model": "m"}, "kinds": kinds}, verify={"answers": 0}
    )
    with teacher_server(script) as server:
        manifest = mathv360k.build(
            recipe,
            tmp_path / "out",
            pool=marks,
            against=[tmp_path / "bench.jsonl"],
            asking=asking(tmp_path, server.url),
        )
    rows = mathv360k.load(tmp_path / "out", "questions", split="train")
    found = {r["id"]: r["contamination"] for r in rows if r["contamination"]}  # type: ignore[index]
    assert found == {"One/3.png#ask_image-0": "bench:t1 (text)"}
    rejected = mathv360k.load(tmp_path / "out", "rejected", split="train")
    reasons = Counter(rejected["reason"])  # type: ignore[index]
    assert reasons == {"refused": 20, "not_asked_for": 19 * 4}
    assert manifest["rejected"]["train"]["questions"] == 96
