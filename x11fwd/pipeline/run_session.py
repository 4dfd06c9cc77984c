"""The near half of `run`: the script over there as frames on one stream; pipeline/run.py imports it.

The kinds of frames are in run_there/line.py's docstring. A dead line is noticed on both sides: here by the
transport, there by the silence.
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ConnectionLost, ProbeError, X11fwdError
from x11fwd.pipeline.run_start import open_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from x11fwd.project.manifest import Manifest
    from x11fwd.transports.base import ByteStream, Transport

__all__ = ["Drawn", "RunSession", "agent_text"]

_HEAD = struct.Struct("!cI")
_LARGEST = 300 << 20  # of one frame: a picture
_LARGEST_NUMBERS = 8 << 20  # bytes of a figure's numbers
_WAIT = 120.0  # seconds for the login shell to make its environment and Python to start
_PULSE = 5.0  # seconds between signs of life
_SILENCE = 45.0  # seconds without one after which the far half ends the script
_LOOK = 0.2  # seconds; a signal that comes just before an endless wait would not end it
_INPUT_AHEAD = 256 << 10  # bytes of standard input under way
_OURS = re.compile(r"^from x11fwd\.\S+ import (\([^)]*\)|.*)\n", re.MULTILINE)
_THERE = ("line", "places", "pictures", "script", "serve")


@dataclass(frozen=True)
class Drawn:
    """A picture of one figure, or its next frame.

    Attributes:
        id: of the figure, the same for every frame.
        number, title: as in the title of its window.
        label: titles inside of it.
        kind: `png` or `svg`.
        frame: counts from 1.
        dropped: frames left out so far, to keep up.
        figure: its numbers as JSON for the viewer, `b""` where it moves or has none.
    """

    id: str
    number: int
    title: str
    label: str
    kind: str
    frame: int
    dropped: int
    data: bytes = field(repr=False)
    figure: bytes = field(default=b"", repr=False)


class RunSession:
    """One script over there; a context manager that ends it.

    Args:
        python: the interpreter, `""` for the one that the login shell finds.
        x11: in a session for which X11 forwarding was requested.
    """

    def __init__(self, transport: Transport, *, python: str, x11: bool) -> None:
        self._python = python
        self._host = transport.target.host
        self._stream: ByteStream = open_python(transport, agent_text(), python, x11=x11)
        self._buffer = bytearray()
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(_INPUT_AHEAD // 16384)
        self._ended = threading.Event()

    def __enter__(self) -> RunSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Whatever still runs over there ends."""
        self._ended.set()
        self._orders.put(None)
        with contextlib.suppress(X11fwdError, OSError):
            self._stream.close_write()
        self._stream.close()

    # --- what is sent -----------------------------------------------------------------------------------

    def offer(self, manifest: Manifest, name: str, *, keep: bool) -> None:
        """Say what the project consists of, without waiting, and from then on that we are there."""
        entries = [
            {"path": one.path, "link": one.link}
            if one.link
            else {"path": one.path, "mode": one.mode, "size": one.size, "content": one.content}
            for one in manifest.entries
        ]
        about = {"entries": entries, "name": name, "keep": keep, "silence": _SILENCE}
        with contextlib.suppress(ConnectionLost):  # `hello` says why, see `open_python`
            self._send(b"M", zlib.compress(json.dumps(about).encode(), 6))
        # from now on: a bridge may have to be opened before the script starts, and a person may be asked
        threading.Thread(target=self._pulse, name="x11fwd-pulse", daemon=True).start()

    def hello(self) -> Mapping[str, object]:
        """What is over there: `python`, `executable`, `host`. Raises ProbeError, ConnectionLost."""
        return _object(self._expect(b"H", _WAIT))

    def needed(self) -> list[str]:
        """The contents that are not over there yet. Raises as `hello`."""
        needed = _object(self._expect(b"N", _WAIT)).get("needed")
        return [str(one) for one in needed] if isinstance(needed, list) else []

    def send(self, chunks: Iterator[bytes], sent: Callable[[int], None]) -> None:
        """The contents' bytes, compressed; `sent` is told how many of them went out."""
        deflate = zlib.compressobj(6)
        try:
            for chunk in chunks:
                if data := deflate.compress(chunk):
                    self._send(b"C", data)
                sent(len(chunk))
            self._send(b"C", deflate.flush())
        except ConnectionLost:
            self._last_words()
            raise

    def start(self, settings: Mapping[str, object]) -> None:
        """Start the script."""
        self._send(b"S", zlib.compress(json.dumps(dict(settings)).encode(), 6))

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT to the group there, then SIGTERM, then SIGKILL; a signal handler may call it."""
        self._orders.put((b"K", b""))

    def end(self) -> None:
        """All of that at once."""
        for _ in range(3):
            self.interrupt()

    def resize(self, rows: int, columns: int) -> None:
        """The terminal has a new size; a signal handler may call it."""
        self._orders.put((b"W", struct.pack("!HH", min(rows, 65535), min(columns, 65535))))

    def feed(self, read: Callable[[int], bytes]) -> None:
        """Pass on what `read(limit)` gives until it gives nothing, on a thread of its own."""

        def run() -> None:
            with contextlib.suppress(X11fwdError, OSError, ValueError):
                while not self._ended.is_set() and (data := read(16384)):
                    self._room.acquire()
                    self._send(b"I", data)
                self._send(b"J")

        threading.Thread(target=run, name="x11fwd-stdin", daemon=True).start()

    # --- what comes -------------------------------------------------------------------------------------

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """Kind and payload of what comes, until the far half has said its last word.

        Raises:
            ConnectionLost: the line is dead.
            ChangeError: the far half could not do it; the message says why.
        """
        while True:
            kind, data = self._receive(None)
            if kind == b"U":
                return
            if kind == b"R":
                self._room.release()
            elif kind == b"P":
                yield kind, data
                self._orders.put((b"A", b""))
            elif kind != b"Y":
                yield kind, data

    def words(self) -> str:
        """The last line of what the far half's standard error holds."""
        lines = self._stream.stderr().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""

    def _last_words(self) -> None:
        """The far half may have said why it stopped listening: then that is raised."""
        with contextlib.suppress(ConnectionLost, ProbeError):
            while True:
                self._receive(5.0)

    def _pulse(self) -> None:
        with contextlib.suppress(X11fwdError, OSError):
            while not self._ended.is_set():
                try:
                    order = self._orders.get(timeout=_PULSE)
                except queue.Empty:
                    order = (b"Z", b"")
                if order is None:
                    return
                self._send(*order)

    def _send(self, kind: bytes, data: bytes = b"") -> None:
        with self._lock:
            self._stream.write(_HEAD.pack(kind, len(data)) + data)

    def _expect(self, kind: bytes, timeout: float) -> bytes:
        got, data = self._receive(timeout)
        if got != kind:
            raise ProbeError(f"{self._host} answered {got!r} where {kind!r} was expected")
        return data

    def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
        head = self._take(_HEAD.size, timeout)
        kind, size = _HEAD.unpack(head)
        if size > _LARGEST:
            raise ProbeError(f"{self._host} announced {size:,} bytes in one piece")
        data = self._take(size, timeout)
        if kind == b"Q":
            problem = str(_object(data).get("problem"))[:500]
            full = any(words in problem for words in ("No space left", "quota", "No usable temporary"))
            hint = "free some space over there" if full else ""
            raise ChangeError(f"the script could not be run on {self._host}: {problem}", hint=hint)
        return kind, data

    def _take(self, size: int, timeout: float | None) -> bytes:
        end = None if timeout is None else time.monotonic() + timeout
        while len(self._buffer) < size:
            try:
                data = self._stream.read(1 << 18, _LOOK)
            except TimeoutError as error:
                if end is None or time.monotonic() < end:
                    continue
                raise ProbeError(
                    f"{self._host} logged in and did not start Python within {_WAIT:g} s",
                    hint="a start file of the login shell may hang",
                ) from error
            if not data:
                raise self._early()
            self._buffer += data
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _early(self) -> X11fwdError:
        """Why the stream ended before its time."""
        try:
            status = self._stream.wait(5.0)
        except TimeoutError:
            status = -1
        python = self._python or "Python"
        if status == 127:
            return ProbeError(
                f"there is no {self._python or 'python3'} on {self._host}",
                hint="`--python PATH` names one; `x11fwd doctor` lists what is there",
            )
        if status == 3:
            return ProbeError(
                f"{python} on {self._host} is older than 3.6", hint="`--python PATH` names another one"
            )
        words = self.words()
        return ConnectionLost(
            f"the far half on {self._host} ended (status {status}){f': {words}' if words else ''}"
        )


def agent_text() -> str:
    """The program for the other side."""
    receive = resources.files("x11fwd.project").joinpath("receive.py")
    folder = resources.files("x11fwd.pipeline").joinpath("run_there")
    files = [receive, *(folder.joinpath(f"{name}.py") for name in _THERE)]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return _OURS.sub("", text) + "\nos._exit(main())\n"


def drawn(data: bytes) -> Drawn | None:
    """A picture out of its frame; None where it is none."""
    if len(data) < 4:
        return None
    (size,) = struct.unpack_from("!I", data)
    try:
        about = _object(data[4 : 4 + size])
    except ProbeError:
        return None

    def number(name: str) -> int:
        value = about.get(name)
        return value if isinstance(value, int) else 0

    def text(name: str) -> str:
        value = about.get(name)
        return value[:500] if isinstance(value, str) else ""

    if text("kind") not in {"png", "svg"}:
        return None
    picture, packed = data[4 + size :], b""
    if 0 < (length := number("numbers")) <= len(picture):
        picture, packed = picture[:-length], picture[-length:]
    return Drawn(
        text("id"),
        number("number"),
        text("title"),
        text("label"),
        text("kind"),
        number("frame"),
        number("dropped"),
        picture,
        _unpacked(packed),
    )


def exit_status(data: bytes) -> int:
    """The script's, out of its frame."""
    status = _object(data).get("status")
    return status if isinstance(status, int) and 0 <= status <= 255 else 1


def _object(data: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise ProbeError(f"the far half said something that is no JSON: {data[:80]!r}") from error
    if not isinstance(value, dict):
        raise ProbeError(f"the far half said something that is no object: {data[:80]!r}")
    return value


def _unpacked(data: bytes) -> bytes:
    """Bounded; `b""` for what is none."""
    inflate = zlib.decompressobj()
    with contextlib.suppress(zlib.error):
        found = inflate.decompress(data, _LARGEST_NUMBERS)
        return found if inflate.eof else b""
    return b""
