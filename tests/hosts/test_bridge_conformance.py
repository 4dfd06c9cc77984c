"""Replies, events and errors that programs get over the bridge, beside those of the X server itself."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.bridge_pair import BridgePair
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.runs import wait_for
from tests.lab.screen import Screen
from tests.lab.x11_differences import Difference, compared
from tests.lab.x11_recorder import Recorder, tcp_display, unix_display

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(__file__).with_name("bridge_programs")
FOLDER = "/opt/programs"
ENOUGH = "/home/ana/enough"  # appears where a program that never ends has had its window for a while
MAP_WINDOW = re.compile(rb"\x08.\x02\x00", re.DOTALL)  # little-endian, without the window's number


class Expected(NamedTuple):
    """A difference that is right, and why."""

    why: str
    where: str  # patterns of the whole of each part
    direct: str = ".*"
    bridged: str = ".*"


EXPECTED = [
    Expected(
        "shared memory and file descriptors do not cross the link",
        r"\('QueryExtension', \d+, '(MIT-SHM|Present|DRI2|DRI3)'\)",
        r".*present=1.*",
        r".*present=0 major_opcode=0 first_event=0 first_error=0.*",
    ),
    Expected(
        "the connection was opened ahead, so the root's event masks are those of that time",
        r"setup: screen \d+ input_masks",
    ),
    Expected(
        "the local half watches the root for its programs, and all clients' masks are told",
        r"\('GetWindowAttributes', '\w+'\)",
        r".* all_event_masks=\d+ .*",
        r".* all_event_masks=4325376 .*",
    ),
    Expected(
        "Tk writes the number of its own window as text, and every connection has numbers of its own",
        r"\('GetProperty', 0, '\w+', 'InterpRegistry', 'STRING', .*",
        r".*b'[0-9a-f]+ \w+'.*",
        r".*b'[0-9a-f]+ \w+'.*",
    ),
    Expected(
        "xeyes asks for what it needs beside Present only where that is there",
        "questions",
        r"\[\('XFIXES.QueryVersion', .*\('Present.QueryVersion', [^()]*\)\]",
        r"\[\]",
    ),
    Expected(
        "the program has closed its connection and hears nothing any more",
        r"events \d+ to the end",
        bridged="",
    ),
]


def is_expected(one: Difference) -> bool:
    """Whether the list above has it."""
    parts = [(expected.where, expected.direct, expected.bridged) for expected in EXPECTED]
    return any(all(map(partial(re.fullmatch, flags=re.DOTALL), patterns, one)) for patterns in parts)


SESSIONS = {
    "Tk": ["python3", f"{FOLDER}/widgets_tk.py"],
    "Qt": ["python3", f"{FOLDER}/widgets_qt.py"],
    "GTK": ["python3", f"{FOLDER}/widgets_gtk.py"],
    "TkAgg": ["python3", f"{FOLDER}/plot.py", "TkAgg", "5"],
    "QtAgg": ["python3", f"{FOLDER}/plot.py", "QtAgg", "5"],
    "GTK3Agg": ["python3", f"{FOLDER}/plot.py", "GTK3Agg", "5"],
    "xterm": [
        "xterm",
        "-e",
        "seq 60; printf '\\033[1;31mred\\033[7m back\\033[0m\\033[5;5Hthere\\a'; sleep 0.5",
    ],
    "xclock": ["sh", "-c", f"xclock & while ! [ -e {ENOUGH} ]; do sleep 0.1; done; kill $!; wait"],
    "xeyes": ["sh", "-c", f"xeyes & while ! [ -e {ENOUGH} ]; do sleep 0.1; done; kill $!; wait"],
}


@pytest.fixture(scope="module")
def host(lab: ExitStack) -> Iterator[ChrootHost]:
    files = {f"{FOLDER}/{path.name}": path.read_bytes() for path in PROGRAMS.iterdir() if path.is_file()}
    with ChrootHost("bookworm", "toolkits", Setup(files=files)) as one:
        yield one


# At a distance the halves look ahead (bridge.local.foresight), which on one machine they do not.
FAR = 0.006  # seconds one way
RUNS = [*((name, 0.0) for name in SESSIONS), ("Tk", FAR), ("TkAgg", FAR), ("QtAgg", FAR)]


@pytest.mark.parametrize(("name", "delay"), RUNS)
def test_replies_events_and_errors_are_those_of_the_x_server(
    name: str, delay: float, host: ChrootHost
) -> None:
    with ExitStack() as stack:
        direct = record(host, SESSIONS[name], stack, bridge=False)
        bridged = record(host, SESSIONS[name], stack, bridge=True, delay=delay)
        assert direct.connections
        assert [one for one in compared(direct, bridged) if not is_expected(one)] == []


def record(
    host: ChrootHost, argv: list[str], stack: ExitStack, *, bridge: bool, delay: float = 0.0
) -> Recorder:
    """Run a program on a new screen, or over the bridge to one; what was said."""
    # With MIT-SHM the programs would ask other questions than without.
    screen = stack.enter_context(Screen(without=["MIT-SHM"]))
    connect, cookie = unix_display(screen.display), bytes.fromhex(screen.cookie)
    pair = stack.enter_context(BridgePair(screen, delay=delay))
    pair.wait_for_atoms()  # which the bridge makes ahead: they are there for both, as they are on a desktop
    if not bridge:
        pair.stop()
    else:
        connect, cookie = tcp_display(pair.display), Path(pair.authority).read_bytes()[-16:]
    recorder = stack.enter_context(Recorder(connect, cookie))
    host.write("/home/ana/authority", recorder.authority, user="ana", mode=0o600)
    env = {"DISPLAY": recorder.display, "XAUTHORITY": "/home/ana/authority"}
    env |= {"QT_HASH_SEED": "0", "PYTHONHASHSEED": "0"}  # sets of windows are taken down in one order
    host.run(["rm", "-f", ENOUGH])
    with ThreadPoolExecutor() as beside:
        running = beside.submit(host.run, argv, user="ana", env=env, limit=600)
        if ENOUGH in argv[-1]:
            wait_for(lambda: running.done() or has_mapped(recorder), limit=600, what=f"a window of {argv}")
            time.sleep(1.5)
            host.write(ENOUGH, "", user="ana")
        ran = running.result()
    assert ran.rc in {0, 143}, ran.stderr
    recorder.wait_until_closed()
    return recorder


def has_mapped(recorder: Recorder) -> bool:
    """Whether a program has asked for a window to be shown."""
    sent = (b"".join(data for _, data in one.to_server) for one in tuple(recorder.connections))
    return any(map(MAP_WINDOW.search, sent))
