"""Every kind of X program over the bridge from a host that refuses everything; pixels as over `ssh -Y`."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.runs import wait_for
from tests.lab.screen import Screen

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from contextlib import ExitStack

    from tests.lab.person import Person

pytestmark = pytest.mark.usefixtures("has_bridged")
PROGRAMS = Path(__file__).with_name("bridge_programs")
FOLDER = "/opt/programs"
REFUSING = "X11Forwarding no\nAllowTcpForwarding no\nAllowStreamLocalForwarding no"
# Nothing may be written or run anywhere but in the memory of what runs already.
BARREN = """set -eu
rm /usr/bin/xauth
mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp
mount -t tmpfs -o noexec,mode=1777 tmpfs /var/tmp
mount --bind /home/ana /home/ana
mount -o remount,ro,bind /home/ana
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
test ! -e /tmp/.X11-unix
"""
STEADY = 1.0  # seconds without a change: the program has drawn all


def files() -> dict[str, str | bytes]:
    return {f"{FOLDER}/{path.name}": path.read_bytes() for path in PROGRAMS.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def refusing(lab: ExitStack) -> Iterator[ChrootHost]:
    """A host where nothing is allowed."""
    with ChrootHost(
        "bookworm", "toolkits", Setup(sshd_config=REFUSING, own_network=True, files=files())
    ) as host:
        host.check(["sh", "-c", BARREN])
        yield host


@pytest.fixture(scope="module")
def granting(lab: ExitStack) -> Iterator[ChrootHost]:
    """A host where ssh forwards X11."""
    with ChrootHost("bookworm", "toolkits", Setup(x11_forwarding=True, files=files())) as host:
        yield host


@pytest.fixture
def routes(person: Person, refusing: ChrootHost, granting: ChrootHost) -> tuple[list[str], list[str]]:
    """The words that lead over `ssh -Y` and over the bridge, each to its host."""
    person.alias("granting", granting)
    person.alias("refusing", refusing)
    return ["ssh", "-Y", "granting"], person.x11fwd("ssh", "--via", "bridge", "-Y", "refusing")


SHOWN = {
    "TkAgg": f"python3 {FOLDER}/plot.py TkAgg",
    "QtAgg": f"python3 {FOLDER}/plot.py QtAgg",
    "GTK3Agg": f"python3 {FOLDER}/plot.py GTK3Agg",
    "xterm": "xterm -e sh -c 'seq 30; printf \"\\033[1;31mred \\033[7mback\\033[0m\"; sleep 1000'",
    "xeyes": "xeyes",
    "xclock": "TZ=UTC xclock -update 3600",
    "Swing": f"java {FOLDER}/Window.java",
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_picture_is_the_one_of_native_forwarding(
    name: str, person: Person, routes: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    for _ in range(4):  # a busy machine may draw nothing for a second, and a clock's minute ends some time
        native, bridged = (picture(person, route, SHOWN[name]) for route in routes)
        (tmp_path / "native.xwd").write_bytes(native)
        (tmp_path / "bridged.xwd").write_bytes(bridged)
        if differing(native, bridged) == "":
            break
    assert differing(native, bridged) == "", tmp_path


def picture(person: Person, route: list[str], command: str) -> bytes:
    """The frame buffer of a new screen once the program has drawn everything; the program is ended."""
    with Screen(frame_buffer=True) as desk:
        person.use_screen(desk)
        last, since = desk.frame_buffer.read_bytes(), time.monotonic()
        empty = last
        process = person.popen([*route, f"{command} >&2 & read end; kill $!; wait"])

        def steady() -> bool:
            nonlocal last, since
            assert process.poll() is None, ended(process)
            now = desk.frame_buffer.read_bytes()
            if now != last:
                last, since = now, time.monotonic()
            return last != empty and time.monotonic() - since > STEADY

        try:
            wait_for(steady, limit=180, what=f"{command} to draw", every=0.05)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=90)
        wait_for(lambda: person.processes() == [], limit=90, what="the end of the local half")
        return last


def ended(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    return f"status {process.returncode}: {process.stderr.read().decode(errors='replace')[-1500:]}"


def differing(native: bytes, bridged: bytes) -> str:
    """Where two pictures differ, in words; of a pixel's four bytes depth 24 has three."""
    width, height = 1280, 800
    start = len(native) - 4 * width * height  # behind the header of xwd(1)
    rows = [slice(at, at + 4 * width) for at in range(start, len(native), 4 * width)]
    pixels = [
        (at // 4, row)
        for row, part in enumerate(rows)
        if native[part] != bridged[part]
        for at in range(0, 4 * width, 4)
        if native[part][at : at + 3] != bridged[part][at : at + 3]
    ]
    if not pixels:
        return ""
    columns, lines = zip(*pixels, strict=True)
    return f"{len(pixels)} pixels in {min(columns)}..{max(columns)} x {min(lines)}..{max(lines)}"


def test_the_whole_of_x11perf_runs(person: Person, routes: tuple[list[str], list[str]]) -> None:
    # Between the ranges are the four aa4trap, at which x11perf 1.6 dies by itself, on any display.
    ranges = ("dot,aatrap300", "aa1trap1,ucirculate")
    command = " && ".join(f"x11perf -range {one} -repeat 1 -reps 1" for one in ranges)
    done = []
    # With MIT-SHM x11perf's tests of it fail over ssh.
    with Screen(without=["MIT-SHM"]) as desk:
        person.use_screen(desk)
        for route in routes:
            ran = person.run([*route, command], timeout=500)
            assert ran.rc == 0, ran.stderr[-1000:]
            done.append(re.findall(r"/sec\): (.*)", ran.stdout))
    assert len(done[0]) > 350
    assert done[1] == done[0]
