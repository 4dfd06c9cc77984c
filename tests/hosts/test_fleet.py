"""Thirty hosts at once, three of them broken: stopped in the middle, resumed, looked at, taken back."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.hosts import ChrootHost, Setup

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.lab.person import Person

COUNT = 30
JOBS = 6
GONE, FULL, LOCKED = "n05", "n11", "n17"
NOPASSWD = "ana ALL=(ALL) NOPASSWD: ALL"
DROP_IN = "etc/ssh/sshd_config.d/00-x11fwd.conf"


def made(name: str) -> ChrootHost:
    """A host that lacks nothing but X11 forwarding, or one that cannot be helped."""
    if name == FULL:
        host = ChrootHost("bookworm", "plot", Setup(sudo=NOPASSWD, disk_mb=8))
        host.run(["sh", "-c", "cat /dev/zero >/var/tmp/fill; cat /dev/zero >>/var/tmp/more"])
        return host
    return ChrootHost("bookworm", "plot", Setup() if name == LOCKED else Setup(sudo=NOPASSWD))


@pytest.fixture(scope="module")
def hosts(lab: None) -> Iterator[dict[str, ChrootHost]]:
    names = [f"n{number:02d}" for number in range(1, COUNT + 1) if f"n{number:02d}" != GONE]
    found: list[ChrootHost] = []
    with ThreadPoolExecutor(4) as pool:
        try:
            found.extend(pool.map(made, names))
            yield dict(zip(names, found, strict=True))
        finally:
            for ended in [pool.submit(host.stop) for host in found]:
                ended.result()


@pytest.fixture(scope="module")
def closed() -> Iterator[int]:
    """A port that refuses, and that nobody else takes meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def inventory(person: Person, hosts: dict[str, ChrootHost], closed: int) -> None:
    lines = ["[rack1]", "n[01:15]", "[rack2]", f"n[16:{COUNT}]", "[all:vars]", "ansible_user=ana"]
    lines += ["ansible_host=127.0.0.1", "[spare:children]", "rack2"]
    person.write("lab/hosts.ini", "\n".join(lines) + "\n")
    for name, host in hosts.items():
        person.trust(host)
        more = "ansible_become_password: wrong\n" if name == LOCKED else ""
        person.write(f"lab/host_vars/{name}.yml", f"ansible_port: {host.port}\n{more}")
    person.write(f"lab/host_vars/{GONE}.yml", f"ansible_port: {closed}\n")


def changed(host: ChrootHost) -> bool:
    """It forwards X11 by our change; a host is either wholly changed or wholly as it was."""
    pending = [*host.root.glob("var/lib/x11fwd/pending/*"), *host.root.glob("etc/ssh/**/.x11fwd-*")]
    assert pending == [], f"{host.hostname} is neither"
    there = (host.root / DROP_IN).exists()
    assert there == bool(list(host.root.glob("var/lib/x11fwd/journal/*-sshd")))
    return there


def interrupted(
    person: Person, argv: list[str], now: Callable[[list[dict[str, Any]]], bool]
) -> tuple[list[dict[str, Any]], str, int]:
    """Run it, press Ctrl-C once `now(lines so far)`; all its lines of JSON, its stderr, its exit code."""
    with tempfile.TemporaryFile() as errors:
        process = person.popen(argv, stderr=errors.fileno())
        stuck = threading.Timer(240, process.kill)
        stuck.start()
        lines: list[dict[str, Any]] = []
        pressed = False
        # not communicate(): it reads past what readline() has taken into its buffer, and loses that
        while process.stdout is not None and (line := process.stdout.readline()):
            lines.append(json.loads(line))
            if not pressed and now(lines):
                process.send_signal(signal.SIGINT)
                pressed = True
        code = process.wait()
        stuck.cancel()
        errors.seek(0)
        said = errors.read().decode()
    assert pressed, (code, lines, said)
    return lines, said, code


class Meter:
    """The most memory and open files that a process had, looked at as long as it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.kilobytes = self.files = 0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        place = Path(f"/proc/{self._process.pid}")
        while not self._ended.wait(0.05):
            try:
                found = re.search(r"VmHWM:\s+(\d+)", (place / "status").read_text())
                self.files = max(self.files, len(list((place / "fd").iterdir())))
            except OSError:
                return
            self.kilobytes = max(self.kilobytes, int(found[1]) if found else 0)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def test_thirty_hosts_are_stopped_in_the_middle_then_finished_and_three_are_named_with_their_causes(
    hosts: dict[str, ChrootHost], closed: int, person: Person
) -> None:
    inventory(person, hosts, closed)
    words = ["setup", "--inventory", "lab/hosts.ini", "--yes", "--no-verify", "--jobs", str(JOBS)]

    # Ctrl-C once some have ended and others are at work
    lines, said, code = interrupted(
        person, person.x11fwd(*words, "--json"), lambda seen: sum(one["exit_code"] == 0 for one in seen) == 3
    )
    assert code == 130, (lines, said)
    *each, whole = lines
    assert {line["schema"] for line in each} == {"x11fwd.setup-host/1"}
    assert sorted(line["target"] for line in each) == sorted([*hosts, GONE])
    assert (whole["schema"], whole["exit_code"], len(whole["hosts"])) == ("x11fwd.setup/1", 130, COUNT)
    first = {line["target"] for line in each if line["status"] == "done"}
    assert len(first) >= 3
    assert {name for name, host in hosts.items() if changed(host)} == first
    stopped = {line["target"]: line["error"]["message"] for line in each if line["status"] == "stopped"}
    assert "stopped before its turn" in stopped.values()
    assert set(stopped.values()) <= {"stopped before its turn", "stopped before anything was changed"}

    # the rest, in bounded memory; what was done is left out
    process = person.popen(person.x11fwd(*words, "--resume"))
    meter = Meter(process)
    rest, errors = process.communicate(timeout=900)
    meter.stop()
    out = rest.decode()
    assert process.returncode == 3, (out, errors)
    assert {name for name, host in hosts.items() if changed(host)} == set(hosts) - {FULL, LOCKED}, (
        first,
        out,
    )
    assert not any(re.search(rf"^\S {name} ", out, re.MULTILINE) for name in first)
    good, bad = out.split("hosts are done")
    assert good.split()[-3:] == [str(COUNT - 3), "of", str(COUNT)]
    assert "3 are not:" in bad
    causes = {name: bad[bad.index(name) :].splitlines()[0] for name in (GONE, FULL, LOCKED)}
    assert "connection refused" in causes[GONE]
    assert "cannot be written" in causes[FULL] or "No space left" in causes[FULL], causes
    assert "sudo did not accept the password" in causes[LOCKED]
    assert "`ansible_become_password`" in bad
    command = re.search(r"Next, with only these: `([^`]+)`", bad)
    assert command is not None
    assert shlex.split(command[1])[:3] == ["x11fwd", "setup", "--resume"]
    assert meter.kilobytes < 1024 * (120 + 4 * JOBS), meter.kilobytes
    assert meter.files < 40 + 12 * JOBS, meter.files

    # the command that it named, after two were mended
    (hosts[FULL].root / "var/tmp/more").unlink()
    (hosts[FULL].root / "var/tmp/fill").unlink()
    person.write(
        f"lab/host_vars/{LOCKED}.yml",
        f"ansible_port: {hosts[LOCKED].port}\nansible_become_password: {hosts[LOCKED].password}\n",
    )
    done = person.run(person.x11fwd(*shlex.split(command[1])[1:]), timeout=120)
    assert done.rc == 3, (done.stdout, done.stderr)
    assert f"{COUNT - 1} of {COUNT} hosts are done" in done.stdout
    assert all(changed(host) for host in hosts.values())

    # a look at some of them, which changes nothing; then those are taken back
    some = ["--inventory", "lab/hosts.ini", "--limit", "spare:&n2*:!n29"]
    chosen = {f"n{number}" for number in range(20, 29)}
    look = person.run(person.x11fwd("setup", *some, "--dry-run"), timeout=120)
    assert (look.rc, look.stdout.count(" ready ")) == (0, len(chosen)), look.stdout
    # most of those were spared the import of matplotlib; one that cannot import it any more is found out
    assert len(list((person.home / ".local/state/x11fwd/seen").iterdir())) == len(hosts)
    numpy = hosts["n01"].root / "usr/lib/python3/dist-packages/numpy/__init__.py"
    numpy.rename(numpy.with_name("gone"))
    broken = person.run(person.x11fwd("setup", *some[:2], "--limit", "n01", "--dry-run"), timeout=120)
    assert " ready " not in broken.stdout, broken.stdout
    numpy.with_name("gone").rename(numpy)
    would = person.run(person.x11fwd("undo", *some, "--dry-run"), timeout=120)
    assert (would.rc, len(re.findall(r"^\S n2\d +planned", would.stdout, re.MULTILINE))) == (0, len(chosen))
    assert all(changed(host) for host in hosts.values())
    undone = person.run(person.x11fwd("undo", *some, "--yes", "--json"), timeout=120)
    assert undone.rc == 0, undone.stdout
    *each, whole = map(json.loads, undone.stdout.splitlines())
    assert {line["target"] for line in each if line["status"] == "done"} == chosen
    assert whole["schema"] == "x11fwd.undo/1"
    assert {name for name, host in hosts.items() if not changed(host)} == chosen
