"""Sends files, whole, whenever they have changed, to standard output; runs on the remote, Python 3.6.

First line of standard input: a JSON object with `wanted` (paths and patterns), `known` (the sign of what
the other side has, by path), `endings` (what of a folder is meant), `pickled` (endings of what is to be
opened here), `largest` and `heaviest` (bytes of a file that travels, of one that is opened), `unopened`
(why no pickle may be opened, or ""), `python`, `start`, `opener`, `drawing`, `points`, `patience` (for
open_start.sh and open_remote.py). The end of standard input ends us. Output: a line of JSON for each piece
of news, its kind as `e`; where it has a `size`, so many bytes follow: file (a file's bytes), opened (what
became of a pickle), refused (with `why`), gone, none (a pattern matches nothing), many (it matches too
much), opening (a pickle), read (everything that is there has been told), alive.
"""

import glob
import json
import os
import re
import select
import signal
import stat
import subprocess  # noqa: TID251  this runs over there
import sys
import time
import zlib
from typing import Any, Dict, List, Optional

MOST = 200  # files of one pattern
PAUSE = 0.05  # seconds between two looks, and
EACH = 0.0005  # more for each file
EXPAND = 0.5  # seconds between two looks at the patterns
QUIET = 0.15  # seconds without a change after which a file counts as written
BUSY = 3.0  # seconds of changes after which it is sent as it is: something may write it all the time
PING = 3.0
GROWING = (".csv", ".tsv")  # the beginning of one is one
PACKED = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".npz", ".gz")  # zlib gains nothing there


class GoneError(Exception):
    """The other side is not there any more."""


def send(news: Dict[str, Any], data: bytes = b"") -> None:
    if data:
        news["size"] = len(data)
    view = memoryview(json.dumps(news).encode("ascii") + b"\n" + data)
    while view:
        view = view[os.write(1, view) :]


def natural(path: str) -> List[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", path)]


def sign_of(seen: os.stat_result) -> str:
    return "%d:%d:%d" % (seen.st_ino, seen.st_size, seen.st_mtime_ns)


class Watched:
    """One file: what was sent of it, and since when it is as it is now."""

    def __init__(self, number: int, path: str, sent: str) -> None:
        self.number, self.path, self.sent = number, path, sent
        self.sign = ""
        self.since = self.begun = 0.0
        self.missing = 0.0

    def ready(self, now: float) -> Optional[os.stat_result]:
        """The file's state where it has changed and is at rest; None otherwise."""
        try:
            seen = os.stat(self.path)
        except OSError:
            self.missing = self.missing or now
            return None
        self.missing = 0.0
        sign = sign_of(seen)
        if sign == self.sent:
            self.sign = sign
            return None
        if sign != self.sign:
            if not self.begun:
                self.begun = now
            self.sign, self.since = sign, now
        # what has been lying there for a while need not be watched first
        old = time.time() - seen.st_mtime
        if now - self.since < QUIET and now - self.begun < BUSY and not old > 2.0:
            return None
        return seen


class Follower:
    def __init__(self, asked: Dict[str, Any]) -> None:
        self.asked = asked
        self.files: Dict[str, Watched] = {}
        self.told: Dict[int, str] = {}
        self.expanded = 0.0
        self.pinged = time.monotonic()
        self.done = False
        self.stdin = select.poll()
        self.stdin.register(0, select.POLLIN | select.POLLHUP)

    def alive(self, wait: float) -> None:
        """Wait so many seconds; give a sign of life where one is due."""
        if time.monotonic() - self.pinged > PING:
            self.pinged = time.monotonic()
            send({"e": "alive"})
        if self.stdin.poll(wait * 1000) and not os.read(0, 4096):
            raise GoneError

    def expand(self) -> None:
        for number, wanted in enumerate(self.asked["wanted"]):
            path = os.path.expanduser(wanted)
            if os.path.isdir(path):
                found = [
                    os.path.normpath(os.path.join(path, name)) for name in listed(path) if self.showable(name)
                ]
            elif os.path.lexists(path):
                found = [path]
            else:
                found = glob.glob(path, recursive=True) if glob.has_magic(path) else []
            found.sort(key=natural)
            if len(found) > MOST:
                self.once(number, {"e": "many", "n": number, "count": len(found), "most": MOST})
            for one in found[:MOST]:
                if one not in self.files:
                    self.files[one] = Watched(number, one, self.asked["known"].get(one, ""))
                    self.told.pop(number, None)
            if not found and not any(one.number == number for one in self.files.values()):
                self.once(number, {"e": "none", "n": number})
        for path in [path for path in self.asked["known"] if path not in self.files]:
            del self.asked["known"][path]
            send({"e": "gone", "path": path})

    def once(self, number: int, news: Dict[str, Any]) -> None:
        text = json.dumps(news)
        if self.told.get(number) != text:
            self.told[number] = text
            send(news)

    def showable(self, name: str) -> bool:
        return not name.startswith(".") and name.lower().endswith(tuple(self.asked["endings"]))

    def run(self) -> None:
        send({"e": "alive"})
        while True:
            now = time.monotonic()
            if now - self.expanded >= EXPAND:
                self.expanded = now
                self.expand()
            resting = True
            for one in list(self.files.values()):
                seen = one.ready(now)
                if seen is not None:
                    busy = now - one.begun >= BUSY  # nobody waits for the end of that
                    self.tell(one, seen)
                    resting = resting and (busy or one.sent == sign_of(seen))  # it may have changed meanwhile
                    one.begun = 0.0
                    self.alive(0)
                elif one.missing and now - one.missing > QUIET:
                    # a replacement by hand is away for a moment, too
                    del self.files[one.path]
                    if one.sent:
                        self.told[one.number] = json.dumps({"e": "none", "n": one.number})
                        self.asked["known"].pop(one.path, None)
                        send({"e": "gone", "path": one.path})
                elif one.missing or one.sign != one.sent:
                    resting = False
            if resting and not self.done:
                self.done = True
                send({"e": "read"})
            self.alive(PAUSE + EACH * len(self.files))

    def tell(self, one: Watched, seen: os.stat_result) -> None:
        """Send a file; nothing where it changed meanwhile, so that it is looked at again."""
        sign = sign_of(seen)
        news = {"n": one.number, "path": one.path, "sign": sign, "bytes": seen.st_size}
        opened = one.path.lower().endswith(tuple(self.asked["pickled"]))
        most = self.asked["heaviest"] if opened else self.asked["largest"]
        why = ""
        if not stat.S_ISREG(seen.st_mode):
            why = "it is no regular file"
        elif seen.st_size > most:
            why = "it has %.0f MB; show takes at most %.0f MB" % (seen.st_size / 1e6, most / 1e6)
        elif not seen.st_size:
            why = "it is empty"
        elif opened and not one.path.lower().endswith(".json"):
            why = self.asked["unopened"]
        data = b""
        if not why and not opened:
            try:
                busy = time.monotonic() - one.begun >= BUSY
                data = whole(one.path, seen, busy and one.path.lower().endswith(GROWING))
            except OSError as error:
                why = "it cannot be read: %s" % error.strerror
            else:
                if not data:
                    return
        if not why and opened:
            send({"e": "opening", "n": one.number, "path": one.path})
            if not os.access(one.path, os.R_OK):
                why = "it cannot be read: Permission denied"
            else:
                why, data = self.opened(one.path)
                try:
                    if sign_of(os.stat(one.path)) != sign:
                        return  # it was written while it was opened
                except OSError:
                    return
        one.sent = sign
        if why:
            send(dict(news, e="refused", why=why))
            return
        if opened or not one.path.lower().endswith(PACKED):
            news["packed"] = True
            data = zlib.compress(data, 1)
        send(dict(news, e="opened" if opened else "file"), data)

    def opened(self, path: str) -> "tuple[str, bytes]":
        """(why not, what the opener says): the pickle is opened by the user's own Python, apart from us."""
        patience = self.asked["patience"]
        mark = "%d-%d" % (os.getpid(), time.time() * 1000)
        command = ["/bin/sh", "-c", self.asked["start"], "x11fwd-show", mark, self.asked["python"]]
        order = json.dumps({"path": os.path.abspath(path), "drawing": self.asked["drawing"],
                            "points": self.asked["points"], "patience": patience,
                            "most": self.asked["largest"]})  # fmt: skip
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command + [self.asked["opener"]], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        try:
            return self.heard(process, order.encode("ascii"), time.monotonic() + patience)
        finally:
            # the group: what the pickle started goes with it
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                pass
            for one in (process.stdin, process.stdout, process.stderr):
                if one is not None:
                    try:
                        one.close()
                    except OSError:
                        pass
            process.wait()

    def heard(self, process: "subprocess.Popen[bytes]", order: bytes, end: float) -> "tuple[str, bytes]":
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("no pipes")
        pipes = [process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()]
        for pipe in pipes:
            os.set_blocking(pipe, False)
        into, out, err = pipes
        said = {out: b"", err: b""}
        reading, rest = [out, err], memoryview(order)
        while out in reading:
            ready, writable, _ = select.select(reading + [0], [into] if rest else [], [], 0.5)
            self.alive(0)
            if time.monotonic() > end:
                return "opening it took more than %d s over there" % self.asked["patience"], b""
            if writable:
                try:
                    rest = rest[os.write(into, rest) :]
                except OSError:
                    rest = memoryview(b"")
                if not rest:
                    process.stdin.close()
            for pipe in ready:
                if pipe == 0:
                    continue
                data = os.read(pipe, 1 << 20)
                if not data:
                    reading.remove(pipe)
                said[pipe] += data
                if pipe == err:
                    said[pipe] = said[pipe][-4000:]
                elif len(said[pipe]) > self.asked["largest"]:
                    return "what was made of it has more than %.0f MB" % (self.asked["largest"] / 1e6), b""
        if said[out]:
            return "", said[out]
        code = process.wait()
        if code == 127:
            return "there is no Python over there to open it with (`--python PATH` names one)", b""
        if code == 3:
            return "the Python over there is older than 3.6 (`--python PATH` names another one)", b""
        if code < 0:
            return "Python over there was ended by signal %d while it opened it" % -code, b""
        words = said[err].decode("utf-8", "replace").strip().splitlines()
        return "opening it over there failed: %s" % (
            words[-1][:300] if words else "exit status %d" % code
        ), b""


def listed(path: str) -> List[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def whole(path: str, seen: os.stat_result, grown: bool) -> bytes:
    """The file, or b"" where it is not the one that was seen, or was written meanwhile.

    `grown`: something writes it all the time, so that it may have become longer since it was seen.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    try:
        parts, left = [], seen.st_size
        while left > 0:
            part = os.read(handle, min(left, 1 << 20))
            if not part:
                return b""
            parts.append(part)
            left -= len(part)
        now = os.fstat(handle)
        same = sign_of(now) == sign_of(seen)
        return b"".join(parts) if same or (grown and now.st_ino == seen.st_ino) else b""
    finally:
        os.close(handle)


def main() -> None:
    head = b""
    while not head.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return
        head += part
    Follower(json.loads(head.decode("ascii"))).run()


if __name__ in ("__main__", "x11fwd_show"):
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt, GoneError):
        sys.exit(0)
