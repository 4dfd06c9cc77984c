"""Numpy's .npy and .npz files read without numpy and without pickle, bounded; the pipeline's.

The format is numpy.lib.format's: a magic, a version, the length of a header, the header as a Python literal
of a dictionary with `descr`, `fortran_order` and `shape`, then the values.
"""

from __future__ import annotations

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from x11fwd.serialised.array_numbers import Halves, Magnitudes, swapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Array", "ArrayError", "read_npy", "read_npz"]

_LONGEST_HEADER = 10_000  # characters, numpy's own limit: a longer one could crash the parser of literals
_LARGEST = 64_000_000
_MOST_MEMBERS = 40
# what zipfile raises for a damaged archive, by chance of where the damage is
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError, RuntimeError, OSError,
           OverflowError, ValueError, struct.error)  # fmt: skip
_CODES = {
    "f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H",
    "u4": "I", "u8": "Q", "b1": "?",
}  # fmt: skip
_WORD = re.compile(r"([<>|=]?)([a-zA-Z])(\d*)(?:\[(\d*)(\w+)\])?")
_SECONDS = {"D": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

Value = float | int | bool | str | None


class ArrayError(Exception):
    """Why it cannot be shown: the end of a sentence that begins with its name."""


_TOO_LARGE = ArrayError(f"is too large: more than {_LARGEST // 1_000_000} MB in one file")


@dataclass(frozen=True)
class _Type:
    """One scalar type: `kind` is numpy's letter, `size` its bytes."""

    order: str
    kind: str
    size: int
    unit: float = 0.0

    @property
    def code(self) -> str:
        return _CODES.get(f"{self.kind}{self.size}", "")


@dataclass(frozen=True)
class Array:
    """One array.

    Attributes:
        dtype: as numpy writes it.
        fields: names of a structured array's columns; empty for an ordinary one.
    """

    shape: tuple[int, ...]
    dtype: str
    fields: tuple[str, ...]
    fortran: bool
    data: memoryview = field(repr=False)
    types: tuple[_Type, ...] = ()

    @property
    def numeric(self) -> bool:
        return not self.fields and (bool(self.types[0].code) or self.types[0].kind == "c")

    @property
    def is_bytes(self) -> bool:
        """Whole numbers of 0 to 255, as the colours of a picture are."""
        return not self.fields and (self.types[0].kind, self.types[0].size) == ("u", 1)

    def numbers(self) -> Sequence[float]:
        """All values in the order of the file; complex ones as their magnitude. Cheap to slice."""
        one = self.types[0]
        if one.kind == "c":
            return Magnitudes(swapped(self.data, "f" if one.size == 8 else "d", one.order))
        if one.code == "e":
            return Halves(swapped(self.data, "H", one.order))
        return swapped(self.data, one.code, one.order)

    def strides(self) -> tuple[int, ...]:
        """By how many values each index moves in `numbers`."""
        shape = self.shape if self.fortran else tuple(reversed(self.shape))
        found, step = [], 1
        for size in shape:
            found.append(step)
            step *= size
        return tuple(found) if self.fortran else tuple(reversed(found))

    def cells(self, most: int) -> Iterator[tuple[Value, ...]]:
        """The first elements of any type, each as its fields (an ordinary one has one)."""
        width = sum(one.size for one in self.types)
        count = min(most, len(self.data) // width) if width else 0
        for number in range(count):
            at, found = number * width, []
            for one in self.types:
                found.append(_value(self.data[at : at + one.size], one))
                at += one.size
            yield tuple(found)


def read_npy(data: bytes) -> Array:
    """Raises ArrayError: damaged, not whole yet, or of Python objects."""
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        raise ArrayError("is no .npy file")
    size, at = (
        (struct.unpack_from("<H", data, 8)[0], 10)
        if data[6] == 1
        else (struct.unpack_from("<I", data, 8)[0], 12)
    )
    if data[6] not in {1, 2, 3} or size > _LONGEST_HEADER:
        raise ArrayError("has a header that numpy does not write")
    text = data[at : at + size].decode("utf-8" if data[6] == 3 else "latin-1", "replace").strip()
    if "\\" in text:  # numpy writes none, and the parser would print its opinion of wrong ones
        raise ArrayError("has a header that numpy does not write")
    try:
        header = ast.literal_eval(text)
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise ArrayError("has a header that numpy does not write") from None
    if not isinstance(shape, tuple) or not all(type(one) is int and 0 <= one < 1 << 40 for one in shape):
        raise ArrayError("has a shape that numpy does not write")
    fields, types = _types(descr)
    width, count = sum(one.size for one in types), math.prod(shape)
    body = memoryview(data)[at + size :]
    if len(body) < width * count:
        raise ArrayError("is not whole yet")
    words = descr if isinstance(descr, str) else "structured"
    return Array(shape, _name(words), fields, bool(fortran), body[: width * count], types)


def read_npz(data: bytes) -> list[tuple[str, Array | ArrayError]]:
    """The arrays by name, or why one of them cannot be shown.

    Raises:
        ArrayError: it is no archive, or is damaged.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN:
        raise ArrayError("is no .npz file, or is damaged") from None
    found: list[tuple[str, Array | ArrayError]] = []
    left = _LARGEST
    with archive:
        for info in archive.infolist()[:_MOST_MEMBERS]:
            name = info.filename.removesuffix(".npy")[:200]
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # numpy writes no other
                found.append((name, ArrayError("is packed in a way that numpy does not pack")))
                continue
            try:
                with archive.open(info) as file:
                    # the declared size is a claim: no more is unpacked than may be
                    member = file.read(left + 1)
                found.append((name, read_npy(member) if len(member) <= left else _TOO_LARGE))
                left -= min(left, len(member))
            except ArrayError as error:
                found.append((name, error))
            except _BROKEN:
                found.append((name, ArrayError("is damaged")))
    return found


def _types(descr: object) -> tuple[tuple[str, ...], tuple[_Type, ...]]:
    if isinstance(descr, str):
        return (), (_type(descr),)
    if not isinstance(descr, list) or not descr or len(descr) > 500:
        raise ArrayError("has a type that cannot be shown")
    fields: list[str] = []
    types: list[_Type] = []
    for one in descr:
        if not isinstance(one, tuple) or len(one) < 2 or not isinstance(one[1], str):
            raise ArrayError("has columns within columns, which cannot be shown")
        word, times = one[1], math.prod(one[2]) if len(one) > 2 and isinstance(one[2], tuple) else 1
        name = one[0] if isinstance(one[0], str) else str(one[0])
        if not 0 < times <= 100 or len(types) > 500:
            raise ArrayError("has columns of too many values")
        for at in range(times):
            fields.append(name if times == 1 else f"{name}[{at}]")
            types.append(_type(word))
    return tuple(fields), tuple(types)


def _type(word: str) -> _Type:
    parts = _WORD.fullmatch(word)
    if parts is None:
        raise ArrayError(f"has the type {word[:40]}, which cannot be shown")
    order, kind, digits, times, unit = parts.groups()
    if kind == "O":
        raise ArrayError("holds Python objects, which only unpickling could read")
    size = int(digits or 0) * (4 if kind == "U" else 1)
    one = _Type(order, kind, size, _SECONDS.get(unit or "", 0.0) * int(times or 1))
    if not (one.code or kind in "SUV" or (kind == "c" and size in {8, 16}) or (kind in "Mm" and size == 8)):
        raise ArrayError(f"has the type {_name(word)}, which cannot be shown")
    return one


def _value(data: memoryview, one: _Type) -> Value:
    order = one.order if one.order in {"<", ">"} else "="
    if one.code:
        number: float | int | bool = struct.unpack(order + one.code, data)[0]
        return number
    if one.kind == "c":
        real, imaginary = struct.unpack(order + ("ff" if one.size == 8 else "dd"), data)
        return str(complex(real, imaginary))
    if one.kind == "U":
        text = bytes(data).decode("utf-32-be" if order == ">" else "utf-32-le", "replace")
        return text.rstrip("\0")
    if one.kind in "Mm":
        count = struct.unpack(order + "q", data)[0]
        if count == -(1 << 63):
            return "NaT"
        return _moment(count * one.unit) if one.kind == "M" and one.unit else count
    return bytes(data).rstrip(b"\0").decode("utf-8", "backslashreplace")


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None).isoformat(" ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} s"


def _name(word: str) -> str:
    """`<f8` as numpy prints it: float64."""
    parts = _WORD.fullmatch(word)
    if parts is None:
        return word[:40]
    _, kind, digits, times, unit = parts.groups()
    names = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
    if kind in names and digits:
        return f"{names[kind]}{int(digits) * 8}"
    if kind in "Mm":
        return ("datetime64" if kind == "M" else "timedelta64") + (f"[{times}{unit}]" if unit else "")
    return {"b": "bool", "U": f"str{digits}", "S": f"bytes{digits}", "O": "object"}.get(kind, word[:40])
