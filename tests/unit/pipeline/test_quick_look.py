"""The fast handshake of `x11fwd ssh` gives the answers of the thorough one in x11fwd.x11."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.unit.x11.fake_server import FakeServer, acceptance, read_exactly, read_setup, refusal
from x11fwd.pipeline.ssh.quick_look import look
from x11fwd.x11.authority import Record, find_cookie, read_authority, write_authority
from x11fwd.x11.client import handshake
from x11fwd.x11.display import parse_display

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.x11.fake_server import Script

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the fake server listens on an abstract socket"
)

HERE = os.uname().nodename
COOKIE = bytes(range(16))
NAME = b"MIT-MAGIC-COOKIE-1"


@contextmanager
def display(script: Script) -> Iterator[str]:
    """A display of this machine that no file shows: only the abstract socket is bound."""
    listener = socket.socket(socket.AF_UNIX)
    for number in range(40_000, 50_000):
        try:
            listener.bind(f"\0/tmp/.X11-unix/X{number}")
            break
        except OSError:
            continue
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    script(connection)
                except (EOFError, OSError):
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f":{number}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def both(value: str, environ: dict[str, str]) -> tuple[bool, bool]:
    """Whether the quick look and the thorough one find the display usable."""
    seen = look(value, environ, timeout=60.0)  # both answer at once, as fast as the machine is
    if seen is not None:
        seen.connection.close()
    name = parse_display(value)
    records = read_authority(environ["XAUTHORITY"]).records
    return seen is not None, handshake(name, find_cookie(records, name, HERE), 60.0).ok


def authority(folder: Path, *records: Record) -> dict[str, str]:
    write_authority(folder / "authority", records)
    return {"XAUTHORITY": str(folder / "authority")}


def only_with(cookie: bytes) -> Script:
    def serve(connection: socket.socket) -> None:
        order, name, data = read_setup(connection)
        if (name, data) == (NAME if cookie else b"", cookie):
            connection.sendall(acceptance(order))
            if connection.recv(16):  # the quick look asks for SECURITY at once
                connection.sendall(bytes([1, 0, 1]) + bytes(29))
                connection.recv(1)
        else:
            connection.sendall(refusal(order, "Invalid MIT-MAGIC-COOKIE-1 key"))

    return serve


@pytest.mark.parametrize("extensions", [{"SECURITY": 130}, {}])
def test_the_security_extension_is_seen(extensions: dict[str, int], tmp_path: Path) -> None:
    with display(security_server(present=bool(extensions))) as value:
        seen = look(value, authority(tmp_path), timeout=60.0)
        assert seen is not None
        assert seen.security is bool(extensions)
        seen.connection.close()


def security_server(*, present: bool) -> Script:
    def serve(connection: socket.socket) -> None:
        order, _, _ = read_setup(connection)
        connection.sendall(acceptance(order))
        request = read_exactly(connection, 8)
        assert request[0] == 98
        read_exactly(connection, 8)
        event = bytes([34]) + bytes(31)  # MappingNotify goes to everybody, unasked
        reply = bytes([1, 0, 1, 0, 0, 0, 0, 0, int(present), 130, 0, 0]) + bytes(20)
        connection.sendall(event + reply)
        connection.recv(1)

    return serve


@pytest.mark.parametrize(
    "record",
    [
        Record(256, HERE.encode(), b"NUMBER", NAME, COOKIE),
        Record(65535, b"", b"", NAME, COOKIE),
        Record(65535, b"", b"NUMBER", NAME, COOKIE),
        Record(256, b"another-name", b"NUMBER", NAME, COOKIE),
        Record(256, HERE.encode(), b"7", NAME, COOKIE),
        Record(256, HERE.encode(), b"NUMBER", b"XDM-AUTHORIZATION-1", COOKIE),
        Record(0, b"\x7f\0\0\1", b"NUMBER", NAME, COOKIE),
    ],
)
def test_the_cookie_is_the_one_that_libxcb_would_show(record: Record, tmp_path: Path) -> None:
    with display(only_with(COOKIE)) as value:
        number = record.number.replace(b"NUMBER", value[1:].encode())
        filed = Record(record.family, record.address, number, record.name, record.data)
        other = Record(256, HERE.encode(), b"1", NAME, bytes(16))
        quick, thorough = both(value, authority(tmp_path, other, filed))
    assert quick == thorough


def test_a_display_that_needs_no_cookie_is_entered_without_one(tmp_path: Path) -> None:
    with display(only_with(b"")) as value:
        assert both(value, authority(tmp_path)) == (True, True)


@pytest.mark.parametrize(
    "script",
    [
        lambda connection: connection.sendall(refusal("<", "Maximum number of clients reached")),
        lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        lambda connection: connection.sendall(b"\1\0\x0b\0\0\0\xff\xff"),
        lambda connection: connection.close(),
        lambda connection: connection.recv(4096) and connection.recv(1),
    ],
)
def test_anything_but_a_plain_yes_takes_the_long_road(script: Script, tmp_path: Path) -> None:
    with display(script) as value:
        assert look(value, authority(tmp_path), timeout=0.3) is None


@pytest.mark.parametrize(
    "value", ["", "nonsense", ":", ":x", "far.example.org:0", "[::1]:0", ":70000", "/tmp/x:0"]
)
def test_rare_forms_take_the_long_road(value: str, tmp_path: Path) -> None:
    assert look(value, authority(tmp_path)) is None


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\0\0\x05ab", bytes(3), b"\xff" * 40])
def test_a_damaged_authority_file_is_as_good_as_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "authority").write_bytes(data)
    with display(only_with(b"")) as value:
        assert both(value, {"XAUTHORITY": str(tmp_path / "authority")}) == (True, True)


def test_a_missing_authority_file_is_as_good_as_none(tmp_path: Path) -> None:
    with display(only_with(b"")) as value:
        assert look(value, {"HOME": str(tmp_path)}) is not None


def test_the_whole_fake_server_is_understood(tmp_path: Path) -> None:
    with display(FakeServer()) as value:
        assert both(value, authority(tmp_path)) == (True, True)
