"""How often a program waits for the far screen until its window is drawn, counted in steps of the link."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.screen import Screen
from tests.lab.step_link import StepLink, Stillness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from tests.lab.person import Person

PROGRAMS = Path(__file__).with_name("bridge_programs")
PLOT = "/opt/programs/plot.py"


@pytest.fixture(scope="module")
def far(lab: ExitStack) -> Iterator[tuple[ChrootHost, StepLink, Screen]]:
    setup = Setup(x11_forwarding=True, files={PLOT: (PROGRAMS / "plot.py").read_bytes()})
    with (
        ChrootHost("bookworm", "toolkits", setup) as host,
        StepLink(host.port) as link,
        Screen(frame_buffer=True) as screen,
    ):
        yield host, link, screen


def waits(
    far: tuple[ChrootHost, StepLink, Screen], person: Person, login: Sequence[str], command: str
) -> tuple[int, int]:
    """Round trips from the program's start until the screen is as it stays, and those until anything shows.

    The program is started when everything of the session itself is done: one step carries that up, and one
    the last drawing down.
    """
    host, link, screen = far
    person.use_screen(screen)
    person.alias("far", host, port=link.port, lines="ForwardX11Trusted yes")
    still = Stillness(host, [person], [screen.process.pid])
    process = person.popen([*login, "far", f"echo ready; read go; {command} & read end; kill $!; wait"])
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n", process.stderr and process.stderr.read()
    link.hold()
    try:
        while link.step(still):
            pass
        empty = picture(screen)
        process.stdin.write(b"\n")
        process.stdin.flush()
        seen = link.run_steps(still, lambda: picture(screen), limit=120)
    finally:
        link.open()
        process.stdin.close()
        process.wait(timeout=20)
    assert seen[-1] != empty, "nothing was drawn"
    first = next(index for index, one in enumerate(seen) if one != empty)
    return (seen.index(seen[-1]) - 1) // 2, (first - 1) // 2


def picture(screen: Screen) -> bytes:
    return hashlib.sha256(screen.frame_buffer.read_bytes()).digest()


NATIVE = [
    pytest.param(f"python3 {PLOT} TkAgg", 380, 430, id="TkAgg"),
    pytest.param(f"python3 {PLOT} QtAgg", 75, 135, id="QtAgg"),
    pytest.param("xterm -e sleep 1000", 190, 280, id="xterm"),
    pytest.param("xclock", 68, 80, id="xclock"),
]


@pytest.mark.parametrize(("command", "least", "most"), NATIVE)
def test_native_forwarding_waits_as_often_as_was_measured(
    far: tuple[ChrootHost, StepLink, Screen], person: Person, command: str, least: int, most: int
) -> None:
    count, first = waits(far, person, ["ssh", "-Y"], command)
    print(shlex.quote(command), count, first)
    assert least <= count <= most
