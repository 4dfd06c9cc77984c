"""How often a program waits for the far screen until its window is drawn, counted in steps of the link."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.screen import Screen
from tests.lab.step_link import StepLink, Stillness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from tests.lab.person import Person

pytestmark = pytest.mark.usefixtures("has_bridged")
PROGRAMS = Path(__file__).with_name("bridge_programs")
PLOT = "/opt/programs/plot.py"


@pytest.fixture(scope="module")
def far(lab: ExitStack) -> Iterator[tuple[ChrootHost, StepLink, Screen]]:
    setup = Setup(x11_forwarding=True, files={PLOT: (PROGRAMS / "plot.py").read_bytes()})
    with (
        ChrootHost("bookworm", "toolkits", setup) as host,
        StepLink(host.port, delay=0.01) as link,
        Screen(frame_buffer=True) as screen,
    ):
        yield host, link, screen


class Waits(NamedTuple):
    """Round trips from the program's start until its window is drawn, and until nothing changes any more."""

    drawn: int
    settled: int


def waits(
    far: tuple[ChrootHost, StepLink, Screen],
    person: Person,
    login: Sequence[str],
    command: str,
    *,
    chatty: bool = False,
) -> Waits:
    """Count.

    The program is started when everything of the session itself is done: one step carries that up, and one
    the drawing down. Drawn is a window when 99 of 100 pixels that the program changes are as they will stay:
    what follows is a button under the pointer or a cursor.
    """
    host, link, screen = far
    person.use_screen(screen)
    person.alias("far", host, port=link.port)
    still = Stillness(host, [person], [screen.process.pid])
    process = person.popen([*login, "far", f"echo ready; read go; {command} & read end; kill $!; wait"])
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n", process.stderr and process.stderr.read()
    pictures: list[bytes] = []

    def seen() -> int:
        picture = screen.frame_buffer.read_bytes()
        if picture not in pictures:
            pictures.append(picture)
        return pictures.index(picture)

    link.hold()
    try:
        for _ in range(20):
            link.step(still)
        process.stdin.write(b"\n")
        process.stdin.flush()
        steps = link.run_steps(still, seen, chatty=chatty)
    finally:
        link.open()
        process.stdin.close()
        process.wait(timeout=90)
    first, last = (memoryview(pictures[one]).cast("I") for one in (steps[0], steps[-1]))
    changed = sum(map(operator.ne, first, last))
    assert changed, "nothing was drawn"
    left = [sum(map(operator.ne, memoryview(data).cast("I"), last)) for data in pictures]
    drawn = next(index for index, one in enumerate(steps) if left[one] * 100 <= changed)
    return Waits((drawn - 1) // 2, (steps.index(steps[-1]) - 1) // 2)


# The counter itself, against what traces of these programs say. QtAgg has 107, xterm 263.
NATIVE = [
    pytest.param(f"python3 {PLOT} TkAgg", 360, 430, id="TkAgg"),
    pytest.param("xclock", 68, 80, id="xclock"),
]


@pytest.mark.parametrize(("command", "least", "most"), NATIVE)
def test_native_forwarding_waits_as_often_as_was_measured(
    far: tuple[ChrootHost, StepLink, Screen], person: Person, command: str, least: int, most: int
) -> None:
    count = waits(far, person, ["ssh", "-Y"], command)
    print(command, count)
    assert least <= count.settled <= most


# Tk waits 6 times, Qt 6, GTK 9, xterm 3, xclock once; without foresight (bridge.local.foresight) Tk and Qt 10
# times. A look ahead that a busy machine misses costs one more: test_bridge_foresight.py counts those.
BRIDGE = [
    pytest.param(f"python3 {PLOT} TkAgg", 10, id="TkAgg"),
    pytest.param(f"python3 {PLOT} QtAgg", 9, id="QtAgg"),
    pytest.param(f"python3 {PLOT} GTK3Agg", 10, id="GTK3Agg"),
    pytest.param("xterm -e sleep 1000", 6, id="xterm"),
    pytest.param("xclock", 6, id="xclock"),
]


@pytest.mark.parametrize(("command", "most"), BRIDGE)
def test_over_the_bridge_a_window_is_drawn_after_few_round_trips(
    far: tuple[ChrootHost, StepLink, Screen], person: Person, command: str, most: int
) -> None:
    count = waits(far, person, person.x11fwd("ssh", "--via", "bridge", "-Y"), command, chatty=True)
    print(command, count)
    assert count.drawn <= most
