"""Finds the remote half, or takes it in, and runs it; sent to the remote by `starter`: Python 3.6.

Arguments: the program's digest, `kept` or `sent`, the nonce of the block, the cache folder, the runtime
folder, then what `main` gets with the runtime folder: the display number wanted and the token. starter.py
describes the protocol; this process ends with 0, or with 70 after a sentence on standard error.
"""

import os
import sys
from typing import List, Tuple

MODULE = "x11fwd_half"
MARK = b"\nX11FWD-BRIDGE-"
SOURCE_LIMIT = 1 << 20  # bytes, packed or not
EARLY_LIMIT = 1 << 22  # bytes of the link before the block
PIECE = 4096
HALVES_KEPT = 3  # of other versions, beside this one
FAULT = 70  # exit status: sysexits.h, EX_SOFTWARE


def said(words: bytes) -> None:
    """One line for the local side."""
    os.write(1, MARK + words + b"\n")


def sha256(data: bytes) -> str:
    """In hexadecimal; hashlib loads OpenSSL, which takes 2 ms."""
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return str(__import__(name).sha256(data).hexdigest())
        except ImportError:
            continue
    raise ImportError("this Python has no SHA-256")


def half_folder(folder: str, digest: str) -> str:
    """Where a program is kept, in one of the two places for it."""
    return "%s/half-%s" % (folder, digest[:32])


def kept_where(folders: "List[str]", digest: str) -> str:
    """The folder that has exactly this program, in which only we write; empty if there is none."""
    for folder in folders:
        path = half_folder(folder, digest)
        try:
            status = os.stat(path)
            with open("%s/%s.py" % (path, MODULE), "rb") as file:
                data = file.read(SOURCE_LIMIT)
        except OSError:
            continue
        if status.st_uid == os.geteuid() and not status.st_mode & 0o022 and sha256(data) == digest:
            return path
    return ""


def keep(folders: "List[str]", digest: str, source: bytes) -> str:
    """Write the program down in the first folder that takes it; where, or empty."""
    for folder in folders:
        path = half_folder(folder, digest)
        temporary = "%s/%s.%d" % (path, MODULE, os.getpid())
        try:
            os.makedirs(path, 0o700, exist_ok=True)
            os.chmod(path, 0o700)
            try:
                with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(source)
                os.rename(temporary, "%s/%s.py" % (path, MODULE))
            except OSError:
                os.unlink(temporary)
                os.rmdir(path)
                raise
        except OSError:
            continue
        if kept_where([folder], digest):  # not ours where the folder was there and is somebody else's
            drop_old(folder, path)
            return path
    return ""


def drop_old(folder: str, path: str) -> None:
    """Remove the programs of versions that were not kept lately."""
    try:
        halves = [
            (os.stat(one.path).st_mtime, one.path)
            for one in os.scandir(folder)
            if one.name.startswith("half-") and one.path != path
        ]
        for _, old in sorted(halves)[:-HALVES_KEPT]:
            for place in (old + "/__pycache__", old):
                for name in os.listdir(place) if os.path.isdir(place) else ():
                    if name != "__pycache__":
                        os.unlink("%s/%s" % (place, name))
                if os.path.isdir(place):
                    os.rmdir(place)
    except OSError:
        return


def receive(nonce: bytes) -> "Tuple[bytes, bytes]":
    """The program from standard input, and what of the link came before it.

    Raises:
        EOFError: standard input ended.
        ValueError: there is no block of ours in it.
    """
    from zlib import decompressobj

    mark = b"\nX11FWD-BRIDGE-SOURCE " + nonce + b" "
    data = bytearray(b"\n")  # the block may be the first of all
    at = end = -1
    while end < 0:
        piece = os.read(0, PIECE)
        if not piece:
            raise EOFError("the line ended")
        start = max(0, len(data) - len(mark))
        data += piece
        if at < 0:
            at = data.find(mark, start)
        if at >= 0:
            end = data.find(b"\n", at + len(mark), at + len(mark) + 10)
        if len(data) > EARLY_LIMIT:
            raise ValueError("no program came")
    size = int(data[at + len(mark) : end])
    if size > SOURCE_LIMIT:
        raise ValueError("a program of %d bytes came" % size)
    early = bytes(data[1:at])
    del data[: end + 1]
    while len(data) < size:
        piece = os.read(0, size - len(data))  # what follows is the link's
        if not piece:
            raise EOFError("the line ended")
        data += piece
    return decompressobj().decompress(bytes(data[:size]), SOURCE_LIMIT), early + bytes(data[size:])


def start(argv: "List[str]") -> int:
    """Find or take in the program and run it; the exit status."""
    digest, mode, nonce, cache, folder = argv[:5]
    os.umask(0o077)
    folders = [one for one in (cache, folder) if one.startswith("/")]
    early = b""
    try:
        path = kept_where(folders, digest)
        source = b""
        if mode == "sent" or not path:
            if mode != "sent":
                said(b"SEND")
            source, early = receive(nonce.encode("ascii"))
            if sha256(source) != digest:
                said(b"NONE damaged")
                return FAULT
            path = path or keep(folders, digest, source)
            said(b"KEPT" if path else b"UNKEPT")
        sys.path[:] = [one for one in sys.path if one] + [path] * bool(path)  # not the current folder
        if path:
            names = vars(__import__(MODULE))
        else:
            names = {"__name__": MODULE}
            exec(compile(source, MODULE, "exec"), names)  # noqa: S102  this is what it is for
        main = names["main"]
    except EOFError:
        return 0
    except Exception as error:  # noqa: BLE001  whatever it is, the local side must hear of it
        text = "%s: %s" % (type(error).__name__, error)
        said(b"NONE failed " + ascii(text)[1:200].encode("ascii"))
        return FAULT
    try:
        return FAULT if main([folder] + argv[5:], early) else 0
    except Exception as error:  # noqa: BLE001  the local side shows it
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "%s, line %d" % (trace.tb_frame.f_code.co_name, trace.tb_lineno) if trace else "?"
        text = "x11fwd: the remote half broke in %s: %s: %s\n" % (place, type(error).__name__, error)
        sys.stderr.write(text)
        return FAULT


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
