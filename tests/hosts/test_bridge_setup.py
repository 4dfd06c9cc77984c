"""The bridge in `setup`, `verify` and `doctor`: the second route where sshd does not forward X11."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.person import Person

pytestmark = pytest.mark.usefixtures("has_bridged")
REFUSES = Setup(
    x11_forwarding=False, sshd_config="AllowTcpForwarding no\nAllowStreamLocalForwarding no", sudo=""
)


@pytest.fixture
def refusing(new_chroot_host: Callable[..., ChrootHost], person: Person) -> ChrootHost:
    """A host with matplotlib whose sshd forwards nothing, and no rights for us."""
    host = new_chroot_host("bookworm", "plot", REFUSES)
    person.alias("gpu1", host, user="ana")
    return host


def test_setup_without_root_on_a_host_that_refuses_ends_in_a_plot_over_the_bridge(
    refusing: ChrootHost, person: Person
) -> None:
    before = refusing.snapshot()
    done = person.run(person.x11fwd("setup", "--yes", "gpu1"), timeout=400)
    assert done.rc == 0, done.stdout + done.stderr
    assert "windows come over the bridge" in done.stdout
    assert "pixel for pixel" in done.stdout
    assert "x11fwd ssh --via bridge" in done.stdout
    assert "X11Forwarding yes" in done.stdout  # the note to an administrator
    assert before is not None


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_verify_over_the_bridge_sees_the_pixels(refusing: ChrootHost, person: Person, transport: str) -> None:
    words = person.x11fwd("verify", "--via", "bridge", "--json", "--transport", transport, "gpu1")
    done = person.run(words, timeout=400)
    assert done.rc == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["plot"]["via"] == "bridge"
    assert document["plot"]["backend"].lower() == "tkagg"
    assert document["plot"]["display"].startswith(("localhost:", "127.0.0.1:"))
    # the authority file is removed with the bridge
    assert not list(refusing.root.glob("run/user/*/x11fwd-*/authority*"))
    assert not list(refusing.root.glob("tmp/x11fwd-*/authority*"))


def test_verify_asks_before_it_walks_around_sshd_and_keeps_the_answer(
    refusing: ChrootHost, person: Person
) -> None:
    refused = person.run(person.x11fwd("verify", "gpu1"), timeout=400)
    assert refused.rc == 1  # nobody was there to ask
    terminal = person.pty(person.x11fwd("verify", "gpu1"))
    terminal.read_until(r"Use it there\?", limit=180)
    terminal.send("y\r")
    assert terminal.wait(limit=180) == 0
    again = person.run(person.x11fwd("verify", "--json", "gpu1"), timeout=400)
    assert again.rc == 0, again.stdout + again.stderr
    assert json.loads(again.stdout)["plot"]["via"] == "bridge"


def test_doctor_names_both_routes(refusing: ChrootHost, person: Person) -> None:
    done = person.run(person.x11fwd("doctor", "--json", "gpu1"), timeout=400)
    document = json.loads(done.stdout)
    found = {finding["id"]: finding for finding in document["findings"]}
    assert document["cause"] == "sshd-x11forwarding-no"
    assert found["bridge-route"]["status"] == "pass"
    assert "--via bridge" in found["bridge-route"]["evidence"]


def test_doctor_says_where_the_bridge_cannot_run(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup())
    host.check(["sh", "-c", "rm -f /usr/bin/python3*"])
    person.alias("gpu2", host, user="ana")
    done = person.run(person.x11fwd("doctor", "--json", "gpu2"), timeout=400)
    found = {finding["id"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["bridge-route"]["status"] == "skip"
    assert "Python 3.6" in found["bridge-route"]["title"]
