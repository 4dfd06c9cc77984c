"""x11fwd.x11 against the real thing: Xvfb, xauth, libxcb, libXau, Tk, and ssh in between."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.lab.runs import wait_for
from tests.lab.sandbox_sshd import SandboxSshd
from tests.lab.screen import Screen
from x11fwd.errors import DisplayError
from x11fwd.x11.authority import (
    FAMILY_INTERNET,
    FAMILY_INTERNET6,
    FAMILY_LOCAL,
    FAMILY_WILD,
    MAGIC_COOKIE,
    Cookie,
    Record,
    find_cookie,
    find_record,
    local_record,
    read_authority,
    write_authority,
)
from x11fwd.x11.client import HandshakeStatus, connect, handshake
from x11fwd.x11.display import MalformedDisplayError, parse_display
from x11fwd.x11.faults import BadMatchError, BadWindowError, DisplayLostError
from x11fwd.x11.find import Patch, find_patches, find_window, wait_for_patches, wait_for_window, window_image
from x11fwd.x11.wire import ByteOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab.person import Person
    from x11fwd.x11.connection import Connection

LIMIT = 90.0  # seconds; far more than a window takes on a machine under load
BOTH = pytest.mark.parametrize("order", list(ByteOrder), ids=["little", "big"])
RED, GREEN, NIGHT = (0xFF, 0, 0), (0, 0xC0, 0x80), (0x12, 0x34, 0x56)

# One line comes back when the window is there (painted or not); the program ends when its input does.
TK = """
import sys, tkinter
root = tkinter.Tk(); root.title(sys.argv[1]); root.geometry(sys.argv[2])
canvas = tkinter.Canvas(root, width=300, height=200, bg="#123456", highlightthickness=0); canvas.pack()
canvas.create_rectangle(10, 20, 110, 70, fill="#ff0000", width=0)
canvas.create_rectangle(150, 100, 200, 150, fill="#00c080", width=0)
root.update(); print("mapped", flush=True)
root.createfilehandler(sys.stdin, tkinter.READABLE, lambda *_: root.destroy())
root.mainloop()
"""


@pytest.fixture
def new_screen(lab: ExitStack) -> Iterator[Callable[..., Screen]]:
    with ExitStack() as stack:

        def make(*arguments: str, **more: bool | list[str]) -> Screen:
            return stack.enter_context(Screen(*arguments, **more))  # type: ignore[arg-type]

        yield make


@contextmanager
def tk_window(screen: Screen, title: str, geometry: str = "") -> Iterator[subprocess.Popen[str]]:
    """A Tk window of 300x200 with two patches, from the system's own Python."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **screen.env()}
    argv = ["/usr/bin/python3", "-c", TK, title, geometry]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "mapped\n"
            yield process
        finally:
            process.kill()


def good(screen: Screen) -> Cookie:
    return Cookie.from_hex(screen.cookie)


def opened(screen: Screen, order: ByteOrder = ByteOrder.LITTLE) -> Connection:
    return connect(parse_display(screen.display), good(screen), LIMIT, order=order)


# The handshake


@BOTH
def test_the_right_cookie_opens_the_screen(screen: Screen, order: ByteOrder) -> None:
    asked = ["SECURITY", "MIT-SHM", "RENDER", "NO-SUCH-THING"]
    found = handshake(parse_display(screen.display), good(screen), LIMIT, extensions=asked, order=order)
    assert found.status is HandshakeStatus.OK
    assert found.extensions == frozenset(asked[:3])
    assert found.vendor == "The X.Org Foundation"
    assert found.release > 0
    assert found.setup
    assert (found.setup.screens[0].width, found.setup.screens[0].height) == (1280, 800)


@BOTH
def test_a_wrong_cookie_is_refused_in_the_server_s_words(screen: Screen, order: ByteOrder) -> None:
    found = handshake(parse_display(screen.display), Cookie(secrets.token_bytes(16)), LIMIT, order=order)
    assert found.status is HandshakeStatus.WRONG_COOKIE
    assert found.reason == "Invalid MIT-MAGIC-COOKIE-1 key"


@BOTH
def test_no_cookie_is_refused_in_the_server_s_words(screen: Screen, order: ByteOrder) -> None:
    found = handshake(parse_display(screen.display), None, LIMIT, order=order)
    assert found.status is HandshakeStatus.NO_COOKIE
    assert found.reason == "Authorization required, but no authorization protocol specified"


def test_a_method_that_the_server_does_not_know_is_refused_in_its_words(screen: Screen) -> None:
    cookie = Cookie(b"x" * 16, "NO-SUCH-METHOD-1")
    found = handshake(parse_display(screen.display), cookie, LIMIT)
    assert found.status is HandshakeStatus.REJECTED
    assert found.reason == "Authorization protocol not supported by server"


def test_the_cookie_comes_out_of_the_authority_file(screen: Screen) -> None:
    records = read_authority(screen.authority).records
    display = parse_display(screen.display)
    assert handshake(display, find_cookie(records, display, socket.gethostname()), LIMIT).ok


def test_extensions_that_were_turned_off_are_absent(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(without=["SECURITY", "MIT-SHM"])
    asked = ["SECURITY", "MIT-SHM", "RENDER"]
    found = handshake(parse_display(screen.display), good(screen), LIMIT, extensions=asked)
    assert found.extensions == frozenset({"RENDER"})


def test_a_server_that_is_gone_leaves_no_socket(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen()
    with opened(screen) as connection:
        screen.stop()
        with pytest.raises(DisplayLostError):
            connection.round_trip()
    found = handshake(parse_display(screen.display), good(screen), LIMIT)
    assert found.status is HandshakeStatus.NO_SOCKET


def test_a_full_server_says_so(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(options=["-maxclients", "64"])
    found = handshake(parse_display(screen.display), good(screen), LIMIT)
    with ExitStack() as stack:
        for _ in range(64):
            found = handshake(parse_display(screen.display), good(screen), LIMIT)
            if not found.ok:
                break
            stack.enter_context(opened(screen))
    assert found.status is HandshakeStatus.SERVER_FULL
    assert found.reason == "Maximum number of clients reached"


def test_a_server_that_hangs_is_a_timeout(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen()
    os.kill(screen.process.pid, 19)  # SIGSTOP: the kernel still takes connections, as with a hung XQuartz
    try:
        found = handshake(parse_display(screen.display), good(screen), 0.3)
    finally:
        os.kill(screen.process.pid, 18)
    assert found.status is HandshakeStatus.TIMEOUT
    assert found.seconds < 5


def test_the_second_screen_is_there_and_the_third_is_not(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(options=["-screen", "1", "640x480x24"])
    second = parse_display(f"{screen.display}.1")
    with connect(second, good(screen), LIMIT) as connection:
        assert (connection.screen.width, connection.screen.height) == (640, 480)
    found = handshake(parse_display(f"{screen.display}.2"), good(screen), LIMIT)
    assert found.status is HandshakeStatus.NO_SCREEN


def test_through_ssh_a_wrong_cookie_is_an_end_of_file_and_the_right_one_opens(person: Person) -> None:
    """sshd hands out a cookie of its own; its client checks it and hangs up without an X11 answer."""
    with SandboxSshd(person, "X11Forwarding yes") as sshd:
        person.write(".ssh/known_hosts", sshd.known_hosts_line)
        command = "echo $DISPLAY; xauth list $DISPLAY; cat"
        process = person.popen(["ssh", "-Y", "-p", str(sshd.port), sshd.address, command])
        try:
            assert process.stdout
            display = parse_display(process.stdout.readline().decode().strip())
            cookie = Cookie.from_hex(process.stdout.readline().split()[-1].decode())
            assert display.number >= 10
            assert handshake(display, Cookie(b"w" * 16), LIMIT).status is HandshakeStatus.CLOSED
            assert handshake(display, None, LIMIT).status is HandshakeStatus.CLOSED
            assert handshake(display, cookie, LIMIT).status is HandshakeStatus.OK
        finally:
            process.communicate(timeout=LIMIT)
        # sshd closes the listening socket a moment after its client has gone
        wait_for(
            lambda: handshake(display, cookie, LIMIT).status is HandshakeStatus.CONNECTION_REFUSED,
            limit=LIMIT,
            what="sshd to close the display",
        )


# Windows and pixels


@pytest.mark.parametrize(("depth", "tolerance"), [(16, 8), (24, 0), (30, 0)])
@BOTH
def test_a_tk_window_is_found_and_its_pixels_are_right(
    new_screen: Callable[..., Screen], depth: int, tolerance: int, order: ByteOrder, tmp_path: Path
) -> None:
    screen = new_screen(f"1280x800x{depth}")
    title = "Köln → plot"
    with tk_window(screen, title, "300x200+40+30") as process, opened(screen, order) as connection:
        seen = wait_for_patches(connection, title, {RED: 5000, GREEN: 2500}, LIMIT, tolerance=tolerance)
        assert seen
        window, image = seen.window, seen.image
        assert (window.x, window.y, window.width, window.height) == (40, 30, 300, 200)
        found = find_patches(image, [RED, GREEN, NIGHT], tolerance)
        assert found[RED] == Patch(5000, 10, 20, 110, 70)
        assert found[GREEN] == Patch(2500, 150, 100, 200, 150)
        assert found[NIGHT].area == 300 * 200 - 5000 - 2500

        root = connection.get_image(connection.screen.root, 0, 0, 1280, 800)
        assert find_patches(root, [RED], tolerance)[RED] == Patch(5000, 50, 50, 150, 100)

        image.write_png(tmp_path / "shot.png")
        shown = subprocess.run(
            ["convert", tmp_path / "shot.png", "-crop", "1x1+50+50", "-depth", "8", "rgb:-"],
            capture_output=True,
            check=True,
        ).stdout
        assert all(abs(got - want) <= tolerance for got, want in zip(shown, RED, strict=True))

        process.kill()
        process.wait()
        with pytest.raises(BadWindowError):
            wait_until_gone(connection, window.window_id)
        assert find_window(connection, title) is None


def wait_until_gone(connection: Connection, window: int) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        connection.attributes(window)
        time.sleep(0.01)


def test_a_window_that_sticks_out_is_seen_as_far_as_the_screen_goes(screen: Screen) -> None:
    with tk_window(screen, "at the edge", "300x200+1160+780"), opened(screen) as connection:
        window = wait_for_window(connection, "at the edge", LIMIT)
        assert window
        with pytest.raises(BadMatchError):
            connection.get_image(window.window_id, 0, 0, window.width, window.height)
        image = window_image(connection, window)
        assert (image.width, image.height) == (120, 20)
        seen = wait_for_patches(connection, "at the edge", {NIGHT: 120 * 20}, LIMIT)
        assert seen
        assert seen.complete


def test_of_a_covered_window_only_what_can_be_seen_is_given(screen: Screen) -> None:
    with (
        tk_window(screen, "below", "300x200+0+0"),
        tk_window(screen, "above", "300x200+60+0"),
        opened(screen) as connection,
    ):
        above = wait_for_patches(connection, "above", {RED: 5000}, LIMIT)
        assert above
        assert above.complete
        # Xorg blanks the covered part: neither the window's own red nor that of the other from 70 to 170.
        below = wait_for_patches(connection, "below", {RED: 50 * 50}, LIMIT)
        assert below
        assert below.patches[RED] == Patch(50 * 50, 10, 20, 60, 70)


def test_a_window_that_opens_late_is_waited_for(screen: Screen) -> None:
    with opened(screen) as connection:
        assert find_window(connection, "late") is None
        env = {"PATH": os.environ["PATH"], **screen.env()}
        argv = ["/usr/bin/python3", "-c", TK, "late", ""]
        with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                assert wait_for_window(connection, "late", LIMIT)
            finally:
                process.kill()


def test_a_screen_of_256_colours_is_refused_in_words(new_screen: Callable[..., Screen]) -> None:
    with (
        opened(new_screen("640x480x8")) as connection,
        pytest.raises(DisplayError, match="colour map"),
    ):
        connection.get_image(connection.screen.root, 0, 0, 10, 10)


def test_our_window_list_is_xwininfo_s(screen: Screen) -> None:
    with tk_window(screen, "listed"), opened(screen) as connection:
        listed = screen.windows()
        for window in connection.windows():
            assert f"0x{window:x}" in listed


# Against the libraries and programs whose rules these are


def test_xauth_writes_what_we_read_and_reads_what_we_write(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    keys = {name: secrets.token_hex(16) for name in (":0", "host9/unix:10", "192.0.2.7:1", "[2001:db8::7]:2")}
    for name, key in keys.items():
        subprocess.run(["xauth", "-q", "-f", theirs, "add", name, ".", key], check=True, capture_output=True)
    found = read_authority(theirs).records
    assert [one.cookie.data.hex() for one in found] == list(keys.values())
    assert [one.family for one in found] == [FAMILY_LOCAL, FAMILY_LOCAL, FAMILY_INTERNET, FAMILY_INTERNET6]
    write_authority(ours, found)
    assert ours.read_bytes() == theirs.read_bytes()
    argv = ["xauth", "-n", "-f", str(ours), "list"]
    listed = subprocess.run(argv, check=True, capture_output=True, text=True)
    expected = [f"{one.display}  {MAGIC_COOKIE}  {one.cookie.data.hex()}" for one in found]
    assert listed.stdout.splitlines() == expected


DISPLAYS = [
    ":0", ":0.1", ":00", "unix:0", "unix/:0", "unix/foo:0", "localhost:10.0", "host:1.2", "[::1]:0", "::1:0",
    "tcp/host:0", "inet6/host:3", "host::0", "a:b:1", "", "foo", ":abc", ":0.", ":0.x", ":0.1.2", "tcp/:0",
]  # fmt: skip


@pytest.mark.parametrize("text", DISPLAYS)
def test_a_display_is_parsed_as_libxcb_itself_parses_it(text: str) -> None:
    library = ctypes.CDLL("libxcb.so.1")
    host, number, screen = ctypes.c_char_p(), ctypes.c_int(-1), ctypes.c_int(-1)
    parsed = library.xcb_parse_display(
        text.encode(), ctypes.byref(host), ctypes.byref(number), ctypes.byref(screen)
    )
    if not parsed:
        with pytest.raises(MalformedDisplayError):
            parse_display(text)
        return
    ours = parse_display(text)
    assert (ours.host.encode(), ours.number, ours.screen) == (host.value, number.value, screen.value)


# libXau reads XAUTHORITY with getenv() at each call; a process of its own keeps that out of this one.
ASK_LIBXAU = """
import ctypes, json, sys
class Auth(ctypes.Structure):
    _fields_ = [(name, kind) for part in ("address", "number", "name", "data")
                for name, kind in ((part + "_length", ctypes.c_ushort), (part, ctypes.c_void_p))]
    _fields_.insert(0, ("family", ctypes.c_ushort))
library = ctypes.CDLL("libXau.so.6")
ask = library.XauGetBestAuthByAddr
ask.restype = ctypes.POINTER(Auth)
name = b"MIT-MAGIC-COOKIE-1"
names, lengths = (ctypes.c_char_p * 1)(name), (ctypes.c_int * 1)(len(name))
out = []
for family, address, number in json.load(sys.stdin):
    address, number = bytes.fromhex(address), number.encode()
    found = ask(ctypes.c_ushort(family), ctypes.c_ushort(len(address)), address,
                ctypes.c_ushort(len(number)), number, 1, names, lengths)
    out.append(ctypes.string_at(found.contents.data, found.contents.data_length).hex() if found else None)
print(json.dumps(out))
"""


def test_the_cookie_is_chosen_as_libxau_itself_chooses_it(tmp_path: Path) -> None:
    far = socket.inet_pton(socket.AF_INET, "192.0.2.7")
    far6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    mit = MAGIC_COOKIE.encode()
    records = [
        Record(FAMILY_LOCAL, b"old-name", b"0", mit, b"\1"),
        Record(FAMILY_LOCAL, b"desk", b"0", b"XDM-AUTHORIZATION-1", b"\2"),
        Record(FAMILY_LOCAL, b"desk", b"0", mit, b"\3"),
        Record(FAMILY_LOCAL, b"desk", b"0", mit, b"\4"),
        Record(FAMILY_INTERNET, far, b"1", mit, b"\5"),
        Record(FAMILY_INTERNET6, far6, b"1", mit, b"\6"),
        Record(FAMILY_WILD, b"", b"2", mit, b"\7"),
        Record(FAMILY_LOCAL, b"desk", b"2", mit, b"\x08"),
        Record(FAMILY_LOCAL, b"desk", b"", mit, b"\x09"),
        Record(FAMILY_INTERNET, far, b"3", mit, b"\x0a"),
    ]
    path = tmp_path / "auth"
    write_authority(path, records)
    local = (FAMILY_LOCAL, b"desk")
    cases: list[tuple[str, str | None, tuple[int, bytes]]] = [(f":{n}", None, local) for n in range(4)]
    cases += [(f"far:{n}", "192.0.2.7", (FAMILY_INTERNET, far)) for n in range(4)]
    cases += [(f"far:{n}", "2001:db8::7", (FAMILY_INTERNET6, far6)) for n in range(4)]
    cases += [(f"localhost:{n}", "127.0.0.1", local) for n in range(4)]
    asked = [(key[0], key[1].hex(), text.rpartition(":")[2]) for text, _, key in cases]
    env = {"PATH": os.environ["PATH"], "XAUTHORITY": str(path)}
    argv = ["/usr/bin/python3", "-c", ASK_LIBXAU]
    for length in (path.stat().st_size, path.stat().st_size - 5):  # whole, and cut inside the last record
        os.truncate(path, length)
        done = subprocess.run(
            argv, env=env, input=json.dumps(asked), capture_output=True, text=True, check=True
        )
        kept = read_authority(path).records
        ours = [find_record(kept, parse_display(text), "desk", peer=peer) for text, peer, _ in cases]
        assert [one.data.hex() if one else None for one in ours] == json.loads(done.stdout)


def test_a_local_record_of_ours_lets_an_x_program_in(screen: Screen, tmp_path: Path) -> None:
    number = parse_display(screen.display).number
    write_authority(tmp_path / "auth", [local_record(socket.gethostname(), number, good(screen).data)])
    env = {"PATH": os.environ["PATH"], "DISPLAY": screen.display, "XAUTHORITY": str(tmp_path / "auth")}
    assert subprocess.run(["xdpyinfo"], env=env, capture_output=True, check=False).returncode == 0
