"""How fast a teacher is asked, how soon a large job is taken up again, what verification finds.

    PYTHONPATH=tests python tests/benchmarks/ask_teacher.py rate [--distilabel]
    PYTHONPATH=tests python tests/benchmarks/ask_teacher.py resume
    PYTHONPATH=tests python tests/benchmarks/ask_teacher.py verification

`rate` asks a server on loopback that takes 200 ms for every answer, with 256 requests in flight,
about a pool of 40,000 images, and compares with what is ideal (256 / 0.2 s), and with the same
number of requests per CPU second in distilabel (`pip install distilabel`), against the same server.
`resume` fills a ledger with 360,000 answers and measures the time until a run asks what is missing.
`verification` has the embedded teacher err at several rates, when it writes and when it answers.
"""

from __future__ import annotations

import argparse
import base64
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mathv360k import Recipe, read_recipe
from mathv360k.builder.answers import same_answer
from mathv360k.builder.folders import seal
from mathv360k.builder.intake import QUESTIONS
from mathv360k.builder.manifest import write_manifest
from mathv360k.builder.pool import read_questions, share_images, write_questions
from mathv360k.pipeline import read_sources
from mathv360k.synthesis.asking import Asking, ask_all
from mathv360k.synthesis.drawn.teacher import truth
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.run import Job, synthesize
from mathv360k.synthesis.tally import Tally
from mathv360k.synthesis.teacher import Reply
from mathv360k.synthesis.verify import verify_answers
from mathv360k.synthesis.window import Limits

LATENCY, PLACES = 0.2, 256
_WRITTEN = {"question": "How many?", "choices": [], "rationale": "By counting.", "answer": "3"}
ANSWER = json.dumps({"questions": [{**_WRITTEN, "unit": ""}] * 5})


@contextmanager
def server() -> Iterator[str]:
    """The address of a server in a process of its own."""
    script = str(Path(__file__).parents[1] / "teacher_server.py")
    command = [sys.executable, script, ANSWER, str(LATENCY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def repeated_pool(folder: Path, images: int) -> Path:
    """A pool of so many images: drawn ones, again and again under other names."""
    small = folder / "small"
    read_sources(read_recipe("demo").limited(1200), small)
    table = pq.read_table(small / "images.parquet")
    questions = read_questions(small, QUESTIONS.names).select(QUESTIONS.names)
    times = -(-images // len(table))
    pool = folder / "pool"
    pool.mkdir()
    many, asked = [], []
    for turn in range(times):
        digits = f"{turn:06x}"
        ids = [digits + name[6:] for name in table["image_id"].to_pylist()]
        many.append(table.set_column(0, "image_id", pa.array(ids)))
        image = pc.add(questions["image"], pa.scalar(turn * len(table), pa.int32()))
        named = [f"{name}.{turn}" for name in questions["id"].to_pylist()]
        renamed = questions.set_column(0, QUESTIONS.field("image"), image)
        place = QUESTIONS.get_field_index("id")
        asked.append(renamed.set_column(place, QUESTIONS.field("id"), pa.array(named)))
    whole = pa.concat_tables(many).slice(0, images)
    pq.write_table(whole, pool / "images.parquet")
    rows = pa.concat_tables(asked)
    rows = rows.filter(pc.less(rows["image"], images))
    write_questions(rows, pool)
    share_images(small, pool)
    pq.write_table(pq.read_table(small / "quarantine.parquet"), pool / "quarantine.parquet")
    names = ("images.bin", "images.parquet", "questions.arrow", "quarantine.parquet")
    body = {"parameters": {}, "images": images, "questions": len(rows), "quarantine": 0}
    files = {name: seal(pool / name) for name in names}
    write_manifest(pool, "pool", {**body, "reasons": {}, "files": files})
    return pool


def recipe(**kinds: Any) -> Recipe:
    teacher = {"model": "m", "max_side": 2048}
    return Recipe.model_validate(
        {"name": "x", "synthesize": {"teacher": teacher, "kinds": kinds or {"ask_image": {}}}}
    )


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rate(requests: int, images: int, against_distilabel: bool) -> None:
    with TemporaryDirectory() as folder, server() as url:
        here = Path(folder)
        pool = repeated_pool(here, images)
        command = [sys.executable, __file__, "one-run", "--pool", str(pool), "--url", url]
        ours = _told(subprocess.run([*command, "--requests", str(requests)], check=True,
                                    capture_output=True, text=True).stdout)  # fmt: skip
        ideal = PLACES / LATENCY
        print(f"{requests:,} requests, {images:,} images, {PLACES} in flight, {LATENCY} s each")
        print(f"whole job            {ours['rate'] / ideal:.3f} of the ideal rate")
        print(f"between 5 % and 95 % {ours['steady'] / ideal:.3f} of the ideal rate")
        print(f"CPU per request      {ours['cpu_ms']:.2f} ms, peak memory {ours['mib']:.0f} MiB")
        if not against_distilabel:
            return
        count = max(1_000, requests // 5)
        command = [sys.executable, __file__, "distilabel", "--pool", str(pool), "--url", url]
        done = subprocess.run([*command, "--requests", str(count)], check=True,
                              capture_output=True, text=True)  # fmt: skip
        theirs = _told(done.stdout)
        print(f"distilabel ({count:,} requests): {theirs['rate'] / ideal:.3f} of the ideal rate, "
              f"{theirs['cpu_ms']:.2f} ms CPU per request")  # fmt: skip
        print(f"requests per CPU second: {theirs['cpu_ms'] / ours['cpu_ms']:.1f} x distilabel")


def _told(output: str) -> dict[str, float]:
    return json.loads(output.strip().splitlines()[-1])


def one_run(pool: Path, url: str, requests: int) -> None:
    """One job in a process of its own, so that its memory is its own."""
    times: dict[float, float] = {}

    def watch(tally: Tally) -> None:
        for share in (0.05, 0.95):
            if share not in times and tally.asked >= share * requests:
                times[share] = time.monotonic()

    ledger_file = pool.with_name("ledger")
    asking = Asking(ledger_file, base_url=url, limits=Limits(PLACES), watch=watch)
    chosen = recipe()
    assert chosen.synthesize
    with asking.open_ledger() as ledger:
        job = Job(pool, chosen, ledger)
        all_requests = [p.request for p in job][:requests]
        cpu, start = cpu_seconds(), time.monotonic()
        ask_all(lambda: all_requests, chosen.synthesize.teacher, pool, ledger, asking)
        seconds, cpu = time.monotonic() - start, cpu_seconds() - cpu
    print(
        json.dumps(
            {
                "rate": requests / seconds,
                "steady": 0.9 * requests / (times[0.95] - times[0.05]),
                "cpu_ms": 1e3 * cpu / requests,
                "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def distilabel_run(pool: Path, url: str, requests: int) -> None:
    """The same prompts and images through distilabel's own vision task; its start is not counted,
    as far as that can be told: a run of one batch is taken off."""
    from distilabel.models import OpenAILLM  # pyright: ignore[reportMissingImports]
    from distilabel.pipeline import Pipeline  # pyright: ignore[reportMissingImports]
    from distilabel.steps import LoadDataFromDicts  # pyright: ignore[reportMissingImports]
    from distilabel.steps.tasks import (  # pyright: ignore[reportMissingImports]
        TextGenerationWithImage,
    )

    chosen = recipe()
    with Ledger(pool.with_name("ledger")) as ledger:
        planned = [p.request for p in Job(pool, chosen, ledger)][:requests]
    blob = (pool / "images.bin").read_bytes()
    rows = []
    for request in planned:
        picture = request.picture
        assert picture is not None
        data = blob[picture.offset : picture.offset + picture.size]
        image = base64.b64encode(data).decode()
        rows.append({"instruction": request.texts()[0], "image": image})

    def run(some: list[dict[str, str]]) -> tuple[float, float]:
        with Pipeline(name="rate", cache_dir=pool.with_name("cache")) as pipeline:
            load = LoadDataFromDicts(data=some, batch_size=PLACES)
            llm = OpenAILLM(model="m", base_url=url, api_key="k")
            ask = TextGenerationWithImage(llm=llm, image_type="base64", input_batch_size=PLACES)
            load.connect(ask)
        start, used = time.monotonic(), _all_cpu()
        pipeline.run(use_cache=False)
        return time.monotonic() - start, _all_cpu() - used

    first = run(rows[:PLACES])
    whole = run(rows)
    count, seconds, cpu = requests - PLACES, whole[0] - first[0], whole[1] - first[1]
    print(json.dumps({"rate": count / seconds, "cpu_ms": 1e3 * cpu / count}))


def _all_cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu_seconds() + children.ru_utime + children.ru_stime


def resume(entries: int) -> None:
    with TemporaryDirectory() as folder, server() as url:
        here = Path(folder)
        pool = repeated_pool(here, entries // 4 + 1)
        chosen = recipe(ask_image={}, complex={}, rephrase={}, simplify={})
        assert chosen.synthesize
        with Ledger(here / "ledger") as ledger:
            missing = 0
            for number, planned in enumerate(Job(pool, chosen, ledger)):
                if number < entries:
                    ledger.add(planned.request, Reply(ANSWER), 0.001, 1.0)
                else:
                    missing += 1
        command = [sys.executable, __file__, "one-resume", "--pool", str(pool), "--url", url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told = _told(done.stdout)
        print(f"ledger of {entries:,} answers ({(here / 'ledger').stat().st_size / 2**20:.0f} MiB),"
              f" {missing} missing")  # fmt: skip
        print(f"pool read {told['read']:.1f} s, then {told['first']:.1f} s to the first answer, "
              f"peak memory {told['mib']:.0f} MiB")  # fmt: skip


def one_resume(pool: Path, url: str) -> None:
    chosen = recipe(ask_image={}, complex={}, rephrase={}, simplify={})
    assert chosen.synthesize
    times: list[float] = []
    asking = Asking(
        pool.with_name("ledger"),
        base_url=url,
        watch=lambda tally: times.append(time.monotonic()) if tally.asked == 1 else None,
    )
    start = time.monotonic()
    with asking.open_ledger() as ledger:
        job = Job(pool, chosen, ledger)
        read = time.monotonic()
        ask_all(lambda: (p.request for p in job), chosen.synthesize.teacher, pool, ledger, asking)
    print(
        json.dumps(
            {
                "read": read - start,
                "first": times[0] - read,
                "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def verification(images: int) -> None:
    print("errors  written  wrong   kept  precision  recall   (3 answers to each question)")
    for errors in (0.05, 0.1, 0.2, 0.3):
        with TemporaryDirectory() as folder:
            here = Path(folder)
            read_sources(read_recipe("demo").limited(images), here / "pool")
            teacher = {"model": "drawn", "error_rate": errors}
            chosen = Recipe.model_validate({"name": "x", "synthesize": {"teacher": teacher}})
            asking = Asking(here / "ledger")
            synthesize(here / "pool", chosen, here / "written", asking)
            verify_answers(here / "pool", here / "written", chosen, here / "out", asking)
            judged = _judged(here)
        right, wrong = judged[True, True], judged[False, True]
        all_right = right + judged[True, False]
        print(
            f"{errors:6.2f} {judged.total():8,} {judged.total() - all_right:6,} {right + wrong:6,} "
            f"{right / (right + wrong):10.4f} {right / all_right:7.4f}"
        )


def _judged(here: Path) -> Counter[tuple[bool, bool]]:
    """Written questions by whether they are right and whether they were kept."""
    names = pq.read_table(here / "out" / "images.parquet")["name"].to_pylist()
    kept = set(read_questions(here / "out", ["id"])["id"].to_pylist())
    judged: Counter[tuple[bool, bool]] = Counter()
    for row in pq.read_table(here / "written" / "written.parquet").to_pylist():
        if row["question"]:
            true = truth(names[row["image"]], row["question"], row["choices"])
            good = true is not None and same_answer(
                true, row["answer"], row["choices"], row["unit"]
            )
            judged[good, row["id"] in kept] += 1
    return judged


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--entries", type=int, default=360_000)
    parser.add_argument("--drawn", type=int, default=1_020)
    parser.add_argument("--distilabel", action="store_true")
    parser.add_argument("--pool", type=Path)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    if given.what == "rate":
        rate(given.requests, given.images, given.distilabel)
    elif given.what == "resume":
        resume(given.entries)
    elif given.what == "verification":
        verification(given.drawn)
    elif given.what == "one-run":
        one_run(given.pool, given.url, given.requests)
    elif given.what == "one-resume":
        one_resume(given.pool, given.url)
    elif given.what == "distilabel":
        distilabel_run(given.pool, given.url, given.requests)
    else:
        parser.error("rate, resume or verification")
