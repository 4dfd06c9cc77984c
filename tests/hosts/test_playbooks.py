"""Another playbook, other Pythons, through the front door: Qt, a venv and PyPI's matplotlib, --only-me."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.engine_rig import COOKIES, settle
from tests.lab.hosts import Setup, diff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.host import Host
    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

SUDO = "ana ALL=(ALL) NOPASSWD: ALL"


def give_pip_this_machines_way_out(host: Host) -> None:
    """pip may need an index or a certificate of its own here; the host's pip is told the same."""
    lines = ["[global]"]
    if index := os.environ.get("PIP_INDEX_URL"):
        lines.append(f"index-url = {index}")
    if bundle := os.environ.get("PIP_CERT"):
        host.write("/etc/pip-cert.pem", Path(bundle).read_bytes())
        lines.append("cert = /etc/pip-cert.pem")
    host.write("/etc/pip.conf", "\n".join(lines) + "\n")


def plot(person: Person, *words: str) -> dict[str, object]:
    """What `x11fwd verify --json` says of the plot; the pixels must have arrived."""
    ran = person.run(person.x11fwd("verify", "--json", *words), timeout=400)
    document = json.loads(ran.stdout)
    assert ran.rc == 0, document
    said = document["plot"]
    assert isinstance(said, dict)
    return said


def test_the_qt_playbook_brings_a_qt_window_and_undo_takes_it_back(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(sudo=SUDO))
    before = host.snapshot()
    name = person.alias("gpu1", host)
    ran = person.run(person.x11fwd("setup", "--yes", "--playbook", "qt", name), timeout=400)
    assert ran.rc == 0, ran.stdout + ran.stderr
    assert str(plot(person, name)["backend"]).lower() == "qtagg"
    again = person.run(person.x11fwd("setup", "--yes", "--playbook", "qt", name))
    assert again.rc == 0
    assert "nothing was changed" in again.stdout
    undone = person.run(person.x11fwd("undo", "--yes", name), timeout=400)
    assert undone.rc == 0, undone.stdout + undone.stderr
    settle(host)
    assert diff(before, host.snapshot(), ignore=COOKIES) == []


def test_a_venv_gets_the_newest_matplotlib_from_its_own_pip(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("trixie", "plot", Setup(x11_forwarding=True, sudo=SUDO))
    host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "python3-venv"])
    host.check(["python3", "-m", "venv", "/home/ana/env"], user="ana")
    give_pip_this_machines_way_out(host)
    listing = ["/home/ana/env/bin/pip", "list", "--format=freeze"]
    before = host.check(listing, user="ana")
    name = person.alias("gpu1", host)
    python = ["--python", "/home/ana/env/bin/python"]
    ran = person.run(person.x11fwd("setup", "--yes", *python, name), timeout=400)
    assert ran.rc == 0, ran.stdout + ran.stderr
    said = plot(person, *python, name)
    assert str(said["backend"]).lower() == "tkagg"
    assert f"matplotlib=={said['matplotlib']}" in host.check(listing, user="ana")
    system = host.check(["python3", "-c", "import matplotlib; print(matplotlib.__version__)"]).strip()
    assert said["matplotlib"] != system
    undone = person.run(person.x11fwd("undo", "--yes", name), timeout=400)
    assert undone.rc == 0, undone.stdout + undone.stderr
    assert host.check(listing, user="ana") == before
    assert not (host.root / "home/ana/.config/matplotlib/matplotlibrc").exists()


def test_only_me_lets_this_login_forward_and_nobody_else(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(sudo=SUDO))
    mine, theirs = person.alias("mine", host), person.alias("theirs", host, user="ben")
    ran = person.run(person.x11fwd("setup", "--yes", "--only-me", mine), timeout=400)
    assert ran.rc == 0, ran.stdout + ran.stderr
    assert plot(person, mine)["backend"]
    shown = {
        name: person.run(["ssh", "-X", name, "printenv DISPLAY"]).stdout.strip() for name in (mine, theirs)
    }
    assert shown[mine].startswith("localhost:")
    assert shown[theirs] == ""
