"""Pickles that nobody has vouched for: lists, dicts, texts, numbers and numeric arrays, no more."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from typing import Any, BinaryIO

import numpy as np

from ..errors import SourceError

MAX_BYTES = 4 * 2**30
_MAX_ITEMS = 64_000_000  # of one array, as many as an image may have pixels
_NUMBERS = "biuf"  # kinds of numpy types: truth values, integers, floats


def load(file: BinaryIO, name: str) -> Any:
    """The content of a pickle made of plain values and numeric numpy arrays.

    Nothing that the file names is called: the three functions with which numpy rebuilds arrays
    are replaced by ours. Raises `SourceError` for anything else, calling the file `name`.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SourceError(f"{name} has more than {MAX_BYTES // 2**30} GiB; download it again.")
    try:
        _check_memo(data)
        value = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        return _plain(value)
    except _Refused as refused:
        raise SourceError(
            f"{name} is refused: it asks for {refused}, and a pickle may hold only lists, dicts, "
            "texts, numbers and numeric arrays; download it from its authors again."
        ) from None
    except Exception as error:  # a broken pickle raises whatever its bytes lead to
        problem = str(error) or type(error).__name__
        raise SourceError(f"{name} is not a readable pickle ({problem}).") from None


class _Refused(Exception):
    """What a pickle asks for and does not get."""


class _Dtype:
    """A numeric numpy type in the making."""

    def __init__(self, code: object, *_: object) -> None:
        try:
            found = np.dtype(code) if isinstance(code, str) and len(code) < 8 else None
        except TypeError:
            found = None
        if found is None or found.kind not in _NUMBERS:
            raise _Refused(f"an array of {str(code)[:40]}")
        self.type = found

    def __setstate__(self, state: Any) -> None:
        _, order, *others = state
        if any(part is not None for part in others[:3]):  # a subarray, names, fields
            raise _Refused("an array of structures")
        if order in ("<", ">"):
            self.type = self.type.newbyteorder(order)


class _Array:
    """A numeric array in the making, as `_reconstruct` starts and its state fills it."""

    def __init__(self, *_: object) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _from_buffer(data, dtype, shape, "F" if fortran else "C")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    if isinstance(data, str):
        data = data.encode("latin1")
    fits = isinstance(dtype, _Dtype) and isinstance(shape, tuple) and order in ("C", "F")
    if not fits or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array that numpy would not write")
    if math.prod(shape) > _MAX_ITEMS or len(data) != math.prod(shape) * dtype.type.itemsize:
        raise _Refused(f"an array of shape {shape} from {len(data)} bytes")
    return np.frombuffer(bytes(data), dtype.type).reshape(shape, order=order)


def _scalar(dtype: Any, data: Any) -> bool | int | float:
    return _from_buffer(data, dtype, ()).item()


def _encode(text: Any, encoding: Any) -> bytes:
    """What protocols 0 to 2 call for bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused(f"an encoding into {encoding!r:.40}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What protocols 0 to 2 call for empty bytes."""
    return b""


class _Word:
    """A name that is only ever an argument."""


_ALLOWED: dict[str, Any] = {
    "numpy ndarray": _Word(),
    "numpy dtype": _Dtype,
    "_codecs encode": _encode,
    "__builtin__ bytes": _no_bytes,
    **{
        f"{core}.{name}": function
        for core in ("numpy.core", "numpy._core")
        for name, function in (
            ("multiarray _reconstruct", _Array),
            ("multiarray scalar", _scalar),
            ("numeric _frombuffer", _from_buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ALLOWED[f"{module_name} {global_name}"]
        except KeyError:
            raise _Refused(f"{module_name}.{global_name}"[:80]) from None

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("a persistent object")


def _check_memo(data: bytes) -> None:
    """Refuse a place in the memo that is not the next one: reserving it could take all memory."""
    highest = 0
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            assert isinstance(argument, int)
            if argument > highest + 1:
                raise _Refused(f"memo place {argument}")
            highest = max(highest, argument)


def _plain(root: Any) -> Any:
    """The same with finished arrays; raises `_Refused` where anything else is in it."""
    done: dict[int, Any] = {}

    def settle(value: Any) -> Any:
        if isinstance(value, _Array):
            if value.value is None:
                raise _Refused("an unfinished array")
            return value.value
        if isinstance(value, (str, bytes, bool, int, float, type(None), np.ndarray)):
            return value
        if id(value) in done:
            return done[id(value)]
        if isinstance(value, list):
            done[id(value)] = value
            value[:] = [settle(item) for item in value]
        elif isinstance(value, dict):
            done[id(value)] = value
            for key in value:
                value[key] = settle(value[key])
        elif isinstance(value, tuple):
            done[id(value)] = settled = tuple([settle(item) for item in value])
            return settled
        else:
            raise _Refused(f"a {type(value).__name__.strip('_').lower()}")
        return value

    return settle(root)
