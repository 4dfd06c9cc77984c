"""`python -m tests.bench [name …]` prints a Markdown table a comparison; `sh tests/run --bench` calls it."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import run, watch
from tests.bench.bridge.compare import PARTS, Choice, compare
from tests.bench.bridge.links import LINKS, ROUTES, TOOLKITS
from tests.bench.fleet import compare_fleets
from tests.bench.render import figures
from tests.bench.timing import Contender, in_turn, table
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.relay import Relay
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEERS = Path(__file__).resolve().parent / "peers"
SUDO = "ana ALL=(ALL) NOPASSWD: ALL"
ONE_WAY = 0.025  # seconds: a round trip of 50 ms
READY = Setup(x11_forwarding=False, sudo=SUDO)


@contextlib.contextmanager
def desk() -> Iterator[Person]:
    """A person in front of a screen."""
    with Screen(noreset=True) as screen, Person() as person:
        person.use_screen(screen)
        yield person


@contextlib.contextmanager
def near_and_far(setup: Setup) -> Iterator[Person]:
    """A desk and one host with all installed: `near` is loopback, `far` 50 ms away, `farther` 100 ms."""
    with (
        desk() as person,
        ChrootHost("bookworm", "plot", setup) as host,
        Relay(host.port, delay=ONE_WAY) as relay,
        Relay(host.port, delay=2 * ONE_WAY) as slower,
    ):
        person.alias("near", host)
        person.alias("far", host, port=relay.port)
        person.alias("farther", host, port=slower.port)
        yield person


def make_ready(person: Person, *names: str) -> None:
    """Set the hosts up once, outside the measurement.

    Raises:
        RuntimeError: setup itself failed, so that there is nothing to measure.
    """
    done = person.run(person.x11fwd("setup", "--yes", *names), timeout=600)
    if done.rc != 0:
        raise RuntimeError(f"setup of {' '.join(names)} ended with {done.rc}:\n{done.stdout}{done.stderr}")


def ssh_wrapper(runs: int) -> None:
    """`x11fwd ssh host true` against `ssh -X host true`."""
    with near_and_far(Setup(x11_forwarding=True)) as person:
        for name, label in (("near", "loopback"), ("far", "50 ms round trip")):
            plain, ours = in_turn(
                person,
                [
                    Contender("`ssh -X host true`", ["ssh", "-X", name, "true"]),
                    Contender("`x11fwd ssh host true`", [script(person), "ssh", name, "true"]),
                ],
                runs=runs,
                warm_up=2,
            )
            print(table(f"A command over ssh, {label}", [plain, ours], plain, better="times `ssh -X`"))


def setup_again(runs: int) -> None:
    """`x11fwd setup` of a host that is already set up against Ansible, pyinfra and a bare login."""
    with near_and_far(READY) as person:
        make_ready(person, "near")
        ansible = {
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_LOCAL_TEMP": str(person.home / "ansible"),
            "ANSIBLE_HOME": str(person.home / ".ansible"),
        }
        playbook = person.write("bench/ansible.yml", (PEERS / "ansible.yml").read_text())
        deploy = person.write("bench/deploy.py", (PEERS / "deploy.py").read_text())
        bin_dir = Path(os.environ.get("X11FWD_BENCH_PEERS", person.python.parent))
        inventory = person.write("bench/inventory.py", 'hosts = ["@ssh/far"]\n')
        contenders = [
            Contender("`x11fwd setup`", [script(person), "setup", "--yes", "far"]),
            Contender("`ssh host true`", ["ssh", "far", "true"]),
            Contender("pyinfra", [str(bin_dir / "pyinfra"), "-y", str(inventory), str(deploy)]),
            Contender(
                "ansible-playbook",
                [str(bin_dir / "ansible-playbook"), "-i", "far,", str(playbook)],
                env=ansible,
            ),
        ]
        present = [entry for entry in contenders if entry.argv[0] == "ssh" or Path(entry.argv[0]).exists()]
        for absent in set(map(id, contenders)) - set(map(id, present)):
            print(f"not measured, not installed: {next(c.name for c in contenders if id(c) == absent)}")
        rows = in_turn(person, present, runs=runs)
        print(table("A host that is already set up, 50 ms", rows, rows[0], better="times `x11fwd setup`"))


def doctor(runs: int) -> None:
    """`x11fwd doctor` of this machine and of one host, which is asked for X11 as by `ssh -Y`."""
    with near_and_far(Setup(x11_forwarding=True, sudo=SUDO)) as person:
        ways = (("near", "loopback"), ("far", "50 ms round trip"), ("farther", "100 ms round trip"))
        for name, label in ways:
            rows = in_turn(
                person,
                [
                    Contender("`ssh -v -Y host true`", ["ssh", "-v", "-Y", name, "true"]),
                    Contender("`x11fwd doctor host`", [script(person), "doctor", name], ok=(0, 1)),
                    Contender("`x11fwd doctor`", [script(person), "doctor"], ok=(0, 1)),
                ],
                runs=runs,
            )
            print(table(f"doctor, {label}", rows, rows[0], better="times `ssh -v -Y`"))


def many_hosts(runs: int) -> None:
    """20 hosts at once against one, all already set up, each 50 ms away."""
    with contextlib.ExitStack() as stack:
        person = stack.enter_context(desk())
        names = []
        for number in range(20):
            host = stack.enter_context(ChrootHost("bookworm", "plot", READY))
            relay = stack.enter_context(Relay(host.port, delay=ONE_WAY))
            names.append(person.alias(f"n{number}", host, port=relay.port))
        make_ready(person, *names)
        rows = in_turn(
            person,
            [
                Contender("`x11fwd setup` of 1 host", [script(person), "setup", "--yes", names[0]]),
                Contender("`x11fwd setup` of 20 hosts", [script(person), "setup", "--yes", *names]),
            ],
            runs=runs,
        )
        print(table("20 hosts at once, 50 ms", rows, rows[0], better="times one host"))


def script(person: Person) -> str:
    """The installed console script, which is what a user starts."""
    return str(person.python.parent / "x11fwd")


def bridge(runs: int) -> None:
    """`ssh -Y` and `ssh -YC` beside `x11fwd ssh --via bridge` over one relay."""
    compare(Choice(runs=runs))


def render(runs: int) -> None:
    """`x11fwd render` beside a serial loop and `multiprocessing.Pool.starmap`."""
    print(figures(runs))


COMPARISONS: dict[str, tuple[Callable[[int], None], int]] = {
    "ssh": (ssh_wrapper, 21),
    "setup": (setup_again, 5),
    "doctor": (doctor, 7),
    "many": (many_hosts, 5),
    "fleet": (compare_fleets, 3),
    "bridge": (bridge, 3),
    "run": (run.main, 7),
    "watch": (watch.compare, 5),
    "render": (render, 5),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=" ".join(COMPARISONS))
    parser.add_argument("--runs", type=int, default=0, help="counted runs of each command")
    only = parser.add_argument_group("of the comparison `bridge` only")
    only.add_argument("--quick", action="store_true", help="three links, one run: four minutes")
    only.add_argument("--link", action="append", default=[], choices=[link.name for link in LINKS])
    only.add_argument("--route", action="append", default=[], choices=[route.key for route in ROUTES])
    only.add_argument("--toolkit", action="append", default=[], choices=TOOLKITS)
    only.add_argument("--part", action="append", default=[], choices=PARTS)
    only.add_argument("--json", type=Path, metavar="FILE", help="write every single value there")
    given = parser.parse_args()
    unknown = set(given.names) - set(COMPARISONS)
    if unknown:
        parser.error(f"no such comparison: {' '.join(sorted(unknown))}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform()}")
    for name in given.names or COMPARISONS:
        measure, runs = COMPARISONS[name]
        if name == "bridge":
            choice = Choice(
                runs=given.runs or runs,
                quick=given.quick,
                links=given.link,
                routes=given.route,
                toolkits=given.toolkit,
                parts=given.part,
                json=given.json,
            )
            compare(choice)
        else:
            measure(given.runs or runs)
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
