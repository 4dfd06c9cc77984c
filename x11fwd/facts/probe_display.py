"""One X11 handshake as a program on the remote would make it; part of what probe_python.py sends, runs on 3.6."""

# It runs on the remote, where os.path costs less to import than pathlib.
# ruff: noqa: B904, E501, PTH111, PTH118, S108, TRY301, UP006, UP031, UP035, UP045

import sys
from typing import Any, Dict, List, Optional, Tuple

HANDSHAKE_SECONDS = 10.0
ECHO_SECONDS = 0.03


def cookie_entries(path: str) -> "List[Tuple[int, bytes, bytes, bytes, bytes]]":
    """The records of an authority file: family, address, number, name, data (libXau, AuRead.c)."""
    with open(path, "rb") as file:
        data = file.read(1 << 20)
    found = []
    at = 0
    while at + 2 <= len(data):
        family = int.from_bytes(data[at : at + 2], "big")
        at += 2
        fields = []
        for _ in range(4):
            size = int.from_bytes(data[at : at + 2], "big")
            fields.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        if at > len(data):
            break
        found.append((family, fields[0], fields[1], fields[2], fields[3]))
    return found


def shown(family: int, address: bytes, number: bytes, name: bytes, data: bytes) -> str:
    """As `xauth list` names it; the cookie stays out."""
    del name, data
    if family == 256:
        return "%s/unix:%s" % (address.decode("utf-8", "replace"), number.decode("ascii", "replace"))
    return "#%04x#%s#:%s" % (family, address.hex(), number.decode("ascii", "replace"))


def connect(display: str) -> "Tuple[Any, str, str]":
    """A socket to the display, its number, and the host part (libxcb, xcb_util.c, _xcb_open)."""
    import os
    import socket

    if display.startswith("/"):
        paths, host, number = [display], "", "0"
    else:
        host, _, rest = display.rpartition(":")
        number = rest.split(".")[0]
        host = host.rpartition("/")[2]
        int(number)
        paths = ["\0/tmp/.X11-unix/X" + number, "/tmp/.X11-unix/X" + number] if host in ("", "unix") else []
    failure: Optional[OSError] = None
    for path in paths:
        if path[0] == "\0" and not sys.platform.startswith("linux"):
            continue
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(HANDSHAKE_SECONDS)
            made.connect(path)
            return made, number, ""
        except OSError as error:
            made.close()
            failure = error
    if paths:
        raise OSError("connect %s: %s" % (paths[-1], failure.strerror if failure else os.strerror(2)))
    bare = host[1:-1] if host.startswith("[") else host
    try:
        return socket.create_connection((bare, 6000 + int(number)), HANDSHAKE_SECONDS), number, bare
    except OSError as error:
        raise OSError("connect %s port %d: %s" % (bare, 6000 + int(number), error.strerror or error))


def choose(
    entries: "List[Tuple[int, bytes, bytes, bytes, bytes]]", made: "Any", number: str
) -> "Tuple[bytes, bytes]":
    """The cookie that libxcb would show (xcb_auth.c, get_authptr): FamilyLocal for this machine, else the address."""
    import os
    import socket

    peer = made.getpeername()
    here = (256, os.fsencode(socket.gethostname()))
    if made.family == socket.AF_UNIX:
        wanted = here
    else:
        packed = socket.inet_pton(made.family, peer[0].partition("%")[0])
        if len(packed) == 16 and packed.startswith(b"\0" * 10 + b"\xff\xff"):
            packed = packed[12:]
        loopback = packed in (b"\x7f\0\0\1", b"\0" * 15 + b"\1")
        wanted = here if loopback else (0 if len(packed) == 4 else 6, packed)
    for family, address, shown, name, data in entries:
        if (
            name == b"MIT-MAGIC-COOKIE-1"
            and shown in (b"", number.encode())
            and (family == 65535 or (family, address) == wanted)
        ):
            return name, data
    return b"", b""


def echoes(made: "Any", rest: int) -> "List[float]":
    """Round trips of the smallest question there is, GetInputFocus; on a near display only, where each is noise.

    `rest` bytes of the setup's answer come first.
    """
    import time

    found: List[float] = []
    end = time.monotonic() + ECHO_SECONDS
    waited = 0.0
    try:
        while len(found) < 5 and time.monotonic() + waited < end:
            start = time.monotonic()
            if not rest:
                made.sendall(b"\x2b\0\1\0")
            left = rest or 32
            while left:
                more = made.recv(left)
                if not more:
                    return found
                left -= len(more)
            waited = time.monotonic() - start
            if not rest:
                found.append(waited)
            rest = 0
    except OSError:
        pass
    return found


def handshake() -> "Dict[str, object]":
    """One X11 connection setup through DISPLAY, as a program of the user's would do it (X protocol, chapter 8)."""
    import os
    import struct
    import time

    display = os.environ.get("DISPLAY")
    path = os.environ.get("XAUTHORITY")
    if path is None:
        path = os.path.join(os.path.expanduser("~"), ".Xauthority")
    answer: Dict[str, object] = {"display": display, "authority": path}
    if not display:
        return answer
    entries: List[Tuple[int, bytes, bytes, bytes, bytes]] = []
    try:
        entries = cookie_entries(path)
        answer["entries"] = [shown(*entry) for entry in entries]
    except OSError as error:
        answer["authority_problem"] = error.strerror or str(error)
    start = time.monotonic()
    try:
        made, number, _ = connect(display)
    except (OSError, ValueError) as error:
        answer["problem"] = (
            str(error) if isinstance(error, OSError) else "DISPLAY %r has no display number" % display
        )
        return answer
    with made:
        made.settimeout(HANDSHAKE_SECONDS)
        name, data = choose(entries, made, number)
        answer["cookie"] = bool(data)
        without = "" if data else "; %s has no cookie for it" % path
        try:
            made.sendall(
                struct.pack("<BxHHHH2x", 0x6C, 11, 0, len(name), len(data))
                + name
                + b"\0" * (-len(name) % 4)
                + data
                + b"\0" * (-len(data) % 4)
            )
            head = b""
            while len(head) < 8:
                more = made.recv(8 - len(head))
                if not more:
                    raise EOFError
                head += more
            if head[0] == 1:
                answer["ok"] = True
                # a channel is opened, then the server answers (RFC 4254, 6.3.2)
                trip = (time.monotonic() - start) / 2
                if trip < ECHO_SECONDS / 2:
                    trip = min([trip, *echoes(made, struct.unpack("<H", head[6:8])[0] * 4)])
                answer["trip"] = round(trip, 5)
                return answer
            reason = b""
            while len(reason) < head[1]:
                more = made.recv(head[1] - len(reason))
                if not more:
                    break
                reason += more
            answer["problem"] = reason.decode("utf-8", "replace").strip() + without
        except EOFError:
            answer["problem"] = "the connection was closed without an answer" + without
        except OSError as error:
            # socket.timeout has no strerror
            answer["problem"] = (
                "no answer within %d s" % HANDSHAKE_SECONDS if not error.strerror else error.strerror
            )
    return answer
