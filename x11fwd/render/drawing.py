"""The conversation with a foreman, over a stream to this machine or to a server; pipeline and render()."""

from __future__ import annotations

import json
import re
import secrets
import struct
import time
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, ProbeError, UsageError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from x11fwd.render.model import Crew, Look, Source, Task
    from x11fwd.transports.base import ByteStream, Transport

__all__ = ["Drawn", "Hello", "RenderError", "draw"]

_HEAD = struct.Struct(">cI")
_OURS = re.compile(r"^from x11fwd\.render\.sent\.\w+ import (?:\([^)]*\)|\w+)$", re.MULTILINE)
_MANY = 8  # figures, from which on it is worth proving shortcuts first
_LONGEST = 256 * 1024 * 1024  # bytes of one picture
_NOISE = 256 * 1024  # bytes that login files may print before the mark
_UNDER_WAY = 64 * 1024 * 1024  # bytes of arguments that nobody has drawn yet
_START_LIMIT = 120.0  # seconds: matplotlib's first font cache on a slow disk


class RenderError(X11fwdError):
    """Nothing can be drawn at all; the sentence says why."""


@dataclass(frozen=True)
class Hello:
    """What draws: versions of Python and matplotlib, and how many workers."""

    python: str
    matplotlib: str
    workers: int


@dataclass(frozen=True)
class Drawn:
    """An answer about one task: a file, or a problem."""

    task: Task
    data: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    problem: str = ""
    where: str = ""


def draw(
    transport: Transport,
    source: Source,
    look: Look,
    crew: Crew,
    tasks: Sequence[Task],
    *,
    cwd: str = "",
    hello: Callable[[Hello], None] = lambda _hello: None,
) -> Generator[Drawn, None, None]:
    """Draw, and give what is finished as it comes; closing the iterator ends the workers.

    Raises:
        RenderError: matplotlib or the function cannot be loaded there.
        ConnectionLost: the line went dead; what was not given has to be asked for again.
    """
    job = {
        "module": source.module,
        "function": source.function,
        "main": source.main,
        "path": list(source.path),
        "files": dict(source.files),
        "format": look.format,
        "dpi": look.dpi,
        "many": len(tasks) >= _MANY,
        "workers": min(crew.workers, max(1, len(tasks))) if crew.workers else None,
        "start": crew.start,
        "limit": crew.limit,
        "cwd": cwd,
    }
    loader, program = _program()
    mark = f"x11fwd-{secrets.token_hex(12)}\n"
    words = (crew.python, "-c", loader, str(len(program)), "foreman", mark)
    stream = transport.stream(words)
    try:
        stream.write(program + _frame(b"J", json.dumps(job).encode()))
        yield from _Talk(stream, mark.encode(), crew.python, tasks, hello).run()
    finally:
        stream.close()


def _program() -> tuple[str, bytes]:
    """The few lines that take the program from standard input, and the program."""
    folder = resources.files("x11fwd.render.sent")
    # one text: what a file imports from another one stands above it
    names = ("shortcuts", "painting", "foreman")
    texts = [folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in names]
    foreman = "\n".join(_OURS.sub("", text) for text in texts)
    loader = re.search(r'^LOADER = """(.*?)"""$', foreman, flags=re.MULTILINE | re.DOTALL)
    if loader is None:
        raise RenderError("the worker program has no loader")
    return loader[1], foreman.encode()


def _frame(kind: bytes, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body)) + body


class _Talk:
    def __init__(
        self,
        stream: ByteStream,
        mark: bytes,
        python: str,
        tasks: Sequence[Task],
        hello: Callable[[Hello], None],
    ) -> None:
        self._stream, self._mark, self._python, self._hello = stream, mark, python, hello
        self._todo = list(reversed(tasks))
        self._out: dict[int, Task] = {}
        self._weight = 0
        self._data = bytearray()
        self._most = 1

    def run(self) -> Iterator[Drawn]:
        self._await_mark()
        while self._todo or self._out:
            self._send()
            kind, body = self._receive()
            if kind == b"H":
                told = _words(body)
                workers = told.get("workers")
                # enough for two figures each, and for what is on a long line
                count = min(workers, 1024) if isinstance(workers, int) else 1
                self._most = 4 * count + 16
                self._hello(Hello(_text(told, "python"), _text(told, "matplotlib"), count))
            elif kind == b"X":
                raise self._refusal(_words(body))
            elif kind in {b"D", b"F"}:
                yield self._answer(kind, body)
            else:
                raise ProbeError("the drawing program answered something that cannot be understood")

    def _await_mark(self) -> None:
        end = time.monotonic() + _START_LIMIT
        while (at := self._data.find(self._mark)) < 0:
            if len(self._data) > _NOISE:
                raise ProbeError("the drawing program did not answer, but something else did", said="")
            try:
                part = self._stream.read(65536, max(0.0, end - time.monotonic()))
            except TimeoutError:
                raise ProbeError(
                    f"{self._python} did not start within {_START_LIMIT:g} s", hung=True
                ) from None
            if not part:
                said = self._stream.stderr().decode("utf-8", "replace").strip().splitlines()
                raise RenderError(
                    f"{self._python} could not be started there: {said[-1] if said else 'without a word'}"[
                        :500
                    ],
                    hint="`--python PATH` names another one",
                )
            self._data += part
        del self._data[: at + len(self._mark)]

    def _send(self) -> None:
        batch = bytearray()
        while self._todo and len(self._out) < self._most and (self._weight < _UNDER_WAY or not self._out):
            task = self._todo.pop()
            self._out[task.index] = task
            self._weight += len(task.body)
            batch += _frame(b"P" if task.pickled else b"T", task.index.to_bytes(8, "big") + task.body)
        if batch:
            self._stream.write(bytes(batch))

    def _receive(self) -> tuple[bytes, bytes]:
        while True:
            if len(self._data) >= _HEAD.size:
                kind, length = _HEAD.unpack_from(self._data)
                if length > _LONGEST:
                    raise ProbeError("the drawing program sent a picture that is too large (over 256 MB)")
                if len(self._data) >= _HEAD.size + length:
                    body = bytes(self._data[_HEAD.size : _HEAD.size + length])
                    del self._data[: _HEAD.size + length]
                    return kind, body
            part = self._stream.read(1 << 18)
            if not part:
                raise ConnectionLost("the drawing program ended before it had finished")
            self._data += part

    def _answer(self, kind: bytes, body: bytes) -> Drawn:
        task = self._out.pop(int.from_bytes(body[:8], "big"), None)
        if task is None or len(body) < 16:
            raise ProbeError("the drawing program answered something that was not asked")
        self._weight -= len(task.body)
        if kind == b"D":
            return Drawn(task, body[16:], struct.unpack_from(">d", body, 8)[0])
        told = _words(body[8:])
        return Drawn(task, problem=_text(told, "why") or "it failed", where=_text(told, "where"))

    def _refusal(self, told: dict[str, object]) -> X11fwdError:
        why, where = _text(told, "why"), _text(told, "where")
        if told.get("load"):
            at = f" ({where})" if where else ""
            return UsageError(f"the function cannot be loaded: {why}{at}")
        if "No module named 'matplotlib'" in why:
            return RenderError(
                f"{_text(told, 'python') or self._python} has no matplotlib",
                hint="`--python PATH` names the one that has",
            )
        return RenderError(f"nothing can be drawn: {why}")


def _words(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body[: 1 << 20])
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ProbeError("the drawing program answered something that cannot be understood")
    return told


def _text(told: dict[str, object], name: str) -> str:
    return str(told.get(name) or "")[:2000]
