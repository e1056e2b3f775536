"""The page of a verified synthesis: its numbers, its samples, and nothing in them is markup."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from markupsafe import escape

from mathv360k.builder.folders import seal
from mathv360k.builder.manifest import MANIFEST
from mathv360k.builder.pool import open_pool, read_questions, write_questions
from mathv360k.builder.recipe import Recipe, read_recipe
from mathv360k.builder.schema import QUESTION, REJECTED
from mathv360k.dataset_card.synthesis import LONGEST, MEANINGS, SAMPLES, write_synthesis
from mathv360k.errors import FolderError
from mathv360k.pipeline import read_sources
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.questions import Fault
from mathv360k.synthesis.run import synthesize
from mathv360k.synthesis.verify import verify_answers

HOSTILE = "</p><script>alert(1)</script><img src=https://example.org/x onerror='alert(2)'> {{ 7 }}"


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool with what a teacher wrote who errs, and what of it was rejected."""
    folder = tmp_path_factory.mktemp("synthesis")
    recipe = Recipe.model_validate(
        {"name": "x", "synthesize": {"teacher": {"model": "drawn", "error_rate": 0.3}}}
    )
    asking = Asking(ledger=folder / "ledger")
    read_sources(read_recipe("demo").limited(34), folder / "pool")
    synthesize(folder / "pool", recipe, folder / "written", asking)
    verify_answers(folder / "pool", folder / "written", recipe, folder / "verified", asking)
    return folder / "verified"


@pytest.fixture
def changed(verified: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(verified, tmp_path / "changed"))


def page(pool: Path, out: Path) -> str:
    write_synthesis(pool, out)
    return out.read_text(encoding="utf-8")


def sealed(pool: Path, **synthesis: Any) -> None:
    """Bring the manifest up to what the files are now."""
    manifest = json.loads((pool / MANIFEST).read_text())
    there = (p for p in sorted(pool.iterdir()) if p.name != MANIFEST)
    manifest["files"] = {path.name: seal(path) for path in there}
    manifest["synthesis"] |= synthesis
    (pool / MANIFEST).write_text(json.dumps(manifest))


def table(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table with that first heading, by their first cell."""
    found = next(t for t in re.findall(r"<table>.*?</table>", text, re.S) if f">{heading}<" in t)
    rows = {}
    for row in re.findall(r"<tr>(.*?)</tr>", found, re.S):
        name, *cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)
        rows[re.sub("<.*?>", "", name)] = cells
    return rows


def shown(text: str) -> list[str]:
    """The ids of all samples, in their order."""
    return re.findall(r'<p class="about">(\S+) · ', html.unescape(text))


def test_numbers_are_those_of_the_manifest(verified: Path, tmp_path: Path) -> None:
    text = page(verified, tmp_path / "x.html")
    told = open_pool(verified)["synthesis"]
    for name in ("kind", "source", "task"):
        written: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        for row in told["yield"]:
            written[row[name]] += row["kept"] + sum(row["rejected"].values())
            kept[row[name]] += row["kept"]
        rows = table(text, name)
        assert rows.pop(name) == ["asked for", "kept", "share"]
        assert rows == {
            n: [f"{written[n]:,}", f"{kept[n]:,}", f"{kept[n] / written[n]:.1%}"] for n in written
        }
    whole = sum(kept.values())
    assert f"of which {whole} ({whole / sum(written.values()):.1%}) are kept; it answered" in text
    assert f"{told['requests']:,} answers and $0.00." in text
    kinds = sorted({row["kind"] for row in told["yield"]})
    reasons = table(text, "reason")
    assert reasons.pop("reason") == ["in all", *kinds, "what it means"]
    by_kind: dict[str, Counter[str]] = {}
    for row in told["yield"]:
        for reason, count in row["rejected"].items():
            by_kind.setdefault(reason, Counter())[row["kind"]] += count
    assert reasons == {
        reason: [f"{counts.total():,}", *(f"{counts[k]:,}" for k in kinds), MEANINGS[reason]]
        for reason, counts in by_kind.items()
    }
    rows = read_questions(verified, ["teacher", "agreement"]).to_pylist()
    shares = Counter(row["agreement"] for row in rows if row["teacher"])
    agreement = table(text, "agreement")
    agreement.pop("agreement")
    assert {name: cells[0] for name, cells in agreement.items()} == {
        f"{100 * share:.0f} %": str(count) for share, count in shares.items()
    }
    assert sum(shares.values()) == whole


def test_samples_are_of_both_outcomes_with_what_they_were_written_from(
    verified: Path, tmp_path: Path
) -> None:
    text = page(verified, tmp_path / "x.html")
    kept = read_questions(verified, QUESTION.names).to_pylist()
    rejected = pq.read_table(verified / "rejected.parquet").to_pylist()
    by_id = {row["id"]: row for row in (*kept, *rejected)}
    parts = re.split(r"<h3>(Kept|Rejected)</h3>", text)
    for title, part in zip(parts[1::2], parts[2::2], strict=True):
        ids = shown(part)
        assert 0 < len(ids) <= SAMPLES
        assert len(ids) == len(set(ids))
        there = {r["id"] for r in (kept if title == "Kept" else rejected)}
        assert set(ids) <= there
        pictures = re.findall(r'<img src="(.*?)"', part)
        assert len(pictures) == len(set(pictures)) == part.count("<article>")
        said = html.unescape(part)
        for row in (by_id[i] for i in ids):
            assert f">{row['question']}</p>" in said
            if row["answer_letter"]:
                assert f'class="answer">{row["answer"]} ✓</li>' in said
            if row["parent_id"]:
                assert f"Written from: {by_id[row['parent_id']]['question']} — " in said
            if row["rationale"]:
                assert row["rationale"] in said
            if title == "Rejected":
                assert f">{row['reason']}</span>: {row['detail']}" in said
    assert {by_id[i]["kind"] for i in shown(text)} == {
        "ask_image",
        "complex",
        "rephrase",
        "simplify",
    }


def test_the_same_pool_gives_the_same_bytes_without_references(
    verified: Path, changed: Path, tmp_path: Path
) -> None:
    text = page(verified, tmp_path / "x.html")
    rejected = pq.read_table(changed / "rejected.parquet")
    pq.write_table(rejected.take(list(range(len(rejected)))[::-1]), changed / "rejected.parquet")
    sealed(changed)
    assert page(changed, tmp_path / "y.html") == text
    assert "default-src 'none'" in text
    links = re.findall(r"""(?:src|href|url|action)\s*[=(]\s*["']?([^"'\s>)]*)""", text)
    assert links
    assert all(link.startswith(("data:image/webp;base64,", "#")) for link in links)
    assert "http" not in re.sub("http-equiv", "", text)


def test_nothing_that_models_write_is_markup(changed: Path, tmp_path: Path) -> None:
    rows = pq.read_table(changed / "rejected.parquet").to_pylist()
    texts = ("question", "answer", "unit", "rationale", "detail")
    rows = [{**row, **dict.fromkeys(texts, HOSTILE), "choices": [HOSTILE, "b"]} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, REJECTED), changed / "rejected.parquet")
    questions = read_questions(changed, ["image", "row", "problem", *QUESTION.names])
    names = questions.column_names
    spoilt = [
        {**row, "question": HOSTILE, "answer": HOSTILE, "rationale": HOSTILE}
        for row in questions.to_pylist()
    ]
    write_questions(pa.Table.from_pylist(spoilt, questions.schema).select(names), changed)
    sealed(changed, teacher=HOSTILE, verified_by=f"not {HOSTILE}")
    text = page(changed, tmp_path / "x.html")
    assert "<script" not in text
    assert "src=https" not in re.sub(r"&lt;.*?&gt;", "", text)
    assert f"Written from: {escape(HOSTILE)} — {escape(HOSTILE)}</p>" in text
    assert set(re.findall(r"<img[^>]*?src=(.{12})", text)) == {'"data:image/'}


def test_rejected_samples_are_spread_over_reasons_and_long_replies_are_cut(
    changed: Path, tmp_path: Path
) -> None:
    rows = pq.read_table(changed / "rejected.parquet").to_pylist()
    asked = [row for row in rows if row["kind"] == "ask_image"]
    nothing = {"question": "", "choices": [], "answer": "", "rationale": None, "agreement": None}
    for number, row in enumerate(asked[:10]):
        reply = f"reply {number} " + "x" * 50_000
        reason = Fault.INVALID if number < 9 else Fault.REFUSED
        row |= {**nothing, "reason": reason, "detail": f"wrong {number}", "reply": reply}
    pq.write_table(pa.Table.from_pylist(rows, REJECTED), changed / "rejected.parquet")
    sealed(changed)
    text = page(changed, tmp_path / "x.html")
    of_kind = text[text.index('<h2 id="ask_image">') : text.index('<h2 id="complex">')]
    reasons = Counter(re.findall(r'<span class="reason">(\w+)</span>', of_kind))
    assert reasons == {"disagreement": 4, "invalid": 3, "refused": 1}
    assert of_kind.count("reply 9 ") == 1
    assert "x" * LONGEST not in of_kind
    assert f"… ({50_008 - LONGEST:,} more characters)" in of_kind


def test_a_pool_chosen_from_it_may_lack_what_was_rejected(changed: Path, tmp_path: Path) -> None:
    (changed / "rejected.parquet").unlink()
    sealed(changed, verified_by=None, missing=1_200)
    text = page(changed, tmp_path / "x.html")
    assert text.count("No samples.") == 4
    assert "nobody answered them again" in text
    assert "1,200 requests have no answer yet." in text


def test_other_pools_and_damaged_ones_are_refused(
    verified: Path, changed: Path, tmp_path: Path
) -> None:
    with pytest.raises(FolderError, match="holds no questions of a teacher"):
        write_synthesis(verified.with_name("pool"), tmp_path / "x.html")
    rejected = changed / "rejected.parquet"
    rejected.write_bytes(bytes(rejected.stat().st_size))
    with pytest.raises(FolderError, match="is damaged"):
        write_synthesis(changed, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


def test_every_reason_is_explained() -> None:
    assert set(MEANINGS) == set(Fault)
