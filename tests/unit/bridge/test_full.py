"""The remote half at its limit of descriptors, and at the end of the line."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.unit.bridge.shared import samples

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 90.0
PROGRAMS = 4  # that the limit has room for
RUN = """
import os, resource, sys
from x11fwd.bridge.remote.door import Door
from x11fwd.bridge.remote.main import RemoteHalf
door = Door(sys.argv[1])
half = RemoteHalf(door, "s", 0, 1)
turns, usual = [0], half._want_all
def counted():
    turns[0] += 1
    usual()
half._want_all = counted
used = max(int(one) for one in os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + int(sys.argv[2]), used + int(sys.argv[2])))
sys.stderr.write("%d\\n" % door.sockets[0].getsockname()[1])
sys.stderr.flush()
half.run()
sys.stderr.write("%d\\n" % turns[0])
door.close()
"""


def started(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A remote half, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(PROGRAMS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    return process, int(process.stderr.readline())


def refused(program: socket.socket) -> bool:
    """It has no cookie to show."""
    program.settimeout(LIMIT)
    program.sendall(samples.greeting("<"))
    return program.recv(1) == b"\0"


def test_who_comes_as_no_descriptor_is_left_waits_and_costs_nothing(tmp_path: Path) -> None:
    process, port = started(tmp_path)
    begun = time.monotonic()
    programs = [socket.create_connection(("127.0.0.1", port), LIMIT) for _ in range(PROGRAMS + 3)]
    assert refused(programs[0])  # so it has come as far as accept(2) for some of them
    assert not select.select([programs[-1]], [], [], 2.0)[0]
    for one in programs[1:PROGRAMS]:
        one.close()
    assert all(refused(one) for one in programs[PROGRAMS:])
    for one in programs:
        one.close()
    _, err = process.communicate(timeout=LIMIT)
    assert int(err) < 200 + 10 * (time.monotonic() - begun)  # turns of its loop; thousands while it is asked


def test_a_line_that_nobody_reads_is_its_end_though_nothing_is_to_be_said(tmp_path: Path) -> None:
    process, _ = started(tmp_path)
    try:
        assert process.stdout
        assert b"HELLO" in os.read(process.stdout.fileno(), 65536)
        process.stdout.close()
        assert process.wait(LIMIT) == 0
    finally:
        process.kill()
        process.communicate()
