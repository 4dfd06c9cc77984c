"""The script, its streams and its end; part of the far half's text of `run`."""

# Python 3.6 has no `from __future__ import annotations`.

import fcntl
import os
import select
import signal
import struct
import subprocess  # noqa: TID251  this runs over there
import sys
import termios
import threading
import time
from typing import Any, Dict, List, Optional, Set

from x11fwd.pipeline.run_there.line import Line, start
from x11fwd.pipeline.run_there.pictures import Pictures
from x11fwd.pipeline.run_there.places import Places
from x11fwd.project.receive import safe_path

POLITE = (10.0, 5.0)  # seconds between SIGINT, SIGTERM and SIGKILL
HURRIED = 1.0  # seconds between them where somebody asks again: a script that goes at once goes by the first
PIECE = 65536
HELD = 5.0  # seconds for streams that somebody else holds open and says nothing on
MOST_LATE = 4 << 20  # bytes after the script's end, more than any pipe holds: somebody else writes them


def take_terminal() -> None:
    """In the script's own process: the terminal is that of its session, so that Ctrl-C finds it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Run:
    """The script, its streams and its end."""

    def __init__(self, line: Line, places: Places, settings: "Dict[str, Any]") -> None:
        self.line = line
        self.folder = places.folder
        self.pictures: Optional[Pictures] = None
        self.ending = 0  # how far on the way from SIGINT to SIGKILL
        self.gone = False
        self.wake = threading.Condition()
        self.input: List[bytes] = []
        self.input_ended = False
        environment = dict(os.environ, PYTHONUNBUFFERED="1")
        environment.update({str(name): str(value) for name, value in settings["environment"].items()})
        if settings["modules"]:
            for name, text in settings["modules"].items():
                with open(os.path.join(places.private, safe_path(name)), "w", encoding="utf-8") as file:
                    file.write(text)
            path = os.path.join(places.private, "pictures")
            self.pictures = Pictures(line, path)
            paths = [places.private] + [one for one in [environment.get("PYTHONPATH")] if one]
            environment.update(
                MPLBACKEND="module://x11fwd_inline", X11FWD_INLINE=path, PYTHONPATH=os.pathsep.join(paths)
            )
        cwd = os.path.join(places.folder, settings["folder"]) if settings["folder"] else places.folder
        os.makedirs(cwd, exist_ok=True)
        words = [sys.executable or "python3"] + [str(word) for word in settings["words"]]
        self.terminal: Optional[int] = None
        terminal = settings["terminal"]
        if terminal:
            self.terminal, far = os.openpty()
            self.resize(terminal["rows"], terminal["columns"])
            environment["TERM"] = str(terminal["kind"])
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=far if terminal else pipe,
            stdout=far if terminal else pipe,
            stderr=far if terminal and terminal["errors"] else pipe,
            bufsize=0,
            start_new_session=True,
            preexec_fn=take_terminal if terminal else None,  # noqa: PLW1509  one call of the kernel's
        )
        if terminal:
            os.close(far)
        output, errors = self.process.stdout, self.process.stderr
        out = self.terminal if output is None else output.fileno()
        assert out is not None  # noqa: S101  one of both was asked for
        self.sending: Set[bytes] = set()
        self.sent = {b"O": 0, b"E": 0}
        streams = [(b"O", out)] + ([(b"E", errors.fileno())] if errors is not None else [])
        self.pumps = [(start(self.pump, *one), *one) for one in streams]
        start(self.feed)
        start(self.listen)

    def pump(self, kind: bytes, descriptor: int) -> None:
        while True:
            try:
                data = os.read(descriptor, PIECE)
            except OSError:
                return  # how a terminal says that nobody holds its other end
            if not data:
                return
            self.sending.add(kind)
            self.line.send(kind, data)
            self.sent[kind] += len(data)
            self.sending.discard(kind)

    def resize(self, rows: int, columns: int) -> None:
        """The window has a new size; the kernel tells the script."""
        if self.terminal is not None:
            size = struct.pack("HHHH", max(1, rows) & 0xFFFF, max(1, columns) & 0xFFFF, 0, 0)
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)

    def feed(self) -> None:
        pipe = self.process.stdin
        descriptor = self.terminal if pipe is None else pipe.fileno()
        assert descriptor is not None  # noqa: S101  one of both was asked for
        while True:
            with self.wake:
                while not self.input and not self.input_ended:
                    self.wake.wait()
                data = self.input.pop(0) if self.input else b""
            if not data:
                if pipe is not None:
                    pipe.close()
                return
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            except OSError:
                pass  # it reads no more; what comes is thrown away
            self.line.send(b"R", struct.pack("!I", len(data)))

    def listen(self) -> None:
        try:
            while True:
                kind, data = self.line.receive()
                if kind == b"A" and self.pictures is not None:
                    self.pictures.arrived()
                if kind == b"W":
                    self.resize(*struct.unpack("!HH", data))
                with self.wake:
                    if kind == b"I":
                        self.input.append(data)
                    elif kind == b"J":
                        self.input_ended = True
                    elif kind == b"K":
                        self.ending += 1
                    self.wake.notify_all()
        finally:
            with self.wake:
                self.gone = True
                self.ending = max(self.ending, 1)
                self.input_ended = True
                self.wake.notify_all()

    def signal(self, number: int) -> bool:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        except OSError:
            pass
        return True

    def wait(self) -> int:
        """The exit status, as a shell counts it; SIGINT, SIGTERM, SIGKILL after one another where asked."""
        sent, since = 0, 0.0
        start(self.reap)
        with self.wake:
            while self.process.returncode is None:
                if sent and sent <= len(POLITE) and time.monotonic() - since > POLITE[sent - 1]:
                    self.ending = max(self.ending, sent + 1)
                if self.ending > sent and sent < 3 and (not sent or time.monotonic() - since > HURRIED):
                    sent += 1
                    since = time.monotonic()
                    self.signal((signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[sent - 1])
                self.wake.wait(0.2 if sent else None)
        self.end_group(sent)
        status = self.process.returncode
        return 128 - status if status < 0 else status

    def reap(self) -> None:
        self.process.wait()
        with self.wake:
            self.wake.notify_all()

    def end_group(self, sent: int) -> None:
        """What the script left running ends with it: nothing stays behind."""
        deadline = time.monotonic() + (2.0 if sent < 3 else 0.0)
        number = int(signal.SIGTERM)
        while self.signal(number):
            number = 0
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                break
            time.sleep(0.02)
        for pump, kind, descriptor in self.pumps:
            self.drain(pump, kind, descriptor)
        if self.pictures is not None and not self.gone:
            self.pictures.finish(lambda: self.gone)

    def drain(self, pump: threading.Thread, kind: bytes, descriptor: int) -> None:
        """Wait for what was said last, which takes its time on a slow line, or while nobody reads it."""
        watch = select.poll()
        watch.register(descriptor, select.POLLIN)
        before, quiet = self.sent[kind], time.monotonic()
        while pump.is_alive() and not self.gone and self.sent[kind] - before < MOST_LATE:
            pump.join(0.05)
            if kind in self.sending or watch.poll(0):
                quiet = time.monotonic()
            elif time.monotonic() - quiet > HELD:
                break
