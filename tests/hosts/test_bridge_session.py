"""`x11fwd ssh --via bridge` beside plain ssh: the same bytes and the same end; and its display comes and goes."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.hosts import Setup
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

REFUSING = "X11Forwarding no\nAllowTcpForwarding no\nAllowStreamLocalForwarding no"
WINDOW = "python3 -c 'import tkinter as t; w = t.Tk(); w.update(); print(w.winfo_screenwidth())'"


class Ended(NamedTuple):
    status: int
    out: bytes
    err: bytes


def bridge(person: Person, *words: str) -> list[str]:
    return person.x11fwd("ssh", "--via", "bridge", *words)


def run(person: Person, argv: Sequence[str], data: bytes = b"", limit: float = 60) -> Ended:
    process: subprocess.Popen[bytes] = person.popen(argv)
    try:
        out, err = process.communicate(data, timeout=limit)
    finally:
        process.kill()
        process.communicate()
    return Ended(process.returncode, out, err)


def everything_is_gone(person: Person) -> None:
    """No process, no socket, no folder of the last session."""
    wait_for(lambda: person.processes() == [], limit=10, what="the end of the local half")


@pytest.fixture
def alias(person: Person, chroot_host: Callable[..., ChrootHost]) -> str:
    """A host that refuses X11, under a name in the person's ~/.ssh/config."""
    return person.alias("gpu", chroot_host("bookworm", "plot"))


@pytest.fixture
def refusing(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> str:
    """A host with Tk that refuses every kind of forwarding."""
    return person.alias("gpu", new_chroot_host("bookworm", "plot", Setup(sshd_config=REFUSING)))


def test_a_window_opens_where_everything_is_refused(person: Person, refusing: str) -> None:
    for _ in range(2):
        ended = run(person, bridge(person, "-v", refusing, WINDOW))
        assert ended.out == b"1280\n", ended.err.decode()
        assert ended.status == 0
        everything_is_gone(person)
