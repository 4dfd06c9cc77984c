"""`doctor` against servers that are no good: a sentence, in bounded time and memory, on both transports.

Most of these wait for a time-out and cost no work meanwhile, so a test runs all its cases at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.truth.diagnosis import Diagnosis
from tests.hosts.truth.rig import PASSING
from tests.lab.bad_server import MANNERS, BadServer
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.lab.host import Host
    from tests.lab.person import Person

BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])
MOST = 200 << 10  # KiB that doctor, or the ssh it runs, may hold; an ordinary run takes 60 MiB
AT_ONCE = 8
# Runs a command and writes what the largest of its processes held, in KiB, into a file (getrusage(2)).
MEASURE = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[2:]);"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss;"
    "open(sys.argv[1], 'w').write(str(used)); sys.exit(code)"
)


@dataclass(frozen=True)
class Case:
    """One run: what it was, what doctor said, and the memory it took (KiB)."""

    name: str
    said: Diagnosis
    memory: int

    @property
    def sentence(self) -> str:
        """The cause in words."""
        cause = self.said.finding(self.said.cause or "ssh-connection")
        return f"{cause.id}: {cause.title} | {cause.evidence}"


def ask(person: Person, name: str, transport: str, *words: str, limit: float = 400) -> Case:
    out = person.home / f"memory-{name}"
    command = person.x11fwd("doctor", "--json", "--transport", transport, *words)
    ran = person.run([str(person.python), "-c", MEASURE, str(out), *command], timeout=limit)
    return Case(name, Diagnosis.of(ran), int(out.read_text(encoding="ascii")))


def all_at_once(runs: Iterable[Callable[[], Case]]) -> list[Case]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        cases = [run.result() for run in [pool.submit(one) for one in runs]]
    for case in cases:
        print(f"{case.name:<40} {case.memory >> 10:>4} MiB  {case.said.code}  {case.sentence}")
        assert case.memory < MOST, f"{case.name}: {case.memory} KiB"
    return cases


def slug(text: str) -> str:
    return text.replace(" ", "-")


@BOTH
def test_what_is_no_ssh_server_ends_in_a_sentence(person: Person, transport: str) -> None:
    def run(manner: str) -> Case:
        with BadServer(manner) as server:
            target = f"ana@{server.address}:{server.port}"
            return ask(person, slug(manner), transport, "-o", "StrictHostKeyChecking=no", target)

    for case in all_at_once([lambda manner=manner: run(manner) for manner in MANNERS]):  # type: ignore[misc]
        assert case.said.code == 3, f"{case.name}\n{case.said}"
        assert case.said.cause == "ssh-connection", f"{case.name}\n{case.said}"


@BOTH
@pytest.mark.parametrize("accident", ["cut_at", "freeze_at"])
def test_a_line_that_drops_or_freezes_ends_in_a_sentence_at_every_moment(
    person: Person, chroot_host: Callable[..., ChrootHost], transport: str, accident: str
) -> None:
    host = chroot_host("bookworm", "plot")

    def run(turn: int) -> Case:
        with Relay(host.port) as relay:
            name = f"{slug(accident)}-{turn}"
            # both limits are the user's to set, so that this test need not wait long
            person.alias(name, host, port=relay.port, lines="ServerAliveInterval 5\n    ConnectTimeout 12")
            getattr(relay, accident)(turns=turn)
            return ask(person, name, transport, name)

    # the login takes 6 or 7 turns with paramiko, as its packets fall together, and 8 with ssh
    turns = (1, 2, 3, 4, 5, 6) if accident == "cut_at" else (1, 3, 5)
    for case in all_at_once([lambda turn=turn: run(turn) for turn in turns]):  # type: ignore[misc]
        assert case.said.code == 3, f"{case.name}\n{case.said}"
        assert case.said.cause == "ssh-connection", f"{case.name}\n{case.said}"


NOISE = "yes welcome to the cluster"
HEALTHY = Setup(x11_forwarding=True)


def terms(lines: int) -> Setup:
    """A host whose sshd greets with this many lines of 32 bytes."""
    text = "Unauthorised use is prohibited.\n" * lines
    return Setup(x11_forwarding=True, sshd_config="Banner /etc/terms", files={"/etc/terms": text})


@BOTH
def test_a_megabyte_of_greetings_is_no_fault(person: Person, transport: str) -> None:
    setups = {
        "banner": terms(7_000),
        "stdout": Setup(x11_forwarding=True, files={"/home/ana/.bashrc": f"{NOISE} | head -c 1000000\n"}),
        "stderr": Setup(x11_forwarding=True, files={"/home/ana/.bashrc": f"{NOISE} | head -c 1000000 >&2\n"}),
    }

    def run(name: str) -> Case:
        with ChrootHost("bookworm", "plot", setups[name]) as host:
            person.alias(name, host)
            for _ in range(8):
                case = ask(person, name, transport, name)
                if not PASSING.intersection(case.said.roots):  # a busy machine looks like a far one
                    break
            return case

    for case in all_at_once([lambda name=name: run(name) for name in setups]):  # type: ignore[misc]
        assert case.said.code == 0, f"{case.name}\n{case.said}"


@BOTH
def test_a_host_that_hangs_or_never_stops_ends_in_a_sentence(person: Person, transport: str) -> None:
    start = "/home/ana/.bashrc"
    program = "/usr/local/bin/python3"
    setups: dict[str, tuple[Setup, str]] = {
        # sshd closes the line over a banner longer than a packet may be (packet.h, 256 KiB), with ssh too
        "the banner is a megabyte": (terms(32_000), ""),
        "a start file talks for ever": (Setup(x11_forwarding=True, files={start: NOISE}), ""),
        "a start file hangs": (Setup(x11_forwarding=True, files={start: "sleep 1000"}), ""),
        "a forced command talks for ever": (
            Setup(x11_forwarding=True, sshd_config=f"ForceCommand {NOISE}"),
            "",
        ),
        "a forced command sends garbage": (
            Setup(x11_forwarding=True, sshd_config="ForceCommand cat /dev/urandom"),
            "",
        ),
        "a forced command hangs": (Setup(x11_forwarding=True, sshd_config="ForceCommand sleep 1000"), ""),
        "python talks for ever": (HEALTHY, f"#!/bin/sh\nexec {NOISE}\n"),
        "python hangs": (HEALTHY, "#!/bin/sh\nexec sleep 1000\n"),
        "python is garbage": (HEALTHY, "\x7fELF\1\1\1garbage"),
    }

    def run(name: str) -> Case:
        setup, python = setups[name]
        with ChrootHost("bookworm", "plot", setup) as host:
            if python:
                host.write(program, python, mode=0o755)
            person.alias(slug(name), host)
            return ask(person, slug(name), transport, slug(name))

    for case in all_at_once([lambda name=name: run(name) for name in setups]):  # type: ignore[misc]
        assert case.said.code in {1, 3}, f"{case.name}\n{case.said}"
        if "python" in case.name:
            # nine of them at once keep a busy machine from getting through all that noise within its limit
            late = "talks" in case.name and case.said.cause == "ssh-connection"
            assert late or case.said.cause == "python-missing", f"{case.name}\n{case.said}"
        if case.name.endswith("hangs") and "python" not in case.name:
            # from outside nobody can tell which of the two it is
            assert case.said.cause == "probe-unanswered", f"{case.name}\n{case.said}"
            assert "does not exist" not in str(case.said), f"{case.name}\n{case.said}"


@BOTH
@pytest.mark.parametrize("accident", ["cut", "freeze"])
def test_a_line_that_goes_during_the_probe_ends_in_a_sentence(
    person: Person, new_chroot_host: Callable[..., ChrootHost], transport: str, accident: str
) -> None:
    host = new_chroot_host("bookworm", "plot", HEALTHY)
    host.write("/usr/local/bin/python3", "#!/bin/sh\n: >/tmp/asked\nexec sleep 1000\n", mode=0o755)
    with Relay(host.port) as relay, ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        person.alias("far", host, port=relay.port, lines="ServerAliveInterval 5")
        running = pool.submit(ask, person, "far", transport, "far")
        wait_for_probe(host)
        getattr(relay, accident)()
        if accident == "freeze":
            stack.callback(relay.thaw)
        case = running.result()
    assert (case.said.cause, case.said.code) == ("ssh-connection", 3), case.said
    assert case.memory < MOST


def wait_for_probe(host: Host) -> None:
    from tests.lab.runs import wait_for

    wait_for((host.root / "tmp/asked").exists, limit=120, what="the probe's question to Python")
