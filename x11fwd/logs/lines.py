"""Bytes into whole, clean lines of bounded length; imported by the reader."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "Lines"]

LONGEST = 65536  # bytes; a longer line is nobody's metric

_MOVES = re.compile(
    r"\x1b\[\d*[ABEFGHfJ]|\r+\n?|\x08+|\x1b\[\d*;\d*[Hf]"
)  # a new state of a bar, or a new line
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")


class Lines:
    """Cuts a stream at line ends; a bar's carriage returns, backspaces and cursor moves are line ends too.

    Attributes:
        too_long: lines that were dropped for their length.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self.too_long = 0

    def feed(self, data: bytes) -> str:
        """Whole lines, each with its line end; what is unfinished waits."""
        if self._skipping:
            cut = data.find(b"\n")
            if cut < 0:
                return ""
            data, self._skipping = data[cut + 1 :], False
        cut = max(data.rfind(b"\n"), data.rfind(b"\r"))
        if cut == len(data) - 1 and data.endswith(b"\r"):
            # it may be the first half of \r\n, and a bar's state ends with the next one anyway
            cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, cut))
        if cut < 0:
            self._rest += data
            if len(self._rest) > LONGEST:
                self._rest, self._skipping = b"", True
                self.too_long += 1
            return ""
        whole, self._rest = self._rest + data[: cut + 1], data[cut + 1 :]
        return self._clean(whole)

    def finish(self) -> str:
        """The last line, which has no end."""
        rest, self._rest = self._rest, b""
        return self._clean(rest + b"\n") if rest.strip() else ""

    def reset(self) -> None:
        """Forget an unfinished line: its file is gone."""
        self._rest, self._skipping = b"", False

    def _clean(self, whole: bytes) -> str:
        text = whole.decode("utf-8", "replace")
        if b"\x1b" not in whole and b"\x08" not in whole:
            if b"\r" in whole:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
        else:
            text = _ESCAPES.sub("", _MOVES.sub("\n", text))
        if not text.endswith("\n"):
            text += "\n"
        if _has_long(text):
            lines = text.split("\n")
            kept = [line for line in lines if len(line) <= LONGEST]
            self.too_long += len(lines) - len(kept)
            text = "\n".join(kept)
        return text


def _has_long(text: str) -> bool:
    """Whether a line has more than `LONGEST` characters; leaps from line end to line end."""
    at = -1  # of a line end
    while len(text) - at - 1 > LONGEST:
        end = text.rfind("\n", at + 1, at + LONGEST + 2)
        if end < 0:
            return True
        at = end
    return False
