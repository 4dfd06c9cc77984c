"""Argument sets out of JSON lines, CSV and Python values, and what is made of them; pipeline, render()."""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
import re
import string
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.render.model import Look, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["from_csv", "from_json_lines", "tasks"]

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_SHOWN = 200  # characters
_NAME = 200  # bytes of a file name without its ending; most file systems allow 255


def from_json_lines(lines: Iterable[str], source: str) -> Iterator[object]:
    """One value a line; empty lines are passed over.

    Raises:
        UsageError: a line is not JSON.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UsageError(f"{source}:{number} is not JSON: {error}") from None


def from_csv(lines: Iterable[str], source: str) -> Iterator[dict[str, object]]:
    """One dict a row, by the names in the first row; what reads as a number is one (`007` is not).

    Raises:
        UsageError: a row is longer or shorter than the first.
    """
    rows = csv.reader(lines)
    try:
        names = next(rows, [])
        if names:
            names[0] = names[0].removeprefix("\ufeff")
        if len(set(names)) != len(names):
            raise UsageError(f"{source} has two columns of one name in its first row")
        for row in rows:
            if not row:
                continue
            if len(row) != len(names):
                raise UsageError(
                    f"{source}:{rows.line_num} has {len(row)} values, the first row has {len(names)} names"
                )
            yield {name: _value(text) for name, text in zip(names, row, strict=True)}
    except csv.Error as error:
        raise UsageError(f"{source}:{rows.line_num} is not CSV: {error}") from None


def _value(text: str) -> object:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    return float(text) if found[2] or found[3] else int(text)


def tasks(arguments: Sequence[object], pattern: str, digest: str, look: Look) -> list[Task]:
    """What is to be drawn, each with a file name of its own.

    Raises:
        UsageError: an argument cannot be pickled, a name cannot be made, or two figures have one name.
    """
    made: list[Task] = []
    seen: dict[str, int] = {}
    for index, one in enumerate(arguments):
        body, pickled = _body(one, index)
        name = f"{_stem(pattern, index, one)}.{look.format}"
        folded = name.casefold()  # macOS's file system takes A.png and a.png for one
        if folded in seen:
            raise UsageError(
                f"figures {seen[folded]} and {index} would both be written to {name}",
                hint="put `{index}` into `--name`",
            )
        seen[folded] = index
        whole = hashlib.sha256(digest.encode())
        whole.update(f"|{look.format}|{look.dpi}|{pickled}|".encode())
        whole.update(body)
        # not the body's text, in which only ASCII stands for itself
        shown = repr(one) if pickled else json.dumps(one, ensure_ascii=False)
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
        made.append(Task(index, name, body, pickled, whole.hexdigest(), shown))
    return made


def _plain(value: object, depth: int = 0) -> bool:
    """It comes out of JSON as it went in."""
    if value is None or type(value) in {str, int, float, bool}:
        return True
    if depth > 50:
        return False
    if type(value) is list:
        return all(_plain(one, depth + 1) for one in value)
    if type(value) is dict:
        return all(type(key) is str and _plain(one, depth + 1) for key, one in value.items())
    return False


def _body(value: object, index: int) -> tuple[bytes, bool]:
    # at the top a tuple and a list mean the same: positional arguments
    simple = list(value) if type(value) is tuple else value
    if _plain(simple):
        return json.dumps(simple, sort_keys=False).encode("utf-8", "surrogatepass"), False
    try:
        return pickle.dumps(value, protocol=4), True
    except Exception as error:  # noqa: BLE001  a foreign __reduce__ may raise anything
        raise UsageError(
            f"the arguments of figure {index} cannot be sent to a worker: {error}",
            hint="give what they are made of (a path, a number) and make the object in the function",
        ) from None


class _Fields(string.Formatter):
    """Only names and formats: no attributes, no items of what is inserted."""

    def get_field(
        self,
        field_name: str,
        args: Sequence[object],  # noqa: ARG002  the base class's
        kwargs: Mapping[str, object],
    ) -> tuple[object, str]:
        if field_name not in kwargs:
            raise KeyError(field_name)
        return kwargs[field_name], field_name


def _stem(pattern: str, index: int, arguments: object) -> str:
    values: dict[str, object] = {"index": index}
    if isinstance(arguments, dict):
        values.update((str(name), value) for name, value in arguments.items())
    elif isinstance(arguments, (list, tuple)):
        values.update((str(number), value) for number, value in enumerate(arguments))
    else:
        values["0"] = arguments
    values["index"] = index
    try:
        stem = _Fields().vformat(pattern, (), values)
    except KeyError as error:
        raise UsageError(
            f"`--name` has {{{error.args[0]}}}, which figure {index} has no argument for"
        ) from None
    except (ValueError, TypeError) as error:
        raise UsageError(f"`--name {pattern}` cannot be filled in for figure {index}: {error}") from None
    stem = _UNFIT.sub("_", stem).strip().lstrip(".")
    stem = stem.encode("utf-8", "replace")[:_NAME].decode("utf-8", "ignore")
    if not stem:
        raise UsageError(f"`--name {pattern}` gives figure {index} no name")
    return stem
