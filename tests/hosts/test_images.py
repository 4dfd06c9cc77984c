"""Systems whose programs are an image: setup says so, /usr stays as it is, the plot takes the bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.hosts import ChrootHost, Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.person import Person

# os-release as the image has it (tests/unit/families/systems.txt); ostree(1): /run/ostree-booted is there
# on every system that it started
SILVERBLUE = {
    "/etc/os-release": 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=43\nVARIANT_ID=silverblue\n'
    'PRETTY_NAME="Fedora Linux 43.20251021.0 (Silverblue)"\n',
    "/run/ostree-booted": "",
}
FLATCAR = {
    "/etc/os-release": 'NAME="Flatcar Container Linux by Kinvolk"\nID=flatcar\nID_LIKE=coreos\n'
    'VERSION_ID=4459.0.0\nPRETTY_NAME="Flatcar Container Linux by Kinvolk 4459.0.0 (Oklo)"\n'
}
SUDO = "ana ALL=(ALL) NOPASSWD: ALL"
# whoever runs it has broken the promise
RPM_OSTREE = "#!/bin/sh\necho ran >/var/tmp/rpm-ostree-ran\nexit 1\n"


def imaged(host: ChrootHost, *without: str) -> ChrootHost:
    """Take programs away, then make /usr what it is on such a system: a mount that nobody can write to."""
    host.check(["sh", "-ec", 'rm -f "$@"', "rm", *without])
    host.check(["sh", "-ec", "mount --bind /usr /usr; mount -o remount,bind,ro /usr"])
    assert host.run(["touch", "/usr/bin/xauth"]).rc != 0
    return host


def words(text: str) -> str:
    return " ".join(text.split())


def test_setup_on_an_image_ends_in_a_plot_over_the_bridge(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "plot", Setup(files=SILVERBLUE, sudo=SUDO))
    host.write("/usr/bin/rpm-ostree", RPM_OSTREE, mode=0o755)
    imaged(host, "/usr/bin/xauth")
    person.alias("fedora1", host, user="ana")

    done = person.run(person.x11fwd("setup", "--yes", "fedora1"), timeout=240)
    said = words(done.stdout)
    assert done.rc == 0, done.stdout + done.stderr
    assert "(Silverblue) is an image that takes no programs while it runs (ostree)" in said
    assert "windows come over the bridge" in said
    assert "pixel for pixel" in said
    assert "rpm-ostree install xorg-x11-xauth" in said  # for who wants ssh's own forwarding all the same
    assert "Next: `x11fwd ssh --via bridge fedora1`" in said
    assert not (host.root / "var/tmp/rpm-ostree-ran").exists()

    # once more: nothing is left that x11fwd could do, and it ends as well as before
    again = person.run(person.x11fwd("setup", "--yes", "fedora1"), timeout=240)
    assert again.rc == 0, again.stdout + again.stderr
    assert "pixel for pixel" in words(again.stdout)
    # sshd lists the key's options, and then says that xauth is missing: they are not to blame
    assert "the key's own options" not in words(again.stdout)


def test_an_image_without_a_python_is_told_what_the_bridge_needs(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(files=FLATCAR, sudo=SUDO))
    imaged(host, "/usr/bin/xauth", "/usr/bin/python3", "/usr/bin/python3.11")
    person.alias("flatcar1", host, user="ana")
    done = person.run(person.x11fwd("setup", "--yes", "flatcar1"), timeout=240)
    said = words(done.stdout)
    assert done.rc != 0, done.stdout + done.stderr
    assert "(Oklo) is an image that takes no programs while it runs (/usr is read-only)" in said
    assert "`x11fwd ssh --via bridge` needs no xauth, but a Python: `uv python install`" in said
    assert "Next: `ssh flatcar1 'uv python install'`" in said
    assert "Traceback" not in done.stderr
    assert not (host.root / "usr/bin/xauth").exists()
