"""Sends growing files through rotation and truncation to standard output; runs on the remote, Python 3.6.

Standard input: a line `ident offset check path` for each file and an empty line (ident and check are `-` at
first, check is hex of the bytes before the offset, each byte of the path is `\\0ooo`); its end ends us.
Output: `N file ident reason` (a file begins), `D file ident offset length` and that many bytes, `I file` (all
of it is read), `M file` (it is not there), `P` (still here), each with a line end.
"""

import os
import re
import select
import stat
import sys
import time
from typing import List, Optional, Tuple

CHUNK = 262144
CHECK = 64
PAUSE = 0.05
QUIET = 0.25  # seconds; a writer that has begun a new file may still finish a line of the old one
PING = 3.0
ROTATED = re.compile(r"[.\-_](\d[\d.\-_:T]*)$")


def send(head: str, data: bytes = b"") -> None:
    view = memoryview(("%s\n" % head).encode("ascii") + data)
    while view:
        view = view[os.write(1, view) :]


def ident_of(found: os.stat_result) -> str:
    # without the device, whose number may be another one after a file server was mounted again
    return "%d" % found.st_ino


def read_at(fd: int, size: int, offset: int) -> bytes:
    parts = []
    while size > 0:
        part = os.pread(fd, size, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)


class Followed:
    def __init__(self, number: int, wanted: str) -> None:
        ident, offset, check, path = wanted.split(" ")
        name = bytes(bytearray(int(code, 8) for code in path.split("\\")[1:]))
        self.number = number
        self.path = os.path.expanduser(os.fsdecode(name))
        self.ident = ident.replace("-", "")
        self.offset = int(offset)
        self.check = bytes.fromhex(check.replace("-", ""))
        self.fd = None  # type: Optional[int]
        self.told = ""
        self.quiet = time.monotonic()
        self.ended = False

    def tell(self, what: str) -> None:
        if self.told != what:
            self.told = what
            send("%s %d" % (what, self.number))

    def begin(self, fd: int, ident: str, reason: str) -> None:
        if self.fd is not None and self.fd != fd:
            os.close(self.fd)
        self.fd, self.ident, self.offset, self.check = fd, ident, 0, b""
        self.told = ""
        self.ended = False
        self.quiet = time.monotonic()
        send("N %d %s %s" % (self.number, ident, reason))

    def siblings(self) -> List[Tuple[str, str, int, float]]:
        """(path, ident, size, mtime) of this file and what rotation made of it, the oldest first."""
        last = self.look()
        for _ in range(20):
            now = self.look()
            if now == last:
                break
            last = now
        return [entry[1:] for entry in last]

    def look(self) -> "List[Tuple[Tuple[int, int, str], str, str, int, float]]":
        folder, base = os.path.split(self.path)
        found = []
        try:
            names = os.listdir(folder or ".")
        except OSError:
            names = [base]
        stem, dot, ending = base.rpartition(".")
        for name in names:
            if name == base:
                key = (1, 0, "")
            elif name.startswith(base) and ROTATED.match(name[len(base) :]):
                number = name[len(base) + 1 :]
                key = (0, -int(number), "") if number.isdigit() and len(number) < 7 else (0, 0, number)
            elif stem and name.startswith(stem) and name.endswith(dot + ending):
                middle = name[len(stem) : -len(ending) - 1]
                if not ROTATED.match(middle):
                    continue
                number = middle[1:]
                key = (0, -int(number), "") if number.isdigit() and len(number) < 7 else (0, 0, number)
            else:
                continue
            path = os.path.join(folder, name)
            try:
                seen = os.stat(path)
            except OSError:
                continue
            if stat.S_ISREG(seen.st_mode):
                found.append((key, path, ident_of(seen), seen.st_size, seen.st_mtime))
        return sorted(found)

    def fits(self, fd: int) -> bool:
        """Whether an open file holds what we have read so far, before the offset."""
        return read_at(fd, len(self.check), self.offset - len(self.check)) == self.check

    def open_again(self) -> Optional[bool]:
        """Take up the file that we were reading, wherever it is now; None where it was renamed meanwhile."""
        for path, ident, size, _mtime in self.siblings():
            if ident != self.ident:
                continue
            if size < self.offset:
                return False
            fd = self.open(path, ident)
            if fd is None:
                return None
            if self.fits(fd):
                self.fd = fd
                return True
            os.close(fd)
            return False
        return False

    def open_first(self) -> bool:
        if self.ident:
            for _ in range(9):
                found = self.open_again()
                if found:
                    return True
                if found is not None:
                    break
            if self.copied():
                return True
        fd = self.open(self.path, None)
        if fd is None:
            self.tell("M")
            return False
        self.begin(fd, ident_of(os.fstat(fd)), "lost" if self.ident else "start")
        return True

    def open(self, path: str, ident: Optional[str]) -> Optional[int]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return None
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode) or ident not in (None, ident_of(seen)):
            os.close(fd)
            return None
        return fd

    def copied(self) -> bool:
        """After copytruncate: the rest from the copy, then this file from its start. False without a copy."""
        if not self.check:
            return False
        for path, ident, size, _mtime in self.siblings():
            if ident == self.ident or size < self.offset:
                continue
            copy = self.open(path, ident)
            if copy is None:
                continue
            try:
                if not self.fits(copy):
                    continue
                while True:
                    data = read_at(copy, CHUNK, self.offset)
                    if not data:
                        break
                    self.deliver(data)
            finally:
                os.close(copy)
            fd = self.open(self.path, None)
            if fd is None:
                return False
            self.begin(fd, ident_of(os.fstat(fd)), "truncated")
            return True
        return False

    def deliver(self, data: bytes) -> None:
        send("D %d %s %d %d" % (self.number, self.ident, self.offset, len(data)), data)
        self.offset += len(data)
        self.check = (self.check + data)[-CHECK:]
        self.quiet = time.monotonic()
        self.told = ""

    def poll(self) -> bool:
        """Send what is new; True where something was."""
        if self.fd is None and not self.open_first():
            return False
        fd = self.fd
        if fd is None:
            return False
        had = len(self.check)
        data = read_at(fd, had + CHUNK, self.offset - had)
        if data[:had] != self.check:
            if not self.copied():
                self.begin(fd, self.ident, "truncated")
            return True
        if len(data) > had:
            self.deliver(data[had:])
            return True
        return self.at_end()

    def at_end(self) -> bool:
        try:
            now = os.stat(self.path)
        except OSError:
            self.tell("M")
            return False
        if ident_of(now) == self.ident:
            self.tell("I")
            return False
        if (now.st_size == 0 or time.monotonic() - self.quiet < QUIET) and not self.behind():
            return False
        if not self.ended:
            # whatever was written before the new file was is read once more
            self.ended = True
            return True
        return self.go_on()

    def behind(self) -> bool:
        """The file after this one is rotated away too: nobody writes here any more."""
        entries = self.siblings()
        idents = [entry[1] for entry in entries]
        return self.ident in idents and idents.index(self.ident) < len(idents) - 2

    def go_on(self) -> bool:
        entries = self.siblings()
        idents = [entry[1] for entry in entries]
        reason = "rotated"
        if self.ident in idents:
            rest = entries[idents.index(self.ident) + 1 :]
        else:
            last = 0.0 if self.fd is None else os.fstat(self.fd).st_mtime
            rest = [entry for entry in entries if entry[3] >= last]
            reason = "replaced"
        for path, ident, _size, _mtime in rest:
            fd = self.open(path, ident)
            if fd is not None:
                self.begin(fd, ident, reason)
                return True
            break
        return False


def main() -> None:
    head = b""
    while head != b"\n" and not head.endswith(b"\n\n"):
        part = os.read(0, 65536)
        if not part:
            return
        head += part
    files = [Followed(number, wanted) for number, wanted in enumerate(head.decode("ascii").split("\n")[:-2])]
    pinged = time.monotonic()
    send("P")
    watch = select.poll()
    watch.register(0, select.POLLIN | select.POLLHUP)
    while True:
        busy = False
        for one in files:
            busy = one.poll() or busy
        if time.monotonic() - pinged > PING:
            pinged = time.monotonic()
            send("P")
        if watch.poll(0 if busy else PAUSE * 1000) and not os.read(0, 4096):
            return


try:
    main()
except (BrokenPipeError, KeyboardInterrupt):
    sys.exit(0)
