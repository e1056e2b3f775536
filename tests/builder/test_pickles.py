"""The unpickler builds lists, dicts, texts, numbers and numeric arrays, and nothing else."""

from __future__ import annotations

import builtins
import codecs
import functools
import io
import operator
import os
import pickle
import pickletools
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mathv360k.builder import pickles
from mathv360k.errors import SourceError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner) | st.tuples(inner),
)
NUMERIC = arrays.arrays(
    st.sampled_from(["?", "u1", "<i8", ">i4", "<f4", ">f8", "<f2"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements={"allow_nan": False},
)


def load(data: bytes) -> Any:
    return pickles.load(io.BytesIO(data), "train.pk")


@given(PLAIN, st.integers(0, 5))
def test_plain_values_come_back(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@given(NUMERIC, st.integers(0, 5), st.booleans())
def test_arrays_come_back(array: Any, protocol: int, fortran: bool) -> None:
    stored = np.asfortranarray(array) if fortran and array.ndim else array
    found = load(pickle.dumps({"image": stored}, protocol))["image"]
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert np.array_equal(found, array)


@pytest.mark.parametrize("number", [np.uint8(3), np.int64(-3), np.float64(0.5), np.bool_(True)])
@pytest.mark.parametrize("protocol", range(6))
def test_numbers_of_numpy_become_plain_ones(number: Any, protocol: int) -> None:
    found = load(pickle.dumps([number], protocol))[0]
    assert found == number.item()
    assert type(found) is type(number.item())


@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_names_of_old_and_new_numpy(core: bytes) -> None:
    written = pickle.dumps(np.arange(6, dtype=np.uint8).reshape(2, 3), 2)
    for known in (b"numpy._core", b"numpy.core"):
        written = written.replace(known + b".multiarray", core + b".multiarray")
    assert load(written).tolist() == [[0, 1, 2], [3, 4, 5]]


class Calls:
    """Pickles as a call of anything with anything."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def chains(marker: str) -> dict[str, Any]:
    touch = f"touch {marker}"
    write = f"open({marker!r}, 'w')"
    return {
        "os.system": Calls(os.system, touch),
        "subprocess": Calls(subprocess.Popen, ["touch", marker]),
        "eval": Calls(builtins.eval, write),
        "exec": Calls(builtins.exec, write),
        "open": Calls(builtins.open, marker, "w"),
        "getattr": Calls(builtins.getattr, Calls(builtins.__import__, "os"), "system"),
        "attrgetter": Calls(operator.attrgetter, "system"),
        "methodcaller": Calls(operator.methodcaller, "system", touch),
        "partial": Calls(functools.partial, os.system, touch),
        "numpy.load": Calls(np.load, marker),
        "numpy.fromfile": Calls(np.fromfile, marker),
        "numpy.memmap": Calls(np.memmap, marker, "uint8", "w+", 0, (1,)),
        "codecs.open": Calls(codecs.open, marker, "w"),
        "inside a list of problems": [{"id": 0, "image": Calls(os.system, touch)}],
        "a class": SourceError,
        "a path": Path(marker),
        "a set": {1, 2},
        "a frozenset": frozenset([1]),
        "a bytearray": bytearray(b"abc"),
        "a complex number": 1j,
        "a range": range(3),
        "an array of objects": np.array([Calls(os.system, touch)], dtype=object),
        "an array of texts": np.array(["a", "b"]),
        "an array of structures": np.zeros(2, dtype=[("a", "u1")]),
        "an array of dates": np.zeros(2, dtype="M8[s]"),
    }


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", chains(""))
def test_anything_else_is_refused_and_nothing_runs(
    name: str, protocol: int, tmp_path: Path
) -> None:
    marker = tmp_path / "run"
    data = pickle.dumps(chains(str(marker))[name], protocol)
    with pytest.raises(SourceError, match=r"^train\.pk is (refused: it asks for|not a readable)"):
        load(data)
    assert not marker.exists()


def raw(*opcodes: bytes) -> bytes:
    return b"\x80\x04" + b"".join(opcodes) + b"."


SYSTEM = b"\x8c\x02os\x8c\x06system\x93"
HANDMADE = {
    "names put together on the stack": raw(SYSTEM, b"\x8c\x04true\x85R"),
    "an object by NEWOBJ": raw(b"\x8c\x05numpy\x8c\x05dtype\x93", b"\x8c\x01O\x85\x81"),
    "a call of ndarray": raw(b"\x8c\x05numpy\x8c\x07ndarray\x93", b"J\xff\xff\xff\x7f\x85\x85R"),
    "another attribute of numpy": raw(b"\x8c\x05numpy\x8c\x04load\x93"),
    "a dotted name": raw(b"\x8c\x05numpy\x8c\x15ndarray.__reduce_ex__\x93"),
    "an extension code": raw(b"\x82\x01"),
    "a persistent object": raw(b"\x8c\x01x", b"Q"),
    "INST": raw(b"(ios\nsystem\n"),
    "OBJ": raw(b"(", SYSTEM, b"\x8c\x04trueo"),
    "a state for a list": raw(b"]}\x8c\x01a\x8c\x01bsb"),
    "a state for a dtype": raw(b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02u1\x85R}b"),
    "a class as a value": raw(b"\x8c\x05numpy\x8c\x05dtype\x93"),
    "a function as a value": raw(b"\x8c\x07_codecs\x8c\x06encode\x93"),
    "another encoding": raw(b"\x8c\x07_codecs\x8c\x06encode\x93\x8c\x01a\x8c\x05rot13\x86R"),
    "a place far out in the memo": raw(b"]r\xff\xff\xff\x7f"),
    "a length beyond the file": raw(b"\x8e" + struct.pack("<Q", 2**40)),
    "a list that holds itself": raw(b"]\x94h\x00a", b"c_codecs\nencode\n"),
    "an unfinished array": pickle.dumps(
        [Calls(np._core.multiarray._reconstruct, np.ndarray, (0,))]
    ),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", HANDMADE)
def test_handmade_pickles_are_refused(name: str) -> None:
    with pytest.raises(SourceError, match=r"^train\.pk is ") as caught:
        load(HANDMADE[name])
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_lists_that_share_their_parts_are_walked_once() -> None:
    value: Any = []
    for _ in range(200):
        value = [value, value]
    assert load(pickle.dumps(value))[0] is not None


def test_a_list_that_holds_itself_is_only_a_list() -> None:
    value: list[Any] = []
    value.append(value)
    found = load(pickle.dumps(value))
    assert found[0] is found


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_lead_to_another_exception(data: bytes, framed: bool) -> None:
    try:
        load(b"\x80\x04" + data + b"." if framed else data)
    except SourceError as error:
        assert str(error).startswith("train.pk is ")  # noqa: PT017


@given(st.data())
def test_a_damaged_pickle_never_crashes(data: st.DataObject) -> None:
    damaged = bytearray(pickle.dumps([{"image": np.zeros((3, 4), np.uint8), "id": 7}]))
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=3)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        load(bytes(damaged))
    except SourceError as error:
        assert str(error).startswith("train.pk is ")  # noqa: PT017


def test_opcodes_are_those_that_the_tests_think_they_are() -> None:
    for data in HANDMADE.values():
        try:
            assert list(pickletools.genops(data))
        except ValueError:  # those that are meant to be broken
            assert data in (HANDMADE["a length beyond the file"],)
