"""Programs over the bridge while keyboard, screen and windows change; both orders, large, many, hostile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.lab.bridge_pair import CHECKOUT, BridgePair
from tests.lab.manager import Manager
from tests.lab.plain_program import PlainProgram, RefusedError, open_display
from tests.lab.screen import Screen
from x11fwd.bridge.session.trust import Screen as TrustScreen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

BOTH = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
CONFIGURE_NOTIFY, MAPPING_NOTIFY = 22, 34
GET_MAPPING, CHANGE_MAPPING, SET_MODIFIERS, GET_MODIFIERS = 101, 100, 118, 119

# Ends in the middle of a ChangeProperty of 20 kB.
KILLED = """
import os
from tests.lab.plain_program import PlainProgram
program = PlainProgram(os.environ)
program.socket.sendall(program.pack("BBHI", 18, 0, 5000, 1) + bytes(777))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def desk(lab: ExitStack) -> Iterator[tuple[Screen, BridgePair]]:
    with Screen() as screen, BridgePair(screen) as pair:
        yield screen, pair


def unnumbered(packet: bytes) -> bytes:
    return packet[:2] + b"\0\0" + packet[4:]


def keyboard(program: PlainProgram) -> tuple[bytes, bytes]:
    first, last = program.setup.first_keycode, program.setup.last_keycode
    keys = program.ask(GET_MAPPING, program.pack("BBxx", first, last - first + 1))
    return unnumbered(keys), unnumbered(program.ask(GET_MODIFIERS))


def remap(program: PlainProgram, keysym: int) -> None:
    """Key 38 means `keysym`, and key 77 (Num Lock) is no longer a modifier, or again."""
    program.send(CHANGE_MAPPING, program.pack("BBxxII", 38, 2, keysym, keysym + 1), second=1)
    keys = bytearray(program.ask(GET_MODIFIERS)[32:])
    if 77 in keys:
        keys[keys.index(77)] = 0
    else:
        keys[4 * len(keys) // 8] = 77  # Mod2
    assert program.ask(SET_MODIFIERS, bytes(keys), second=len(keys) // 8)[1] == 0


@BOTH
@pytest.mark.parametrize("by_itself", [False, True])
def test_a_keyboard_that_is_remapped_is_seen_at_once(
    order: str, by_itself: bool, desk: tuple[Screen, BridgePair]
) -> None:
    screen, pair = desk
    with PlainProgram(pair.env(), order) as far, PlainProgram(screen.env(), order) as near:
        before = keyboard(far)
        assert before == keyboard(near)
        for keysym in (0x7A0, 0x6C1):
            remap(far if by_itself else near, keysym)
            kinds = {far.event(MAPPING_NOTIFY)[4] for _ in range(2)}
            assert kinds == {0, 1}  # Modifier, Keyboard
            after = keyboard(far)
            assert after != before
            assert after == keyboard(near)
            before = after


def screen_size(program: PlainProgram) -> list[bytes]:
    """GetGeometry, RRGetScreenInfo, RRGetScreenResourcesCurrent, RRGetScreenSizeRange, Xinerama's screens."""
    root = program.pack("I", program.root.root)
    randr, _ = program.extension("RANDR")
    xinerama, _ = program.extension("XINERAMA")
    asked = [program.ask(14, root)]
    asked += [program.ask(randr, root, second=minor) for minor in (5, 25, 6)]
    asked.append(program.ask(xinerama, second=5))
    return [unnumbered(one) for one in asked]


@BOTH
def test_a_screen_that_changes_its_size_is_seen_at_once(order: str, desk: tuple[Screen, BridgePair]) -> None:
    screen, pair = desk
    sizes = [(640, 480), (1024, 768), (1280, 800)]
    for width, height in sizes[:2]:
        mode = f"{width}x{height}"
        numbers = [25, *(width + at for at in (0, 16, 96, 160)), *(height + at for at in (0, 10, 12, 45))]
        screen.run(["xrandr", "--newmode", mode, *map(str, numbers)])
        assert screen.run(["xrandr", "--addmode", "screen", mode]).returncode == 0
    with PlainProgram(pair.env(), order) as far, PlainProgram(screen.env(), order) as near:
        base = far.extension("RANDR")[1]
        for program in (far, near):
            randr, _ = program.extension("RANDR")
            program.ask(randr, program.pack("II", 1, 3), second=0)
            program.send(randr, program.pack("IHxx", program.root.root, 1), second=4)
            program.send(2, program.pack("III", program.root.root, 1 << 11, 1 << 17))
        assert screen_size(far) == screen_size(near)
        for width, height in sizes:
            done = screen.run(["xrandr", "--output", "screen", "--mode", f"{width}x{height}"])
            assert done.returncode == 0, done.stderr
            told = []
            for program in (far, near):
                words = [program.event(base), program.event(CONFIGURE_NOTIFY)]
                while program.unpack("HH", words[0], 24) != (width, height):  # of modes that were added
                    words[0] = program.event(base)
                while program.unpack("HH", words[1], 20) != (width, height):
                    words[1] = program.event(CONFIGURE_NOTIFY)
                told.append([unnumbered(one) for one in words] + screen_size(program))
            assert told[0] == told[1]
            assert far.unpack("HH", told[0][-5], 16) == (width, height)


def places(program: PlainProgram, windows: list[int]) -> list[bytes]:
    """Geometry, attributes, parent and place on the root of windows."""
    program.ask(38, program.pack("I", program.root.root))  # what has happened by now is told
    answers = []
    for one in windows:
        name = program.pack("I", one)
        attributes = program.ask(3, name)
        answers += [program.ask(14, name), attributes[:36] + attributes[40:], program.ask(15, name)]
        answers.append(program.ask(40, program.pack("IIhh", one, program.root.root, 3, 4)))
        answers.append(program.ask(40, program.pack("IIhh", program.root.root, one, 100, 100)))
    return [unnumbered(one) for one in answers]


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_a_window_manager_that_moves_sizes_and_frames_is_followed(
    seed: int, order: str, desk: tuple[Screen, BridgePair]
) -> None:
    screen, pair = desk
    manager = Manager(screen.display, bytes.fromhex(screen.cookie), Random(seed))
    try:
        with PlainProgram(pair.env(), order) as far, PlainProgram(screen.env(), order) as near:
            windows = [far.window(events=events) for events in (1 << 17, 1 << 17, 1 << 17, 0)]
            windows += [far.window(one) for one in windows]
            for one in windows:
                far.send(8, far.pack("I", one))
            for at in range(15):
                far.ask(38, far.pack("I", far.root.root))
                manager.act()
                assert places(far, windows) == places(near, windows)
                window = windows[at % len(windows)]
                far.send(12, far.pack("IHxxII", window, 12, 60 + at, 70 + at))
                manager.meddle()
                far.ask(38, far.pack("I", far.root.root))
                assert places(far, windows) == places(near, windows)
            assert manager.frames
    finally:
        manager.close()


def everything(program: PlainProgram) -> list[bytes]:
    """Windows, properties, images and errors: what was answered, ids counted from the program's first."""
    pack, base = program.pack, program.setup.id_base
    answers = []
    window = program.window()
    name = program.atom("X11FWD_LIVE")
    program.send(18, pack("IIIBxxxI", window, name, 19, 32, 3) + pack("iii", 1, -2, 1 << 30))
    answers.append(program.ask(20, pack("IIIII", window, name, 0, 0, 100)))
    program.send(18, pack("IIIBxxxI", window, name, 31, 8, 5) + b"plain")
    answers.append(program.ask(20, pack("IIIII", window, name, 0, 0, 100)))
    pixmap, context = program.new_id(), program.new_id()
    program.send(53, pack("IIHH", pixmap, window, 9, 7), second=program.root.depth)
    program.send(55, pack("III", context, pixmap, 0))
    image = bytes(at * 37 % 251 for at in range(9 * 7 * 4))
    head = pack("IIHHhhBBxx", pixmap, context, 9, 7, 0, 0, 0, program.root.depth)
    program.send(72, head + image, second=2)
    answers.append(program.ask(73, pack("IhhHHI", pixmap, 0, 0, 9, 7, 0xFFFFFFFF), second=2))
    answers.append(program.ask(14, pack("I", pixmap)))
    for opcode, body in (
        (8, pack("I", base + 999)),  # MapWindow: BadWindow
        (14, pack("I", base + 999)),  # GetGeometry: BadDrawable
        (17, pack("I", 1 << 28)),  # GetAtomName: BadAtom
        (20, pack("IIIII", window, name, 0, 99, 1)),  # GetProperty: BadValue
        (53, pack("IIHH", base + 500, window, 0, 0)),  # CreatePixmap: BadValue
        (60, pack("I", 0)),  # FreeGC: BadGC
        (126, b""),  # no such request
    ):
        program.send(127)
        answers.append(program.ask(opcode, body))
    answers.append(program.ask(40, pack("IIhh", window, program.root.root, 3, 4)))
    return [_relative(program, one) for one in answers]


def _relative(program: PlainProgram, answer: bytes) -> bytes:
    """An error's resource id without the program's part."""
    if answer[0]:
        return answer
    bad = program.unpack("I", answer, 4)[0]
    mine = bad & ~program.setup.id_mask == program.setup.id_base
    return answer[:4] + program.pack("I", bad - program.setup.id_base if mine else bad) + answer[8:]


@BOTH
def test_replies_and_errors_have_the_numbers_that_they_have_directly(
    order: str, desk: tuple[Screen, BridgePair]
) -> None:
    screen, pair = desk
    with PlainProgram(pair.env(), order) as far, PlainProgram(screen.env(), order) as near:
        assert far.setup.image_order == near.setup.image_order
        assert everything(far) == everything(near)
        assert far.number == near.number


@BOTH
def test_ids_of_xc_misc_are_granted_and_may_be_used(order: str, desk: tuple[Screen, BridgePair]) -> None:
    _, pair = desk
    with PlainProgram(pair.env(), order) as far:
        misc, _ = far.extension("XC-MISC")
        far.ask(misc, far.pack("HH", 1, 1), second=0)
        first, count = far.unpack("II", far.ask(misc, second=1), 8)
        reply = far.ask(misc, far.pack("I", 20), second=2)
        ids = [first, first + count - 1, *far.unpack(f"{far.unpack('I', reply, 8)[0]}I", reply, 32)]
        for one in ids:
            assert one & ~far.setup.id_mask == far.setup.id_base
        for one in {ids[0], ids[1], ids[-1]}:
            far.send(53, far.pack("IIHH", one, far.root.root, 5, 6), second=1)
            assert far.unpack("HH", far.ask(14, far.pack("I", one)), 16) == (5, 6)


@BOTH
def test_requests_and_replies_of_megabytes_and_a_hundred_thousand_requests(
    order: str, desk: tuple[Screen, BridgePair]
) -> None:
    _, pair = desk
    with PlainProgram(pair.env(), order) as far:
        big, _ = far.extension("BIG-REQUESTS")
        assert far.unpack("I", far.ask(big), 8)[0] > 1 << 20
        window, name = far.window(), far.atom("X11FWD_LARGE")
        data = bytes(range(256)) * 12_000
        far.send(18, far.pack("IIIBxxxI", window, name, 31, 8, len(data)) + data)
        assert far.ask(20, far.pack("IIIII", window, name, 0, 0, len(data)))[32:] == data
        root = far.root
        whole = far.ask(
            73, far.pack("IhhHHI", root.root, 0, 0, root.width, root.height, 0xFFFFFFFF), second=2
        )
        assert len(whole) == 32 + 4 * root.width * root.height
        for _ in range(10):
            far.socket.sendall(far.request(127) * 10_000)
            far.number += 10_000
            assert far.unpack("H", far.ask(14, far.pack("I", window)), 2)[0] == far.number & 0xFFFF
            assert far.unpack("H", far.ask(17, far.pack("I", 1 << 28)), 2)[0] == far.number & 0xFFFF


def test_eight_threads_with_connections_of_their_own_go_on_when_another_program_is_killed(
    desk: tuple[Screen, BridgePair],
) -> None:
    screen, pair = desk
    with PlainProgram(screen.env()) as near:
        expected = everything(near)
    found: dict[int, list[list[bytes]]] = {}
    gate = threading.Barrier(9)

    def work(at: int) -> None:
        with PlainProgram(pair.env(), "<") as far:
            gate.wait()
            found[at] = []
            for _ in range(10):
                with PlainProgram(pair.env(), "<") as fresh:
                    found[at].append(everything(fresh))
                far.ask(14, far.pack("I", far.root.root))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(8)]
    for one in threads:
        one.start()
    argv = [sys.executable, "-c", KILLED]
    killed = subprocess.Popen(argv, env={**os.environ, **pair.env()}, cwd=CHECKOUT)
    gate.wait()
    assert killed.wait(90) == -signal.SIGKILL
    for one in threads:
        one.join(180)
    assert [found[at] for at in range(8)] == [[expected] * 10] * 8


def test_a_wrong_cookie_no_cookie_and_garbage_are_turned_away_and_others_go_on(
    desk: tuple[Screen, BridgePair],
) -> None:
    _, pair = desk
    with PlainProgram(pair.env()) as far:
        for order in "<>":
            for cookie in (b"", bytes(16), b"x" * 500):
                with pytest.raises(RefusedError, match=r"\w+ \w+"):
                    PlainProgram(pair.env(), order, cookie)
        for words in (b"GET / HTTP/1.1\r\n\r\n", bytes(5000), b"l" + b"\xff" * 64, b"\x16\x03\x01"):
            with open_display(pair.display) as opened:
                opened.sendall(words)
                opened.shutdown(1)
                try:
                    assert opened.recv(1 << 16)[:1] in {b"", b"\0"}
                    assert len(opened.recv(1 << 16)) < 1000
                except ConnectionResetError:
                    pass
        assert far.unpack("HH", far.ask(14, far.pack("I", far.root.root)), 16) == (1280, 800)


def test_untrusted_programs_are_refused_what_they_are_refused_directly(lab: ExitStack) -> None:
    with Screen() as screen:
        keeper = TrustScreen(screen.display, screen.env(), trusted=False)
        try:
            with (
                BridgePair(screen, cookie=keeper.data) as pair,
                PlainProgram(screen.env()) as trusted,
                PlainProgram(screen.env(), cookie=keeper.data) as near,
                PlainProgram(pair.env()) as far,
            ):
                window, name = trusted.window(), trusted.atom("X11FWD_SECRET")
                trusted.send(18, trusted.pack("IIIBxxxI", window, name, 31, 8, 6) + b"secret")
                trusted.ask(14, trusted.pack("I", window))
                for program in (near, far):
                    assert program.setup.id_base != trusted.setup.id_base
                told = [intrusion(program, window, name) for program in (far, near)]
                assert told[0] == told[1]
                refused = [*told[0][4:6], *told[0][7:9]]  # DestroyWindow to GrabKeyboard, without GetGeometry
                assert [one[:2] for one in refused] == [b"\0\x0a"] * 4  # BadAccess
                assert [one[8] for one in told[0][-5:]] == [
                    0,
                    0,
                    0,
                    1,
                    1,
                ]  # XTEST, RECORD and SECURITY absent
                assert everything(far) == everything(near)
        finally:
            keeper.close()


def intrusion(program: PlainProgram, window: int, name: int) -> list[bytes]:
    """What is said to a program that looks at another's window, then at the screen, hosts and extensions."""
    pack, root = program.pack, program.root.root
    one = pack("I", window)
    answers = [
        program.ask(3, one),
        program.ask(15, one),
        program.ask(20, pack("IIIII", window, name, 0, 0, 9)),
        program.ask(21, one),
        program.ask(4, one),
        program.ask(12, pack("IHxxI", window, 1, 7)),
        program.ask(14, one),
        program.ask(73, pack("IhhHHI", root, 0, 0, 20, 20, 0xFFFFFFFF), second=2),
        program.ask(31, pack("IIHBB", root, 0, 0, 1, 1), second=1),  # GrabKeyboard
        program.ask(99),
    ]
    names = ("XTEST", "RECORD", "SECURITY", "BIG-REQUESTS", "XC-MISC")
    return answers + [program.ask(98, pack("Hxx", len(one)) + one.encode()) for one in names]
