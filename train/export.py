"""A dataset in the form that another trainer reads; every image once, in its own bytes.

Forms were read off the trainers: LLaVA (`llava/train/train.py` at 0034661), LLaMA-Factory 0.9.5
(`data/parser.py`, `data/converter.py`), ms-swift 4.6.0 (`dataset/preprocessor/core.py`), TRL 1.16.0
(`data_utils.py`, `trainer/sft_trainer.py`) and nanoVLM (`data/datasets.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any, cast

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from ..builder.dataset import load
from ..builder.folders import recover, replacing
from ..builder.images import FORMATS
from ..builder.intake import Progress, quiet
from ..builder.location import Location, locate
from ..builder.schema import IMAGE, parquet_features
from ..errors import FolderError, UsageError
from .questions import PROMPTS, Prompt, answer_of, is_kept

Row = dict[str, Any]

_SAYS = "export.json"
_OURS = re.compile(
    r"(export|annotations|dataset_info)\.json|mathv360k\.jsonl"
    r"|images(/[0-9a-f]{64}\.[a-z]+)?|data(/train-\d{5}\.parquet)?"
)
_ROW_GROUP_BYTES = 32 * 2**20  # of images once decoded, where every question has its own copy
_ROW_GROUPS = 100  # in a file: some hundred MB, where an image has several questions
_OF_IMAGES = ("source", "task", "complexity", "min_clarity")
_OF_QUESTIONS = ("kind", "min_agreement", "exclude_contaminated")
FILTERS = (*_OF_IMAGES, *_OF_QUESTIONS)
_MARK = re.compile("<(?:image|video|audio)>")


@dataclass(frozen=True, slots=True)
class _Pictured:
    """An image and what is asked about it: of each question its id, its text and what to say."""

    name: str
    data: bytes
    source: str
    asked: list[tuple[str, str, str]]


def export(
    dataset: str,
    trainer: str,
    out: Path,
    *,
    split: str = "train",
    prompt: Prompt = "hint_first",
    progress: Progress = quiet,
    **filters: Any,
) -> dict[str, Any]:
    """Write the questions of a dataset into the folder `out` as `trainer` reads them.

    A mark like `<image>` in a text becomes a blank: to a trainer it would be another picture.

    Args:
        dataset: a dataset folder, or a Hub repository `namespace/name` or `namespace/name@revision`
            (read as a stream; a slice of a split is prepared in the cache of `datasets` first).
        trainer: one of `TRAINERS`, whose functions say how it is told of the folder.
        out: a new folder, or an earlier export, which it replaces when all is written.
        split: a split or a slice of one; the trainer knows it as `train`.
        prompt: `hint_first`, as MathV360K was released, or `plain`.
        filters: those of `load` that `FILTERS` names.

    Returns:
        `folder`, `trainer`, how many `images` and `questions` were written, and how many questions
        were left out as `without_image`: a public dataset withholds some images.

    Raises:
        UsageError: an unknown name, nothing left to write, or `out` holds anything else.
        FolderError: `dataset` is not a finished dataset or is damaged.
    """
    named = [("trainer", trainer, TRAINERS), ("prompt", prompt, PROMPTS)]
    for what, name, known in [*named, *(("filter", each, FILTERS) for each in filters)]:
        if name not in known:
            raise UsageError(f"Unknown {what} {name!r}; choose {', '.join(known)}.")
    said = {name: value for name, value in filters.items() if value is not None}
    given = {n: [v] if isinstance(v, str) else v for n, v in said.items() if v is not False}
    wanted = {n: list(v) if isinstance(v, Iterable) else v for n, v in sorted(given.items())}
    place = locate(dataset)
    rows = _rows(place, split, wanted, progress)
    written: Counter[str] = Counter(images=0, questions=0, without_image=0)
    whole = out.resolve()
    recover(whole)
    _refuse_foreign(whole)
    with replacing(whole) as folder:
        TRAINERS[trainer](folder, _pictured(rows, wanted, prompt, written))
        if not written["questions"]:
            raise UsageError(f"{dataset} has no such questions with an image in {split!r}.")
        about = {name: place.manifest[name] for name in ("name", "version", "digest")}
        about |= {"split": split, "filters": wanted, "trainer": trainer, "prompt": prompt}
        _write(folder / _SAYS, [json.dumps({**about, **written}, indent=1) + "\n"])
    return {"folder": str(out), "trainer": trainer, **written}


def _rows(place: Location, split: str, wanted: Row, progress: Progress) -> Iterator[Row]:
    """Images with their own bytes and all their questions, read as they are asked for."""
    address = f"{place.repository}@{place.commit}" if place.repository else place.root
    load(address, "questions", columns=["id"], streaming=True, **wanted)  # raises for wrong names
    whole = split.isidentifier()  # a slice or a sum of splits cannot be streamed
    of_images = {name: value for name, value in wanted.items() if name in _OF_IMAGES}
    rows = cast(Any, load(address, "images", split=split, streaming=whole, **of_images))
    for done, row in enumerate(rows.cast_column("image", datasets.Image(decode=False)), 1):
        yield row
        progress("exporting images", done, None)


def _pictured(
    rows: Iterable[Row], wanted: Row, prompt: Prompt, written: Counter[str]
) -> Iterator[_Pictured]:
    """The images that are asked about, counted in `written`."""
    of_questions = {name: value for name, value in wanted.items() if name in _OF_QUESTIONS}
    for row in rows:
        asked = [one for one in row["questions"] if is_kept(one, **of_questions)]
        data = (row["image"] or {}).get("bytes")
        if not data:
            written["without_image"] += len(asked)
        elif asked:
            if row["format"] not in FORMATS:
                raise FolderError(f"Image {row['image_id']} is of no known format; build again.")
            # a name that nobody else may choose: the dataset can be anybody's
            name = f"{hashlib.sha256(data).hexdigest()}.{row['format'].lower()}"
            written.update(images=1, questions=len(asked))
            yield _Pictured(name, data, row["source"], [_turn(one, prompt) for one in asked])


def _turn(question: Row, prompt: Prompt) -> tuple[str, str, str]:
    asked, said = PROMPTS[prompt](question), answer_of(question, prompt)
    return question["id"], _MARK.sub(" ", asked), _MARK.sub(" ", said)


def _llava(folder: Path, pictured: Iterable[_Pictured]) -> None:
    """`--data_path OUT/annotations.json --image_folder OUT`."""
    rows = (
        {"id": name, "image": image, "conversations": [
            {"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}
        ]}
        for image, name, question, answer in _saved(folder, pictured)
    )  # fmt: skip
    lines = (f"{',' if n else '['}\n{json.dumps(row)}" for n, row in enumerate(rows))
    _write(folder / "annotations.json", chain(lines, ["\n]\n"]))


def _llama_factory(folder: Path, pictured: Iterable[_Pictured]) -> None:
    """`dataset_dir: OUT` and `dataset: mathv360k`."""
    tags = {"role_tag": "role", "content_tag": "content"}
    about = {
        "file_name": "mathv360k.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {**tags, "user_tag": "user", "assistant_tag": "assistant"},
    }
    _write(folder / "dataset_info.json", [json.dumps({"mathv360k": about}, indent=1) + "\n"])
    _ms_swift(folder, pictured)


def _ms_swift(folder: Path, pictured: Iterable[_Pictured]) -> None:
    """`ROOT_IMAGE_DIR=OUT swift sft --dataset OUT/mathv360k.jsonl`."""
    rows = (
        {"id": name, "messages": _messages(f"<image>{question}", answer), "images": [image]}
        for image, name, question, answer in _saved(folder, pictured)
    )
    _write(folder / "mathv360k.jsonl", (f"{json.dumps(row)}\n" for row in rows))


def _trl(folder: Path, pictured: Iterable[_Pictured]) -> None:
    """`train_dataset=load_dataset(OUT, split="train")`, `SFTConfig(assistant_only_loss=True)`.

    Without the latter TRL trains on the questions, too. It puts the image before the text itself.
    """

    def rows(one: _Pictured) -> list[Row]:
        images = [{"bytes": one.data, "path": one.name}]
        return [{"id": i, "images": images, "messages": _messages(q, a)} for i, q, a in one.asked]

    messages = pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))
    schema = pa.schema({"id": pa.string(), "images": pa.list_(IMAGE), "messages": messages})
    _write_parquet(folder, pictured, schema, rows)


def _nanovlm(folder: Path, pictured: Iterable[_Pictured]) -> None:
    """`train_dataset_path = OUT`; as in The Cauldron, an image's questions are one conversation."""

    def rows(one: _Pictured) -> list[Row]:
        images = [{"bytes": one.data, "path": one.name}]
        texts = [{"user": question, "assistant": answer} for _, question, answer in one.asked]
        return [{"images": images, "texts": texts, "source": one.source}]

    texts = pa.list_(pa.struct({"user": pa.string(), "assistant": pa.string()}))
    schema = pa.schema({"images": pa.list_(IMAGE), "texts": texts, "source": pa.string()})
    _write_parquet(folder, pictured, schema, rows)


TRAINERS: dict[str, Callable[[Path, Iterable[_Pictured]], None]] = {
    "llava": _llava,
    "llama-factory": _llama_factory,
    "ms-swift": _ms_swift,
    "trl": _trl,
    "nanovlm": _nanovlm,
}


def _saved(folder: Path, pictured: Iterable[_Pictured]) -> Iterator[tuple[str, str, str, str]]:
    """Of each question the path of its image, which is now in `folder`, its id, text and answer."""
    (folder / "images").mkdir()
    for one in pictured:
        image = f"images/{one.name}"
        (folder / image).write_bytes(one.data)
        for turn in one.asked:
            yield image, *turn


def _messages(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _write(path: Path, parts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts)


def _write_parquet(
    folder: Path,
    pictured: Iterable[_Pictured],
    schema: pa.Schema,
    rows: Callable[[_Pictured], list[Row]],
) -> None:
    """Write `data/train-*.parquet`, in row groups that fit into memory."""
    (folder / "data").mkdir()
    features = {**parquet_features(schema), "images": [{"_type": "Image"}]}
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    # a dictionary without a limit: an image is never stored twice in a row group
    options: Row = {"compression": "zstd", "dictionary_pagesize_limit": 2**30}
    groups = enumerate(_row_groups(pictured))
    for number, some in groupby(groups, lambda group: group[0] // _ROW_GROUPS):
        path = folder / f"data/train-{number:05}.parquet"
        with pq.ParquetWriter(path, schema, **options) as writer:
            for _, group in some:
                table = pa.Table.from_pylist([row for one in group for row in rows(one)], schema)
                writer.write_table(table)


def _row_groups(pictured: Iterable[_Pictured]) -> Iterator[list[_Pictured]]:
    group, decoded = list[_Pictured](), 0
    for one in pictured:
        group.append(one)
        decoded += len(one.data) * len(one.asked)
        if decoded >= _ROW_GROUP_BYTES:
            yield group
            group, decoded = [], 0
    if group:
        yield group


def _refuse_foreign(out: Path) -> None:
    """Raise `UsageError` where `out` holds anything but an earlier export."""
    if Path.cwd().is_relative_to(out):
        raise UsageError(f"{out} holds the current directory; name a folder of its own with --out.")
    exported = (out / _SAYS).is_file()
    for path in [out] if out.is_file() else sorted(out.rglob("*")):
        if not exported or not _OURS.fullmatch(path.relative_to(out).as_posix()):
            raise UsageError(f"{path} is not of an export; choose another folder with --out.")
