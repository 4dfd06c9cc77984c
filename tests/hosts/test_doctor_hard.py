"""`doctor` against servers that are no good: a sentence, in bounded time and memory, on both transports.

Most of these wait for a time-out and cost no work meanwhile, so a test runs all its cases at once, on both
transports. Time-outs that ssh_config(5) has words for are set there, by a user who does not want to wait.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.hosts.truth.diagnosis import Diagnosis
from tests.hosts.truth.rig import PASSING
from tests.lab.bad_server import MANNERS, BadServer
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.relay import Relay
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.lab.person import Person

TRANSPORTS = ("paramiko", "openssh")
MOST = 200 << 10  # KiB that doctor, or the ssh it runs, may hold; an ordinary run takes 60 MiB
AT_ONCE = 12
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


def all_at_once(runs: Iterable[Callable[[], Case | list[Case]]]) -> list[Case]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = [run.result() for run in [pool.submit(one) for one in runs]]
    cases = [case for one in said for case in (one if isinstance(one, list) else [one])]
    for case in cases:
        print(f"{case.name:<40} {case.memory >> 10:>4} MiB  {case.said.code}  {case.sentence}")
        assert case.memory < MOST, f"{case.name}: {case.memory} KiB"
    return cases


def slug(text: str) -> str:
    return text.replace(" ", "-")


WAITED_FOR = {"says nothing", "stops within its banner", "stops after its banner"}


def test_what_is_no_ssh_server_ends_in_a_sentence(person: Person) -> None:
    def run(manner: str, transport: str) -> Case:
        # what ends by itself does so within the half minute that nobody has shortened
        options = ["-o", "StrictHostKeyChecking=no"]
        if manner in WAITED_FOR:  # for an exchange of keys ssh waits by the second one
            options += ["-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=3"]
        with BadServer(manner) as server:
            target = f"ana@{server.address}:{server.port}"
            return ask(person, f"{slug(manner)}-{transport}", transport, *options, target)

    manners = sorted(MANNERS, key=lambda manner: manner not in WAITED_FOR)
    runs = [partial(run, manner, transport) for manner in manners for transport in TRANSPORTS]
    for case in all_at_once(runs):
        assert case.said.code == 3, f"{case.name}\n{case.said}"
        assert case.said.cause == "ssh-connection", f"{case.name}\n{case.said}"


def test_a_line_that_drops_or_freezes_ends_in_a_sentence_at_every_moment(
    person: Person, chroot_host: Callable[..., ChrootHost]
) -> None:
    host = chroot_host("bookworm", "plot")

    def run(transport: str, accident: str, turn: int) -> Case:
        with Relay(host.port) as relay:
            name = f"{slug(accident)}-{turn}-{transport}"
            person.alias(name, host, port=relay.port, lines="ServerAliveInterval 3\n    ConnectTimeout 8")
            getattr(relay, accident)(turns=turn)
            return ask(person, name, transport, name)

    # the login takes 6 or 7 turns with paramiko, as its packets fall together, and 8 with ssh
    moments = [("freeze_at", turn) for turn in (1, 3, 5)] + [("cut_at", turn) for turn in (1, 2, 3, 4, 5, 6)]
    runs = [partial(run, transport, *moment) for moment in moments for transport in TRANSPORTS]
    for case in all_at_once(runs):
        assert case.said.code == 3, f"{case.name}\n{case.said}"
        assert case.said.cause == "ssh-connection", f"{case.name}\n{case.said}"


NOISE = "yes welcome to the cluster"
HEALTHY = Setup(x11_forwarding=True)


def terms(lines: int) -> Setup:
    """A host whose sshd greets with this many lines of 32 bytes."""
    text = "Unauthorised use is prohibited.\n" * lines
    return Setup(x11_forwarding=True, sshd_config="Banner /etc/terms", files={"/etc/terms": text})


def test_a_megabyte_of_greetings_is_no_fault(person: Person) -> None:
    setups = {
        "banner": terms(7_000),
        "stdout": Setup(x11_forwarding=True, files={"/home/ana/.bashrc": f"{NOISE} | head -c 1000000\n"}),
        "stderr": Setup(x11_forwarding=True, files={"/home/ana/.bashrc": f"{NOISE} | head -c 1000000 >&2\n"}),
    }

    def run(name: str) -> list[Case]:
        with ChrootHost("bookworm", "plot", setups[name]) as host:
            person.alias(name, host)
            return [ask(person, f"{name}-{transport}", transport, name) for transport in TRANSPORTS]

    for case in all_at_once([partial(run, name) for name in setups]):
        assert case.said.code == 0, f"{case.name}\n{case.said}"
        stray = set(case.said.roots) - {*PASSING, "noisy-start-files"}
        assert not stray, f"{case.name}: {stray}\n{case.said}"


def test_a_host_that_hangs_or_never_stops_ends_in_a_sentence(person: Person) -> None:
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

    def run(name: str) -> list[Case]:
        setup, python = setups[name]
        with ChrootHost("bookworm", "plot", setup) as host:
            if python:
                host.write(program, python, mode=0o755)
            person.alias(slug(name), host, lines="ServerAliveInterval 5")
            with ThreadPoolExecutor() as pool:
                runs = [
                    pool.submit(ask, person, f"{slug(name)}-{one}", one, slug(name)) for one in TRANSPORTS
                ]
                return [one.result() for one in runs]

    hosts = sorted(setups, key=lambda name: "hangs" not in name)  # what only waits first
    for case in all_at_once([partial(run, name) for name in hosts]):
        assert case.said.code in {1, 3}, f"{case.name}\n{case.said}"
        if "python" in case.name:
            assert case.said.cause == "python-missing", f"{case.name}\n{case.said}"
        if "hangs" in case.name and "python" not in case.name:
            # from outside nobody can tell which of the two it is
            assert case.said.cause == "probe-unanswered", f"{case.name}\n{case.said}"
            assert "does not exist" not in str(case.said), f"{case.name}\n{case.said}"


def test_a_line_that_goes_during_the_probe_ends_in_a_sentence(person: Person) -> None:
    hanging = "#!/bin/sh\n: >/tmp/asked\nexec sleep 1000\n"

    def run(transport: str, accident: str) -> Case:
        name = f"{accident}-{transport}"
        with (
            ChrootHost("bookworm", "plot", HEALTHY) as host,
            Relay(host.port) as relay,
            ThreadPoolExecutor(1) as pool,
        ):
            host.write("/usr/local/bin/python3", hanging, mode=0o755)
            person.alias(name, host, port=relay.port, lines="ServerAliveInterval 3")
            running = pool.submit(ask, person, name, transport, name)
            wait_for((host.root / "tmp/asked").exists, limit=240, what=f"the question to Python: {name}")
            getattr(relay, accident)()
            return running.result()

    cases = [partial(run, transport, accident) for transport in TRANSPORTS for accident in ("freeze", "cut")]
    for case in all_at_once(cases):
        assert (case.said.cause, case.said.code) == ("ssh-connection", 3), f"{case.name}\n{case.said}"
