"""The bridge in `setup`, `verify` and `doctor`: the second route where sshd does not forward X11."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup, diff
from tests.lab.relay import Relay

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


def test_a_far_host_is_set_up_its_forwarding_is_proven_and_its_plot_takes_the_bridge(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=False))
    with Relay(host.port, delay=0.0125) as relay:
        person.alias("far", host, user="root", port=relay.port)
        done = person.run(person.x11fwd("setup", "--yes", "far"), timeout=400)
    assert done.rc == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "far: set up" in said
    assert "round trip is far; ssh's own forwarding works, too" in said
    assert "Next: `x11fwd ssh far`" in said


def test_setup_of_a_far_host_whose_forwarding_does_not_work_fails_although_the_bridge_would_do(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    # with ~/.ssh/rc sshd leaves xauth to it (session.c, do_rc_files): granted, and no program has the cookie
    host = new_chroot_host("bookworm", "plot", Setup(files={"/root/.ssh/rc": "true\n"}))
    with Relay(host.port, delay=0.0125) as relay:
        person.alias("far", host, user="root", port=relay.port)
        done = person.run(person.x11fwd("setup", "--yes", "--json", "far"), timeout=400)
        (result,) = json.loads(done.stdout)["hosts"]
        assert (done.rc, result["status"], result["via"]) == (1, "done", "native"), done.stdout + done.stderr
        assert result["verification"]["cause"] == "ssh-rc-eats-cookie"
        over = person.run(person.x11fwd("verify", "--json", "far"), timeout=400)
        assert (over.rc, json.loads(over.stdout)["plot"]["via"]) == (0, "bridge"), over.stdout + over.stderr


def test_setup_reads_the_persons_settings_before_it_changes_anything(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=False))
    person.alias("gpu1", host, user="root")
    person.write(".config/x11fwd/config", "Via pigeon\n")
    before = host.snapshot()
    done = person.run(person.x11fwd("setup", "--yes", "gpu1"), timeout=400)
    assert done.rc == 2
    assert "config:1:Viaisnative" in "".join(done.stderr.split())
    assert diff(before, host.snapshot()) == []


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


def test_from_a_machine_reached_by_ssh_itself_the_bridge_gets_the_one_cookie_that_there_is(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    far = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True))
    here = new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True, x11fwd=True))
    here.write("/home/ana/.ssh/key", far.key_path.read_text(), mode=0o600, user="ana")
    here.write(
        "/home/ana/.ssh/config",
        f"Host far\n    HostName {far.address}\n    Port {far.port}\n    IdentityFile ~/.ssh/key\n"
        "    StrictHostKeyChecking no\n",
        mode=0o600,
        user="ana",
    )
    person.alias("desk", here, user="ana")
    # -Y: that display has SECURITY, and the ssh in between hands on no cookie but the one it knows
    done = person.run(["ssh", "-Y", "desk", "x11fwd verify --via bridge --json far"], timeout=400)
    assert done.rc == 0, done.stdout + done.stderr
    plot = json.loads(done.stdout)["plot"]
    assert (plot["via"], plot["forwarding"]) == ("bridge", "over the bridge, trusted")
