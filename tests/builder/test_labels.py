"""Labels of images: three formats read alike, wrong ones named, labellers compared."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.labels import agreement, consensus, read_labels, sample_images
from mathv360k.errors import MathV360KError, SourceError, UsageError


def image_id(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of image number, clarity, complexity, labeller."""
    frame = pd.DataFrame(rows, columns=["image_id", "clarity", "complexity", "labeller"])
    frame["image_id"] = [image_id(number) for number in frame["image_id"]]
    return frame


def read(folder: Path, *rows: tuple[Any, ...]) -> pd.DataFrame:
    table(*rows).to_csv(folder / "labels.csv", index=False)
    return read_labels(folder / "labels.csv")


def test_csv_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    frame = table((1, 1, 3, "ann"), (2, 0, None, "ann"), (3, None, 2, "bob"))
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "a.parquet")
    csv, jsonl, parquet = (read_labels(tmp_path / f"a.{s}") for s in ("csv", "jsonl", "parquet"))
    pd.testing.assert_frame_equal(csv, jsonl)
    pd.testing.assert_frame_equal(csv, parquet)
    assert csv["clarity"].tolist() == [1, 0, pd.NA]
    assert csv["complexity"].tolist() == [3, pd.NA, 2]
    assert csv["labeller"].tolist() == ["ann", "ann", "bob"]


def test_rows_of_a_sample_that_nobody_filled_in_are_no_labels(tmp_path: Path) -> None:
    assert len(read(tmp_path, (1, 1, 0, "ann"), (2, None, None, "ann"))) == 1
    with pytest.raises(SourceError, match="holds no labels; fill in"):
        read(tmp_path, (2, None, None, "ann"))


def test_a_labeller_without_a_name_is_called_as_the_file(tmp_path: Path) -> None:
    table((1, 1, 0, "")).drop(columns="labeller").to_csv(tmp_path / "ann.csv", index=False)
    assert read_labels(tmp_path / "ann.csv")["labeller"].tolist() == ["ann"]
    table((1, 1, 0, ""), (2, 1, 0, "bob")).to_parquet(tmp_path / "ann.parquet")
    assert read_labels(tmp_path / "ann.parquet")["labeller"].tolist() == ["ann", "bob"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(1, 1, 0, "a"), (2, 2, 0, "a")], "row 1: clarity is '2'.*, it must be one of 0, 1"),
        ([(1, 1, 4, "a")], "row 0: complexity is '4'.*, it must be one of 0, 1, 2, 3 or empty"),
        ([(1, "yes", 0, "a")], "row 0: clarity is 'yes'"),
        ([(1, 1, 1.5, "a")], "row 0: complexity is '1.5'"),
        ([(1, 1, 0, "a"), (1, 0, 0, "a")], "row 1: a labels the same image for the second time"),
    ],
)
def test_wrong_labels_are_named_with_their_row(tmp_path: Path, rows: Any, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, *rows)


def test_files_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    def refused(name: str, content: bytes, said: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MathV360KError, match=said) as caught:
            read_labels(tmp_path / name)
        assert "\n" not in str(caught.value)

    refused("a.csv", b"image_id,clarity\n1,1\n", "has no column complexity")
    refused("b.csv", b"image_id,clarity,complexity\nx.png,1,1\n", "row 0: image_id is not a sha256")
    refused("c.csv", b"", "cannot be read as CSV")
    refused("d.parquet", b"PAR1", "cannot be read as PARQUET")
    refused("e.jsonl", b"{", "cannot be read as JSONL")
    refused("f.txt", b"", "is not a .csv, .jsonl or .parquet file")
    with pytest.raises(SourceError, match="does not exist"):
        read_labels(tmp_path / "gone.csv")
    with pytest.raises(UsageError):
        read_labels(tmp_path)


def test_several_labellers_are_outvoted_and_averaged_downwards() -> None:
    said = consensus(
        table(
            (1, 1, 0, "a"), (1, 1, 3, "b"), (1, 0, 1, "c"),
            (2, 1, 2, "a"), (2, 0, 3, "b"),
            (3, None, 1, "a"),
        ).astype({"clarity": "Int8", "complexity": "Int8"})
    )  # fmt: skip
    by_image = {row: said.loc[image_id(row)].tolist() for row in (1, 2, 3)}
    assert by_image == {1: [1, 1], 2: [0, 2], 3: [pd.NA, 1]}


def test_kappa_is_cohens() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: agreed 0.7, by chance 0.5, so kappa is 0.4
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    rows = [
        (number, clear, level, name)
        for number, said in enumerate(pairs)
        for name, clear, level in (("ann", said[0], 3 * said[0]), ("bob", said[1], 3 * said[1]))
    ]
    (told,) = agreement(table(*rows, (999, 1, 1, "ann")))
    assert told["labellers"] == ["ann", "bob"]
    assert told["clarity_images"] == 50
    assert told["clarity_kappa"] == pytest.approx(0.4)
    assert told["complexity_kappa"] == pytest.approx(0.4)  # two values: weights change nothing


def test_kappa_of_complexity_weighs_near_misses_less() -> None:
    near = [(n, 1, n % 4, "a") for n in range(8)] + [
        (n, 1, min(3, n % 4 + 1), "b") for n in range(8)
    ]
    far = [(n, 1, n % 4, "a") for n in range(8)] + [(n, 1, 3 - n % 4, "b") for n in range(8)]
    assert agreement(table(*near))[0]["complexity_kappa"] > 0.6
    assert agreement(table(*far))[0]["complexity_kappa"] == pytest.approx(-1)
    assert agreement(table(*far))[0]["clarity_kappa"] is None  # all clear: not defined


def images(**count: int) -> pa.Table:
    names = [name for name, n in count.items() for _ in range(n)]
    return pa.table({"image_id": [image_id(n) for n in range(len(names))], "source": names})


def test_the_sample_is_uniform_over_sources() -> None:
    sample = sample_images(images(small=4, large=1000, middle=30), 40, seed=0)
    assert Counter(sample["source"].to_pylist()) == {"small": 4, "large": 18, "middle": 18}


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_a_larger_sample_holds_the_smaller_one(a: int, b: int, seed: int) -> None:
    pool = images(one=7, two=40, three=3)
    few, many = (set(sample_images(pool, n, seed)["image_id"].to_pylist()) for n in sorted((a, b)))
    assert few <= many
    assert len(many) == min(max(a, b), 50)
