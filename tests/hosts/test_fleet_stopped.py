"""Ctrl-C while the hosts of a fleet are at different moments: each is done in the end, or as it was."""

from __future__ import annotations

import json
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.hosts import BootedHost, ChrootHost, Setup
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.host import Host
    from tests.lab.person import Person

SUDO = "ana ALL=(ALL) NOPASSWD: ALL"
DROP_IN = "/etc/ssh/sshd_config.d/00-x11fwd.conf"
LIMIT = 120.0  # seconds for one thing to come about on a busy machine
# The new login that is to confirm the change gets no further than its start file until the test lets it.
HOLDS = f"while [ -e /etc/held ] && [ -e {DROP_IN} ]; do sleep 0.1; done\n"
LOCK = """\
import fcntl, sys
held = open("/var/lib/dpkg/lock-frontend", "a+")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


def made(name: str) -> Host:
    """`reloads` is held between reload and confirmation, `installs` lacks a package, `waits` is booted."""
    if name == "waits":
        return BootedHost("bookworm", "plot", Setup(sudo=SUDO))
    if name == "reloads":
        return ChrootHost(
            "bookworm", "plot", Setup(sudo=SUDO, files={"/home/ana/.ssh/rc": HOLDS, "/etc/held": ""})
        )
    host = ChrootHost("bookworm", "plot", Setup(sudo=SUDO))
    host.check(["dpkg", "--purge", "xauth"])
    return host


@pytest.fixture(scope="module")
def hosts(lab: None) -> Iterator[dict[str, Host]]:
    names = ("reloads", "installs", "waits")
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        yield {
            name: stack.enter_context(host) for name, host in zip(names, pool.map(made, names), strict=True)
        }


def test_who_is_being_changed_is_brought_to_an_end_and_nobody_else_is_begun(
    hosts: dict[str, Host], person: Person
) -> None:
    lines = [f"{name} ansible_host=127.0.0.1 ansible_port={host.port}" for name, host in hosts.items()]
    holder = hosts["installs"].popen(["python3", "-c", LOCK])
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"held"
    with socket.socket() as mute, tempfile.TemporaryFile() as errors:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        lines.insert(2, f"connects ansible_host=127.0.0.1 ansible_port={mute.getsockname()[1]}")
        person.write("hosts.ini", "\n".join([*lines, "[all:vars]", "ansible_user=ana", ""]))
        for host in hosts.values():
            person.trust(host)
        words = ("setup", "--inventory", "hosts.ini", "--yes", "--no-verify")

        process = person.popen(person.x11fwd(*words, "--jobs", "3", "--json"), stderr=errors.fileno())
        stuck = threading.Timer(4 * LIMIT, process.kill)
        stuck.start()

        def said() -> str:
            errors.seek(0)
            return errors.read().decode()

        for name, path in (("reloads", DROP_IN), ("installs", "/var/lib/x11fwd")):
            place = hosts[name].root / path.lstrip("/")
            wait_for(place.exists, limit=LIMIT, what=f"the change of {name}", every=0.05)
        process.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping: " in said(), limit=LIMIT, what=f"words about Ctrl-C in {said()!r}")
        assert "brought to an end first" in said()

        # held until here, so that it was in the middle of both when Ctrl-C came
        (hosts["reloads"].root / "etc/held").unlink()
        holder.communicate(b"\n")
        assert process.stdout is not None
        answers: list[dict[str, Any]] = [json.loads(line) for line in process.stdout]
        code = process.wait()
        stuck.cancel()
        assert code == 130, (answers, said())
        *each, whole = answers
        ends = {one["target"]: one["status"] for one in each}
        assert ends == {"reloads": "done", "installs": "done", "connects": "stopped", "waits": "stopped"}, (
            each
        )
        why = {one["target"]: one["error"]["message"] for one in each if one["status"] == "stopped"}
        assert why == {"connects": "stopped before anything was changed", "waits": "stopped before its turn"}
        assert whole["exit_code"] == 130
        assert {name: forwards(host) for name, host in hosts.items()} == {
            "reloads": True,
            "installs": True,
            "waits": False,
        }
        assert (hosts["installs"].root / "usr/bin/xauth").exists()

        # what is left, and nothing else, is done by the command that goes on
        rest = person.run(person.x11fwd(*words, "--resume", "--limit", "!connects"), timeout=4 * LIMIT)
        assert rest.rc == 0, (rest.stdout, rest.stderr)
        assert "3 of 3 hosts are done" in rest.stdout
        assert all(map(forwards, hosts.values()))

        # and all of it is taken back, the package too
        gone = person.run(
            person.x11fwd("undo", "--inventory", "hosts.ini", "--limit", "!connects", "--yes"),
            timeout=4 * LIMIT,
        )
        assert gone.rc == 0, (gone.stdout, gone.stderr)
        assert not any(map(forwards, hosts.values()))
        assert not (hosts["installs"].root / "usr/bin/xauth").exists()


def forwards(host: Host) -> bool:
    """It was changed, as a whole."""
    pending = [*host.root.glob("var/lib/x11fwd/pending/*"), *host.root.glob("etc/ssh/**/.x11fwd-*")]
    assert pending == [], f"{host.hostname} is neither"
    there = (host.root / DROP_IN.lstrip("/")).exists()
    assert there == bool(list(host.root.glob("var/lib/x11fwd/journal/*-sshd")))
    return there
