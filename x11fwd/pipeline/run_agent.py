"""The far half of `run`: takes the project, runs the script, speaks frames; sent as text by run_session.py.

A frame is one byte of kind, four of length, and the payload. Runs on Python 3.6; project/receive.py stands
in front.

To here: M manifest, C compressed contents, S start, I input, J end of input, K interrupt, Z still there,
A a picture has arrived. From here: H hello, N contents that are needed, Y started, O output, E errors,
P picture, R input consumed, X exit, G file, D its bytes, U nothing more comes, Q a problem.
"""

# Python 3.6 has no `from __future__ import annotations`.

import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess  # noqa: TID251  this runs over there
import sys
import tempfile
import threading
import time
import zlib
from typing import Any, Dict, List, Optional, Tuple

from x11fwd.project.receive import Inflater, RefusedError, Store, build, remove_tree, safe_path, sweep_runs

SILENCE = 45.0  # seconds without a word (the other side says one every 5) after which the line counts as cut
POLITE = (10.0, 5.0)  # seconds between SIGINT, SIGTERM and SIGKILL
INLINE_AHEAD = 2  # pictures under way
HEAD = struct.Struct("!cI")
CHUNK = 65536


class GoneError(Exception):
    """The other side is not there any more."""


class Line:
    """Frames on standard input and output."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.out = os.dup(1)
        self.buffer = b""
        # what anything here prints by itself must not get between the frames
        os.dup2(2, 1)

    def send(self, kind: bytes, data: bytes = b"") -> None:
        with self.lock:
            rest = memoryview(HEAD.pack(kind, len(data)) + data)
            while rest:
                try:
                    rest = rest[os.write(self.out, rest) :]
                except OSError:
                    raise GoneError from None

    def say(self, kind: bytes, **more: "Any") -> None:
        self.send(kind, json.dumps(more).encode("ascii"))

    def receive(self) -> "Tuple[bytes, bytes]":
        """The next frame."""
        size = None
        while True:
            if size is None and len(self.buffer) >= HEAD.size:
                kind, size = HEAD.unpack(self.buffer[: HEAD.size])
            if size is not None and len(self.buffer) >= HEAD.size + size:
                data = self.buffer[HEAD.size : HEAD.size + size]
                self.buffer = self.buffer[HEAD.size + size :]
                return kind, data
            if not select.select([0], [], [], SILENCE)[0]:
                raise GoneError
            more = os.read(0, 1 << 20)
            if not more:
                raise GoneError
            self.buffer += more

    def expect(self, kind: bytes) -> bytes:
        while True:
            got, data = self.receive()
            if got == kind:
                return data
            if got == b"K":
                raise GoneError
            # what ends the compressed stream may come after its last byte was taken out of it
            if got != b"Z" and (got, kind) != (b"C", b"S"):
                raise RefusedError("frame %r where %r was expected" % (got, kind))


class Places:
    """Folders of a run: `store`, `folder` for the project, `private` for the rest."""

    def __init__(self, name: str, keep: bool) -> None:
        host = socket.gethostname()
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        self.keep = keep
        self.base = os.path.join(base, "x11fwd")
        try:
            os.makedirs(self.base, mode=0o700, exist_ok=True)
            probe = tempfile.mkstemp(dir=self.base)
            os.close(probe[0])
            os.unlink(probe[1])
        except OSError:
            # a home that is missing, full or read-only: nothing is remembered
            self.base = tempfile.mkdtemp(prefix="x11fwd-")
        self.throw_away = not self.base.startswith(base)
        runs = os.path.join(self.base, "runs")
        sweep_runs(runs, host)
        self.store = Store(os.path.join(self.base, "files"))
        own = "%s.%s.%d" % (os.urandom(4).hex(), host, os.getpid())
        self.folder = os.path.join(self.base, "projects", name) if keep else os.path.join(runs, own)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.private = tempfile.mkdtemp(prefix="x11fwd-")

    def close(self) -> None:
        shutil.rmtree(self.private, ignore_errors=True)
        if not self.keep:
            remove_tree(self.folder)
        if self.throw_away and not self.keep:
            shutil.rmtree(self.base, ignore_errors=True)
        else:
            self.store.prune()


class Pictures:
    """What the backend sends; of each figure only the newest waits, and those it replaces are counted."""

    def __init__(self, line: Line, path: str) -> None:
        self.line = line
        self.condition = threading.Condition()
        self.waiting: Dict[str, Tuple[Dict[str, Any], bytes]] = {}
        self.dropped: Dict[str, int] = {}
        self.under_way = 0
        self.closing = False
        self.readers: List[threading.Thread] = []
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(path)
        self.server.listen(16)
        start(self.accept)
        self.sender = start(self.send)

    def accept(self) -> None:
        while True:
            try:
                peer, _address = self.server.accept()
            except OSError:
                return
            self.readers.append(start(self.read, peer))

    def read(self, peer: "socket.socket") -> None:
        with peer, peer.makefile("rb") as file:
            while True:
                head = file.read(8)
                if len(head) < 8:
                    return
                words, size = struct.unpack("!II", head)
                if words > 1 << 16 or size > 256 << 20:
                    return
                about = json.loads(file.read(words).decode("utf-8"))
                data = file.read(size)
                if len(data) < size:
                    return
                self.put(about, data)

    def put(self, about: "Dict[str, Any]", data: bytes) -> None:
        with self.condition:
            name = str(about.get("id"))
            if name in self.waiting:
                self.dropped[name] = self.dropped.get(name, 0) + 1
            self.waiting[name] = (about, data)
            self.condition.notify_all()

    def arrived(self) -> None:
        with self.condition:
            self.under_way -= 1
            self.condition.notify_all()

    def send(self) -> None:
        while True:
            with self.condition:
                while not (self.waiting and self.under_way < INLINE_AHEAD):
                    if self.closing and not self.waiting:
                        return
                    self.condition.wait()
                name = next(iter(self.waiting))
                about, data = self.waiting.pop(name)
                about["dropped"] = int(about.get("dropped") or 0) + self.dropped.get(name, 0)
                self.under_way += 1
            words = json.dumps(about).encode("ascii")
            self.line.send(b"P", struct.pack("!I", len(words)) + words + data)

    def finish(self) -> None:
        """Send what is there, once every program of the script's has ended."""
        for reader in list(self.readers):
            reader.join(5.0)
        with self.condition:
            self.closing = True
            self.condition.notify_all()
        self.sender.join(60.0)
        self.server.close()


def start(work: "Any", *arguments: "Any") -> threading.Thread:
    def run() -> None:
        try:
            work(*arguments)
        except (GoneError, OSError, ValueError):
            pass

    thread = threading.Thread(target=run)
    thread.daemon = True
    thread.start()
    return thread


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
        if settings.get("backend"):
            with open(os.path.join(places.private, "x11fwd_inline.py"), "w", encoding="utf-8") as file:
                file.write(settings["backend"])
            path = os.path.join(places.private, "pictures")
            self.pictures = Pictures(line, path)
            paths = [places.private] + [one for one in [environment.get("PYTHONPATH")] if one]
            environment.update(
                MPLBACKEND="module://x11fwd_inline", X11FWD_INLINE=path, PYTHONPATH=os.pathsep.join(paths)
            )
        cwd = os.path.join(places.folder, settings["folder"]) if settings["folder"] else places.folder
        os.makedirs(cwd, exist_ok=True)
        words = [sys.executable or "python3"] + [str(word) for word in settings["words"]]
        self.process = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.pumps = [
            start(self.pump, b"O", self.process.stdout),
            start(self.pump, b"E", self.process.stderr),
        ]
        start(self.feed)
        start(self.listen)

    def pump(self, kind: bytes, pipe: "Any") -> None:
        while True:
            data = os.read(pipe.fileno(), CHUNK)
            if not data:
                return
            self.line.send(kind, data)

    def feed(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None  # noqa: S101  a pipe was asked for
        while True:
            with self.wake:
                while not self.input and not self.input_ended:
                    self.wake.wait()
                data = self.input.pop(0) if self.input else b""
            if not data:
                pipe.close()
                return
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(pipe.fileno(), rest) :]
            except OSError:
                pass  # it reads no more; what comes is thrown away
            self.line.send(b"R", struct.pack("!I", len(data)))

    def listen(self) -> None:
        try:
            while True:
                kind, data = self.line.receive()
                if kind == b"A" and self.pictures is not None:
                    self.pictures.arrived()
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
                if self.ending > sent and sent < 3:
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
        for pump in self.pumps:
            pump.join(5.0)
        if self.pictures is not None and not self.gone:
            self.pictures.finish()


def matches(folder: str, cwd: str, patterns: "List[str]") -> "List[str]":
    """Plain files below `folder` that match, as paths below it; links out of it are not followed."""
    top = os.path.realpath(folder)
    found = set()
    for pattern in patterns:
        safe_path(pattern)
        for path in glob.iglob(os.path.join(glob.escape(os.path.join(top, cwd)), pattern), recursive=True):
            real = os.path.realpath(path)
            if os.path.isfile(path) and not os.path.islink(path) and real.startswith(top + os.sep):
                found.add(os.path.relpath(real, top))
    return sorted(found)


def stamp(status: "os.stat_result") -> "Tuple[int, int]":
    return status.st_mtime_ns, status.st_size


def stamps(folder: str, entries: "List[Dict[str, Any]]") -> "Dict[str, Tuple[int, int]]":
    """How the files look before the script runs."""
    return {entry["path"]: stamp(os.lstat(os.path.join(folder, entry["path"]))) for entry in entries}


def send_files(
    line: Line, places: Places, settings: "Dict[str, Any]", before: "Dict[str, Tuple[int, int]]"
) -> None:
    """What the script made or changed."""
    for path in matches(places.folder, settings["folder"], settings["fetch"]):
        full = os.path.join(places.folder, path)
        descriptor = os.open(full, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if before.get(path) == stamp(status):
                continue
            size = status.st_size
            line.say(b"G", path=path, size=size, mode=status.st_mode & 0o777)
            deflate = zlib.compressobj(1)
            while size:
                data = file.read(min(size, 1 << 18))
                if not data:
                    break  # cut short by somebody; the other side counts
                size -= len(data)
                line.send(b"D", deflate.compress(data))
            line.send(b"D", deflate.flush())


def sentence(error: BaseException) -> str:
    if isinstance(error, OSError):
        place = " (%s)" % error.filename if error.filename else ""
        return "%s%s" % (error.strerror or error, place)
    return str(error) or type(error).__name__


def serve(line: Line) -> int:
    line.say(
        b"H",
        python="%d.%d.%d" % sys.version_info[:3],
        executable=sys.executable or "",
        host=socket.gethostname(),
    )
    manifest = json.loads(zlib.decompress(line.expect(b"M")).decode("utf-8"))
    entries = manifest["entries"]
    places = Places(re.sub("[^A-Za-z0-9_.-]", "_", manifest["name"]), bool(manifest["keep"]))
    try:
        sizes = {entry["content"]: entry["size"] for entry in entries if entry.get("content")}
        needed = [content for content in sorted(sizes) if not places.store.has(content, sizes[content])]
        line.say(b"N", needed=needed)
        inflater = Inflater(lambda: line.expect(b"C"))
        for content in needed:
            places.store.add(content, sizes[content], inflater.read)
        build(places.folder, entries, places.store)
        settings = json.loads(zlib.decompress(line.expect(b"S")).decode("utf-8"))
        before = stamps(places.folder, entries)
        run = Run(line, places, settings)
        try:
            line.say(b"Y", folder=places.folder)
            status = run.wait()
        except BaseException:
            run.signal(signal.SIGKILL)
            raise
        if run.gone:
            return 1
        if settings["fetch"]:
            send_files(line, places, settings, before)
        line.say(b"X", status=status)
    finally:
        places.close()
    line.send(b"U")
    return 0


def main() -> int:
    # It outlives these: it has a script to end and a folder to remove. They are not ignored: the script would
    # inherit that, and a Python that is started so takes no notice of Ctrl-C.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def leave(_number: int, _frame: object) -> None:
        raise GoneError

    signal.signal(signal.SIGTERM, leave)
    line = Line()
    try:
        return serve(line)
    except GoneError:
        return 1
    except (RefusedError, OSError, MemoryError) as error:
        try:
            line.say(b"Q", problem=sentence(error))
        except GoneError:
            pass
        return 1
