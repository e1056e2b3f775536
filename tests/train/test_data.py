"""Which questions are trained on, in which rows, and what happens to those that do not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from transformers import AutoProcessor

import mathv360k
from mathv360k.builder import images
from mathv360k.builder.recipe import read_recipe
from mathv360k.errors import UsageError
from mathv360k.train import data as module
from mathv360k.train.chat import ChatFormat
from mathv360k.train.config import TrainConfig, read_config
from mathv360k.train.data import Preparation, StreamedData, TrainingData
from tiny_models import write_llava


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(24), out)
    return out


@pytest.fixture(scope="module")
def questions(dataset: Path) -> dict[str, dict[str, Any]]:
    """All of the training split by id, read without `datasets`."""
    rows = pq.read_table(next((dataset / "data" / "questions").glob("train-*"))).to_pylist()
    return {row["id"]: row for row in rows}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatFormat:
    folder = write_llava(tmp_path_factory.mktemp("llava") / "model")
    return ChatFormat(AutoProcessor.from_pretrained(folder))


def config_of(dataset: Path, **changes: Any) -> TrainConfig:
    return read_config(None, model="m", data=str(dataset), **changes)


def at_hand(config: TrainConfig, chat: ChatFormat, packed: bool) -> TrainingData:
    return TrainingData(Preparation(config, chat, packed))


def streamed(config: TrainConfig, chat: ChatFormat, packed: bool) -> StreamedData:
    return StreamedData(Preparation(config.model_copy(update={"streaming": True}), chat, packed))


def ids_of(data: TrainingData) -> list[str]:
    return [name for place in range(len(data)) for one in data[place] for name in one.ids]


def said(chat: ChatFormat, data: TrainingData) -> dict[str, str]:
    """What the model reads and learns to say, by question."""
    decode = chat.processor.tokenizer.decode
    return {
        name: decode(turn.ids)
        for place in range(len(data))
        for one in data[place]
        for name, turn in zip(one.ids, one.turns, strict=True)
    }


@pytest.mark.parametrize("packed", [True, False])
def test_every_question_is_there_once(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat, packed: bool
) -> None:
    data = at_hand(config_of(dataset, max_length=8192), chat, packed)
    assert Counter(ids_of(data)) == Counter(questions.keys())
    assert data.plan.questions == len(questions)
    assert (
        data.plan.images
        == len(data.image_ids())
        == len({q["image_id"] for q in questions.values()})
    )
    rows = [data[place] for place in range(len(data))]
    if packed:
        assert len(rows) < len(data.image_ids())
        assert max(data.lengths) <= 8192
    else:
        assert all(len(row) == 1 and len(row[0].turns) == 1 for row in rows)


def test_a_question_is_asked_in_the_form_of_mathv360k(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat
) -> None:
    texts = said(chat, at_hand(config_of(dataset), chat, True))
    for name, row in questions.items():
        answer = row["answer_letter"] or row["answer"]
        assert texts[name].startswith("Hint: Please answer the question")
        assert texts[name].endswith(f"assistant: The answer is {answer}</s>")
    plain = said(chat, at_hand(config_of(dataset, prompt="plain"), chat, True))
    some = next(name for name, row in questions.items() if row["choices"])
    assert plain[some].startswith(f"Question: {questions[some]['question']}")
    assert plain[some].endswith(f"assistant: {questions[some]['answer_letter']}</s>")


@pytest.mark.parametrize(
    ("select", "keep"),
    [
        ({"kind": ["original"]}, lambda q: q["kind"] == "original"),
        ({"task": ["GPS", "MWP"]}, lambda q: q["task"] in ("GPS", "MWP")),
        ({"complexity": [0, 3], "kind": ["complex"]},
         lambda q: q["complexity"] in (0, 3) and q["kind"] == "complex"),
        ({"min_agreement": 0.5}, lambda q: (q["agreement"] or 0) >= 0.5),
    ],
)  # fmt: skip
def test_selections(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat, select: dict[str, Any], keep: Any
) -> None:
    data = at_hand(config_of(dataset, select=select), chat, True)
    assert Counter(ids_of(data)) == Counter(n for n, q in questions.items() if keep(q))


def test_a_kind_that_the_dataset_does_not_know_is_named(dataset: Path, chat: ChatFormat) -> None:
    with pytest.raises(UsageError, match=r"^Unknown kind 'orginal'; did you mean original\?$"):
        at_hand(config_of(dataset, select={"kind": ["orginal"]}), chat, True)
    every = "original, ask_image, complex, rephrase, simplify, synthetic"
    with pytest.raises(UsageError, match=rf"did you mean {every}\?$"):
        at_hand(config_of(dataset, select={"kind": ["xyz"]}), chat, True)


def test_weights_repeat_images_or_leave_some_out(dataset: Path, chat: ChatFormat) -> None:
    def order(times: float) -> list[int]:
        return at_hand(config_of(dataset, select={"weights": {"drawn": times}}), chat, True).order

    once = order(1)
    assert Counter(order(2)) == Counter(once * 2)
    some = order(1.5)
    assert set(some) == set(once) and len(once) < len(some) < 2 * len(once)
    with pytest.raises(UsageError, match="weights: no image is of the source 'TabMWP'"):
        at_hand(config_of(dataset, select={"weights": {"TabMWP": 1}}), chat, True)


def test_a_curriculum_goes_from_simple_to_complex(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat
) -> None:
    data = at_hand(config_of(dataset, select={"curriculum": True}), chat, False)
    levels = [questions[name]["complexity"] for name in ids_of(data)]
    assert levels == sorted(levels) and len(set(levels)) > 1
    packed = at_hand(config_of(dataset, select={"curriculum": True}, max_length=8192), chat, True)
    levels = [questions[name]["complexity"] for name in ids_of(packed)]
    assert levels == sorted(levels) and len(packed) < len(packed.image_ids())


def test_the_order_is_that_of_the_seed(dataset: Path, chat: ChatFormat) -> None:
    orders = [at_hand(config_of(dataset, seed=s), chat, True).order for s in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_long_questions_lose_text_and_longer_ones_are_named(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat
) -> None:
    data = at_hand(config_of(dataset, max_length=230), chat, True)
    whole = said(chat, at_hand(config_of(dataset), chat, True))
    room = 230 - chat.prefix_length(64, 64)
    assert 0 < data.plan.shortened < len(questions)
    texts = said(chat, data)
    assert max(data.lengths) <= 230
    for name, text in texts.items():
        if len(chat.turns([("", "")])[0].ids) and text != whole[name]:
            answer = questions[name]["answer_letter"] or questions[name]["answer"]
            assert text.endswith(f"assistant: The answer is {answer}</s>")
            assert len(chat.processor.tokenizer(text)["input_ids"]) <= room
    tight = at_hand(config_of(dataset, max_length=62), chat, True)
    assert tight.plan.too_long
    assert tight.plan.questions + len(tight.plan.too_long) == len(questions)
    assert not set(tight.plan.too_long) & set(ids_of(tight))
    with pytest.raises(UsageError, match="has no questions for this run; select others"):
        at_hand(config_of(dataset, max_length=20), chat, True)


def test_an_image_that_cannot_be_read_is_left_out_and_counted(
    dataset: Path, questions: dict[str, Any], chat: ChatFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = next(iter(questions.values()))["image_id"]

    def open_rgb(data: bytes) -> Any:
        return images.open_rgb(data[:200] if sha256(data).hexdigest() == bad else data)

    monkeypatch.setattr(module, "open_rgb", open_rgb)
    preparation = Preparation(config_of(dataset), chat, True)
    left = {n for n, q in questions.items() if q["image_id"] != bad}
    assert set(ids_of(TrainingData(preparation))) == left
    stream = StreamedData(preparation).epoch(0)
    assert {n for row in stream for one in row for n in one.ids} == left
    assert preparation.unreadable.count_nonzero() == 1  # however often it was met


class TestStreaming:
    def test_where_no_image_can_be_read_it_ends(
        self, dataset: Path, chat: ChatFormat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "open_rgb", lambda data: images.open_rgb(data[:100]))
        with pytest.raises(UsageError, match=r"No image of .* can be read"):
            next(iter(streamed(config_of(dataset), chat, True)))

    def test_an_epoch_has_every_question_as_often_as_weighed_in_an_order_of_its_own(
        self, dataset: Path, questions: dict[str, Any], chat: ChatFormat
    ) -> None:
        data = streamed(config_of(dataset, select={"weights": {"drawn": 2}}), chat, True)
        rows = [list(data.epoch(number)) for number in (0, 1)]
        epochs = [[name for row in some for one in row for name in one.ids] for some in rows]
        assert len(rows[0]) == data.plan.rows
        assert Counter(epochs[0]) == Counter(epochs[1]) == Counter([*questions, *questions])
        assert epochs[0] != epochs[1]
        assert data.plan.questions == 2 * len(questions)
        assert data.image_ids() == sorted({q["image_id"] for q in questions.values()})

    def test_what_is_shown_is_the_same_as_at_hand(self, dataset: Path, chat: ChatFormat) -> None:
        def shown(rows: Iterable[Any]) -> dict[str, tuple[list[int], bytes]]:
            return {
                name: (turn.ids, one.image.tobytes())
                for row in rows
                for one in row
                for name, turn in zip(one.ids, one.turns, strict=True)
            }

        config = config_of(dataset, select={"kind": ["original", "complex"], "task": ["GPS"]})
        data = at_hand(config, chat, True)
        there = shown(data[place] for place in range(len(data)))
        assert shown(streamed(config, chat, False).epoch(0)) == there and len(there) > 5

    @pytest.mark.parametrize("select", [{"curriculum": True}, {"limit": 3}])
    def test_what_needs_the_whole_is_refused(
        self, dataset: Path, chat: ChatFormat, select: dict[str, Any]
    ) -> None:
        with pytest.raises(UsageError, match="A stream has no curriculum and no limit"):
            streamed(config_of(dataset, select=select), chat, True)


class TestConfig:
    def test_a_file_with_changes(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_text("model: a\nepochs: 3\nselect: {kind: [original], limit: 5}\n")
        config = read_config(path, model="b", epochs=None, select={"limit": 7, "task": None})
        assert (config.model, config.epochs) == ("b", 3)
        assert (config.select.kind, config.select.limit) == (["original"], 7)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("model: a\nepochs: -1", "epochs: Input should be greater than 0"),
            ("model: a\nlearning: 1", "learning: Extra inputs are not permitted"),
            ("epochs: 1", "model: Field required"),
            ("- 1", "is no configuration"),
            ("model: a\nschedule: foo", "schedule: Input should be 'cosine'"),
            ("model: a\nselect: [1]", "select: Input should be a valid dictionary"),
            ("model: a\nselect: {weights: {x: .inf}}", "weights.x: Input should be less than"),
            ("a: [", "cannot be read as a configuration"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "c.yaml"
        path.write_text(text)
        with pytest.raises(UsageError, match=said):
            read_config(path, select={"kind": ["original"]})
