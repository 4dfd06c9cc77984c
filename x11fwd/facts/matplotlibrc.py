"""matplotlibrc: which line decides the backend, and the text with another one; for facts and steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BackendLine", "find_backend", "find_backend_line", "set_backend"]

# matplotlib/__init__.py, _rc_params_in_file: key and value are split at the first colon.
# A `#` between double quotes starts no comment (matplotlib/cbook.py, _strip_comment).
_BEFORE_COMMENT = re.compile(r'(?:[^"#]|"[^"]*"|"(?=[^"]*$))*')
_SETTING = re.compile(
    r"^(?P<indent>\s*)backend(?P<gap>\s*:[ \t]*)(?P<value>.*?)(?P<tail>[ \t]*(?:#.*)?)$", re.DOTALL
)


@dataclass(frozen=True)
class BackendLine:
    """The line in effect: number from 1, value without quotes ("" if empty), the line as it stands."""

    number: int
    value: str
    text: str


def find_backend(text: str) -> BackendLine | None:
    """The backend line in effect, None where there is none.

    Of several the last one counts, even if its value is refused (matplotlib/__init__.py,
    _rc_params_in_file): matplotlib then chooses by itself.
    """
    return find_backend_line(enumerate(_lines(text), 1))


def find_backend_line(lines: Iterable[tuple[int, str]]) -> BackendLine | None:
    """The same for some of a file's lines, each with its number."""
    found = None
    for number, line in lines:
        bare = line.rstrip("\r\n")
        value = _value(bare)
        if value is not None:
            found = BackendLine(number, value, bare.strip())
    return found


def set_backend(text: str, value: str) -> str:
    """The text with `backend: value` in effect; everything else stays byte for byte.

    The last backend line is changed where it stands, with its indent and its comment. Earlier ones have no
    effect and stay. Without any, a line is put at the end, with the line ends that the file has.
    """
    lines = _lines(text)
    for index in range(len(lines) - 1, -1, -1):
        bare = lines[index].rstrip("\r\n")
        old = _value(bare)
        if old is None:
            continue
        if old == value:
            return text
        # "backend:value" needs no blank, a value that takes the place of an empty one does
        match = _SETTING.match(bare)
        if match is None:
            break
        gap = match["gap"] if match["gap"][-1] in " \t" else f"{match['gap']} "
        tail = match["tail"] if not match["tail"] or match["tail"][0] in " \t" else f" {match['tail']}"
        end = lines[index][len(bare) :]
        lines[index] = f"{match['indent']}backend{gap}{value}{tail}{end}"
        return "".join(lines)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    joint = newline if lines and not lines[-1].endswith(("\n", "\r")) else ""
    return f"{text}{joint}backend: {value}{newline}"


def _lines(text: str) -> list[str]:
    # Python's universal newlines, as matplotlib opens the file; splitlines() would also cut at form feeds
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _value(line: str) -> str | None:
    """The backend that a line names, None where it names none."""
    before = _BEFORE_COMMENT.match(line)
    setting = before[0] if before else line
    key, colon, value = setting.partition(":")
    if not colon or key.strip() != "backend":
        return None
    value = value.strip()
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        value = value[1:-1]
    return value
