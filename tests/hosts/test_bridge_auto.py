"""`x11fwd ssh` chooses between ssh's own forwarding and the bridge."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.lab.hosts import ChrootHost, Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.person import Person

ALLOWS = Setup(x11_forwarding=True)
REFUSES = Setup(x11_forwarding=False)
SHOW = "echo D=$DISPLAY; xauth list >/dev/null 2>&1; true"


def far(person: Person, host: ChrootHost, seconds: float) -> None:
    """As if it had been measured."""
    person.write(".cache/x11fwd/links", f"{host.address} {host.port} {seconds} {time.time():.0f}\n")


def test_a_near_host_takes_sshs_own_forwarding_and_a_far_one_the_bridge(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", ALLOWS)
    person.alias("gpu1", host, user="ana")
    far(person, host, 0.002)
    near = person.run(person.x11fwd("ssh", "-v", "gpu1", SHOW), timeout=400)
    assert near.rc == 0, near.stderr
    assert "native route: 2 ms of round trip is near enough" in near.stderr
    far(person, host, 0.08)
    away = person.run(person.x11fwd("ssh", "-v", "gpu1", SHOW), timeout=400)
    assert away.rc == 0, away.stderr
    assert "bridge route: 80 ms of round trip is far" in away.stderr
    assert "D=localhost:" in away.stdout


def test_past_a_refusal_it_asks_once_and_keeps_the_answer(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", REFUSES)
    person.alias("gpu1", host, user="ana")
    far(person, host, 0.08)
    alone = person.run(person.x11fwd("ssh", "gpu1", SHOW), timeout=400)
    assert (alone.rc, alone.stdout.strip()) == (0, "D="), alone.stderr  # nobody was there to ask
    terminal = person.pty(person.x11fwd("ssh", "gpu1", SHOW))
    terminal.read_until(r"now and later\? \[y/N\] ", limit=180)
    terminal.send("y\r")
    terminal.read_until(r"D=localhost:\d+", limit=180)
    assert terminal.wait(limit=180) == 0
    again = person.run(person.x11fwd("ssh", "gpu1", SHOW), timeout=400)
    assert "D=localhost:" in again.stdout, again.stderr


def test_a_no_is_kept_and_via_bridge_goes_past_it(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", REFUSES)
    person.alias("gpu1", host, user="ana")
    first = person.run(person.x11fwd("ssh", "gpu1", SHOW), timeout=400)  # learns of the refusal
    assert first.stdout.strip() == "D="
    terminal = person.pty(person.x11fwd("ssh", "gpu1", SHOW))
    terminal.read_until(r"now and later\? \[y/N\] ", limit=180)
    terminal.send("n\r")
    assert terminal.wait(limit=180) == 0
    again = person.run(person.x11fwd("ssh", "-v", "gpu1", SHOW), timeout=400)
    assert again.stdout.strip() == "D="
    assert "you did not want the bridge" in again.stderr
    asked = person.run(person.x11fwd("ssh", "--via", "bridge", "gpu1", SHOW), timeout=400)
    assert "D=localhost:" in asked.stdout, asked.stderr


def test_the_persons_own_settings_decide_for_a_host(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", ALLOWS)
    person.alias("gpu1", host, user="ana")
    person.write(".config/x11fwd/config", "Host gpu*\n    Via bridge\n")
    done = person.run(person.x11fwd("ssh", "-v", "gpu1", SHOW), timeout=400)
    assert "D=localhost:" in done.stdout, done.stderr
    assert ".config/x11fwd/config:2 says bridge" in done.stderr
    person.write(".config/x11fwd/config", "Host gpu*\n    Route bridge\n")
    wrong = person.run(person.x11fwd("ssh", "gpu1", SHOW), timeout=400)
    assert wrong.rc == 255
    assert "config:2" in wrong.stderr
    assert "Traceback" not in wrong.stderr
