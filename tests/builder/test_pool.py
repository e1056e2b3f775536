"""Sources in, a pool out: every usable image and question once, the rest with a reason."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mathv360k.builder.intake import QUESTIONS, Feed
from mathv360k.builder.manifest import read_manifest
from mathv360k.builder.pool import read_questions, write_pool
from mathv360k.builder.schema import Kind, Reason, Task, Unusable
from mathv360k.builder.sources.source import Candidate, Rejection, Source
from mathv360k.errors import SourceError
from release_file import png


def nothing(*_: Any) -> Any:
    """Reads no files: the tests give the rows."""
    return iter(())


ONE = Source("One", Task.FQA, "table", "CC0-1.0", "yes", "", "", "", "", ("*",), nothing)
TWO = Source("Two", Task.GPS, None, "MIT", "yes", "", "", "", "", ("*",), nothing)


def row(
    image: int | str = 1, question: str = "How many?", answer: str = "3", **more: Any
) -> Candidate:
    load = more.pop("load", lambda: png(hash_of(image)))
    return Candidate(
        row=more.pop("row", "r"),
        image=f"{image}.png",
        load=load,
        question=question,
        answer=answer,
        **more,
    )


def hash_of(image: int | str) -> int:
    return image if isinstance(image, int) else int(sha256(image.encode()).hexdigest()[:6], 16)


def missing() -> bytes:
    raise Unusable(Reason.IMAGE_MISSING, "gone")


@pytest.fixture
def pool(tmp_path: Path) -> Callable[..., Any]:
    """Writes rows, or (source, row) pairs, into a pool and reads it back."""

    def write(*rows: Any, limit: int | None = None) -> Any:
        pairs = [r if isinstance(r, tuple) else (ONE, r) for r in rows]
        write_pool([Feed("feed", iter(pairs), limit)], tmp_path / "pool", {})
        tables = {
            name: pq.read_table(tmp_path / "pool" / f"{name}.parquet").to_pylist()
            for name in ("images", "quarantine")
        }
        questions = read_questions(tmp_path / "pool", QUESTIONS.names).to_pylist()
        return tables["images"], questions, tables["quarantine"]

    return write


def test_the_same_bytes_under_two_names_are_one_image_with_all_questions(pool: Any) -> None:
    same = png(7)
    images, questions, quarantine = pool(
        (ONE, row("a", "What is it?", load=lambda: same)),
        (TWO, row("b", "Where is it?", load=lambda: same)),
    )
    assert [(i["image_id"], i["source"], i["name"]) for i in images] == [
        (sha256(same).hexdigest(), "One", "One/a.png")
    ]
    assert [q["id"] for q in questions] == ["One/a.png#original-0", "Two/b.png#original-0"]
    assert [q["task"] for q in questions] == ["FQA", "GPS"]
    assert quarantine == []


def test_images_are_kept_byte_for_byte(pool: Any, tmp_path: Path) -> None:
    images, _, _ = pool(row(1), row(2), row(3))
    blob = (tmp_path / "pool" / "images.bin").read_bytes()
    stored = {blob[i["offset"] : i["offset"] + i["size"]] for i in images}
    assert stored == {png(1), png(2), png(3)}


def test_rows_are_sorted_by_image_and_keep_their_order_on_it(pool: Any) -> None:
    asked = [row(n % 5, f"Question {n}?") for n in range(25)]
    images, questions, _ = pool(*asked)
    ids = [i["image_id"] for i in images]
    assert ids == sorted(ids)
    assert [q["image"] for q in questions] == sorted(q["image"] for q in questions)
    for place in range(5):
        numbers = [int(q["question"][9:-1]) for q in questions if q["image"] == place]
        assert numbers == sorted(numbers)
        assert len(numbers) == 5


def test_what_is_derived_from_the_answer(pool: Any) -> None:
    _, questions, _ = pool(
        row(1, "a?", "6,830"),
        row(1, "b?", "8.20", unit="$"),
        row(1, "c?", "No"),
        row(1, "d?", "[1, 2]"),
        row(1, "e?", " shortage ", choices=("surplus", " shortage")),
        row(1, "f?", "117", choices=("117", "117", "126"), answer_index=1),
    )
    shown = ("answer", "answer_type", "precision", "question_type", "answer_letter", "unit")
    assert [tuple(q[name] for name in shown) for q in questions] == [
        ("6,830", "integer", None, "free_form", None, None),
        ("8.20", "float", 2, "free_form", None, "$"),
        ("No", "yes_no", None, "free_form", None, None),
        ("[1, 2]", "list", None, "free_form", None, None),
        ("shortage", "text", None, "multi_choice", "B", None),
        ("117", "integer", None, "multi_choice", "B", None),
    ]


def test_every_row_that_cannot_be_used_has_its_reason(pool: Any) -> None:
    _, questions, quarantine = pool(
        row(1, row="good"),
        row("gone", load=missing, row="no image"),
        row("gone", "Another?", load=missing, row="no image either"),
        row("text", load=lambda: b"hello", row="no picture"),
        row(1, " ", row="no question"),
        row(1, "Why?", "", row="no answer"),
        row(1, "Which?", "5", choices=("1", "2"), row="no such choice"),
        row(1, "Which?", "1", choices=("1", "2"), answer_index=1, row="wrong place"),
        Rejection("broken", Reason.MALFORMED_ROW, "no field"),
    )
    assert [q["row"] for q in questions] == ["good"]
    assert [(q["row"], q["reason"]) for q in quarantine] == [
        ("no image", "image_missing"),
        ("no image either", "image_missing"),
        ("no picture", "image_unreadable"),
        ("no question", "no_question"),
        ("no answer", "no_answer"),
        ("no such choice", "answer_not_among_choices"),
        ("wrong place", "answer_not_among_choices"),
        ("broken", "malformed_row"),
    ]


def test_half_characters_do_not_stop_the_rest(pool: Any) -> None:
    _, questions, quarantine = pool(
        row(1, "fine?", row="good"),
        row(1, "\ud83d?", row="question"),
        row(1, "b?", "\ud83d", row="answer"),
        row(1, "c?", "x", choices=("x", "\ud83d"), row="choice"),
        Rejection("where \ud83d", Reason.MALFORMED_ROW, "what \ud83d", "image \ud83d"),
    )
    assert [q["row"] for q in questions] == ["good"]
    assert [q["reason"] for q in quarantine] == ["malformed_row"] * 4
    assert quarantine[-1]["image"] == "One/image \\ud83d"


class TestRepetitions:
    def test_a_question_asked_twice_stays_once(self, pool: Any) -> None:
        _, questions, quarantine = pool(
            row(1, "What is  shown?", "A cat", row="first"),
            row(1, "what is shown?", "a cat.", row="again"),
            row(2, "What is shown?", "A cat", row="another image"),
            row(1, "What is shown?", "A cat", choices=("A cat", "A dog"), row="other choices"),
        )
        assert {q["row"] for q in questions} == {"first", "another image", "other choices"}
        assert [(q["row"], q["reason"]) for q in quarantine] == [("again", "duplicate_question")]
        assert "One/1.png#original-0" in quarantine[0]["detail"]

    def test_an_original_outweighs_what_a_teacher_wrote(self, pool: Any) -> None:
        _, questions, quarantine = pool(
            row(1, answer="4", kind=Kind.SYNTHETIC, row="wrong"),
            row(1, answer="3", row="original"),
            row(1, answer="3", kind=Kind.SYNTHETIC, row="same"),
        )
        assert [q["row"] for q in questions] == ["original"]
        assert {(q["row"], q["reason"]) for q in quarantine} == {
            ("wrong", "conflicting_answers"),
            ("same", "duplicate_question"),
        }

    @pytest.mark.parametrize("kind", [Kind.ORIGINAL, Kind.SYNTHETIC])
    def test_when_nobody_knows_who_is_right_all_go(self, kind: Kind, pool: Any) -> None:
        images, questions, quarantine = pool(
            row(1, answer="3", kind=kind), row(1, answer="4", kind=kind), row(2)
        )
        assert len(images) == len(questions) == 1  # no image without a question
        assert [q["reason"] for q in quarantine] == ["conflicting_answers"] * 2

    def test_children_of_a_repeated_original_go_to_the_one_that_stays(self, pool: Any) -> None:
        _, questions, _ = pool(
            row(1, row="first"),
            row(1, row="repeated"),
            row(1, "How many are there?", kind=Kind.REPHRASE, parent=1),
        )
        assert questions[-1]["parent_id"] == "One/1.png#original-0"


def test_children_of_a_refused_original_are_nobodys(pool: Any) -> None:
    _, questions, _ = pool(row(1, answer=""), row(1, "Why?", kind=Kind.COMPLEX, parent=0))
    assert [q["parent_id"] for q in questions] == [None]


def test_a_limit_counts_images_and_keeps_all_their_questions(pool: Any) -> None:
    images, questions, _ = pool(*(row(n % 4, f"{n}?") for n in range(12)), limit=2)
    assert len(images) == 2
    assert sorted(int(q["question"][:-1]) for q in questions) == [0, 1, 4, 5, 8, 9]


def test_an_id_does_not_depend_on_rows_that_were_refused(pool: Any) -> None:
    _, questions, _ = pool(row(1, "a?", ""), row(1, "b?", "1"))
    assert questions[0]["id"] == "One/1.png#original-1"


def test_the_manifest_counts_and_two_runs_are_equal(pool: Any, tmp_path: Path) -> None:
    rows = [row(n % 7, f"{n}?") for n in range(40)] + [row(1, "?", "")]
    manifests = []
    for _ in range(2):
        pool(*rows)
        manifests.append(read_manifest(tmp_path / "pool", "pool"))
    assert manifests[0] == manifests[1]
    assert manifests[0] is not None
    assert manifests[0]["images"] == 7
    assert manifests[0]["questions"] == 40
    assert manifests[0]["reasons"] == {"One": {"no_answer": 1}}


def test_a_source_that_breaks_off_leaves_no_pool(tmp_path: Path) -> None:
    def broken() -> Any:
        yield ONE, row(1)
        raise SourceError("data.json, line 7: broken")

    with pytest.raises(SourceError):
        write_pool([Feed("One", broken())], tmp_path / "pool", {})
    assert list(tmp_path.iterdir()) == []


class TestSharedPictures:
    def test_a_picture_that_sources_call_the_same_is_one_image(self, pool: Any) -> None:
        """COCO files differ in name, and in some copies in their bytes."""
        images, questions, _ = pool(
            (ONE, row("COCO_train2014_000000000042", "What is it?", picture="coco/42")),
            (TWO, row("000000000042", "Where is it?", picture="coco/42")),
            (TWO, row("000000000043", "Who is it?", picture="coco/43")),
        )
        assert sorted(i["name"] for i in images) == [
            "One/COCO_train2014_000000000042.png",
            "Two/000000000043.png",
        ]
        shared = next(n for n, i in enumerate(images) if i["source"] == "One")
        assert [q["source"] for q in questions if q["image"] == shared] == ["One", "Two"]

    def test_where_one_source_lacks_the_file_the_other_has_it(self, pool: Any) -> None:
        images, questions, quarantine = pool(
            (ONE, row("a", "What is it?", picture="coco/42", load=missing)),
            (TWO, row("b", "Where is it?", picture="coco/42")),
        )
        assert [i["source"] for i in images] == ["Two"]
        assert [q["question"] for q in questions] == ["Where is it?"]
        assert [q["reason"] for q in quarantine] == ["image_missing"]

    def test_a_limit_counts_pictures_known_from_another_source(self, tmp_path: Path) -> None:
        one = [(ONE, row(n, "What?", picture=f"coco/{n}")) for n in range(4)]
        two = [(TWO, row(n, "Where?", picture=f"coco/{n}")) for n in range(4)]
        write_pool([Feed("One", iter(one)), Feed("Two", iter(two), 2)], tmp_path / "pool", {})
        questions = read_questions(tmp_path / "pool", ["source"])["source"].to_pylist()
        assert sorted(questions) == ["One"] * 4 + ["Two"] * 2


class TestProblemsOfTwoSources:
    CHOICES = ("40°", "60°", "120°", "140°")

    def test_a_problem_told_in_two_languages_stays_once(self, pool: Any) -> None:
        _, questions, quarantine = pool(
            (ONE, row(1, "如图,则∠CED的大小是()", "120°", choices=self.CHOICES, row="Chinese")),
            (
                TWO,
                row(1, "The size of angle CED is ()", "120°", choices=self.CHOICES, row="English"),
            ),
        )
        assert [q["row"] for q in questions] == ["Chinese"]
        assert [(q["row"], q["reason"], q["detail"]) for q in quarantine] == [
            ("English", "same_problem", "the same problem as One/1.png#original-0")
        ]

    def test_rewordings_within_a_source_stay(self, pool: Any) -> None:
        _, questions, _ = pool(
            (ONE, row(1, "What is angle CED?", "120°", choices=self.CHOICES)),
            (ONE, row(1, "Angle CED measures?", "120°", choices=self.CHOICES)),
        )
        assert len(questions) == 2

    def test_other_choices_or_answers_or_two_choices_are_other_problems(self, pool: Any) -> None:
        _, questions, _ = pool(
            (ONE, row(1, "a?", "120°", choices=self.CHOICES)),
            (TWO, row(1, "b?", "60°", choices=self.CHOICES)),
            (TWO, row(1, "c?", "120°", choices=self.CHOICES[1:])),
            (ONE, row(1, "d?", "Yes", choices=("Yes", "No"))),
            (TWO, row(1, "e?", "Yes", choices=("Yes", "No"))),
            (TWO, row(2, "f?", "120°", choices=self.CHOICES)),
        )
        assert len(questions) == 6


def test_more_rows_than_wait_in_memory_come_out_in_order(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mathv360k.builder.buckets._BATCH", 3)
    monkeypatch.setattr("mathv360k.builder.intake._ROWS_TOGETHER", 3)
    monkeypatch.setattr("mathv360k.builder.pool.QUESTION_BATCH", 4)
    rows = [row(n % 9, f"Question {n}?", str(n)) for n in range(90)]
    images, questions, quarantine = pool(*rows, *(row(1, "", row=str(n)) for n in range(10)))
    assert len(images) == 9
    assert [i["image_id"] for i in images] == sorted(i["image_id"] for i in images)
    assert [q["image"] for q in questions] == sorted(q["image"] for q in questions)
    for place, image in enumerate(images):
        number = int(image["name"].removeprefix("One/").removesuffix(".png"))
        asked = [int(q["answer"]) for q in questions if q["image"] == place]
        assert asked == list(range(number, 90, 9))
    assert [q["row"] for q in quarantine] == [str(n) for n in range(10)]
