"""Thirty hosts that are set up already, 50 ms away: ours beside ansible-playbook, pyinfra and bare logins."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.timing import Contender, in_turn, table
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.relay import Relay
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).resolve().parent / "peers"
HOSTS = 30
ONE_WAY = 0.025  # seconds: a round trip of 50 ms
READY = Setup(x11_forwarding=False, sudo="ana ALL=(ALL) NOPASSWD: ALL")
# every login at once, as the floor
LOGINS = "for name in $(cat names); do ssh $name true & done; wait"


@contextlib.contextmanager
def fleet() -> Iterator[Person]:
    """A person with the hosts as aliases, as an inventory for each tool, and set up."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        screen = stack.enter_context(Screen(noreset=True))
        person = stack.enter_context(Person())
        person.use_screen(screen)
        made = pool.map(lambda _: ChrootHost("bookworm", "plot", READY), range(HOSTS))
        names = []
        for number, host in enumerate(made):
            stack.enter_context(host)
            relay = stack.enter_context(Relay(host.port, delay=ONE_WAY))
            names.append(person.alias(f"n{number:02d}", host, port=relay.port))
        person.write("hosts.ini", "\n".join(names) + "\n")
        person.write("names", "\n".join(names) + "\n")
        person.write("hosts.py", f"hosts = {[f'@ssh/{name}' for name in names]!r}\n")
        for name in ("ansible.yml", "deploy.py"):
            person.write(name, (PEERS / name).read_text(encoding="utf-8"))
        words = ("setup", "--yes", "--no-verify", "--inventory", "hosts.ini")
        done = person.run(person.x11fwd(*words), timeout=600)
        if done.rc != 0:
            raise RuntimeError(f"setup ended with {done.rc}:\n{done.stdout}{done.stderr}")
        yield person


def compare_fleets(runs: int) -> None:
    """Print the table; a tool that is not installed is left out and named."""
    with fleet() as person:
        bin_dir = Path(os.environ.get("X11FWD_BENCH_PEERS", person.python.parent))
        ansible = {
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_LOCAL_TEMP": str(person.home / "ansible"),
            "ANSIBLE_HOME": str(person.home / ".ansible"),
        }
        ours = [str(person.python.parent / "x11fwd"), "setup", "--yes", "--inventory", "hosts.ini"]
        contenders = [
            Contender("`x11fwd setup`", ours),
            Contender("pyinfra", [str(bin_dir / "pyinfra"), "-y", "hosts.py", "deploy.py"]),
            Contender(
                "`ansible-playbook -f 30`",
                [str(bin_dir / "ansible-playbook"), "-f", "30", "-i", "hosts.ini", "ansible.yml"],
                env=ansible,
            ),
            Contender("30 bare logins by ssh at once", ["/bin/sh", "-c", LOGINS]),
        ]
        present = [one for one in contenders if Path(one.argv[0]).exists()]
        for one in contenders:
            if one not in present:
                print(f"not measured, not installed: {one.name}")
        rows = in_turn(person, present, runs=runs)
        print(
            table(
                f"{HOSTS} hosts that are set up already, 50 ms", rows, rows[0], better="times `x11fwd setup`"
            )
        )
        print(f"\nload of the machine at the end: {os.getloadavg()[0]:.1f}")
