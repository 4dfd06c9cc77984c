"""The command that installs one thing by hand, per family of systems; imported by the checks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.report import Fix, FixBy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.model import SystemFacts

__all__ = ["by_hand"]

# Package names of FAILURES.md F31, F58, F112 and the distributions' own indexes.
_FAMILIES: Mapping[str, str] = {
    "debian": "apt-get install --no-install-recommends",
    "fedora": "dnf install",
    "suse": "zypper install",
    "arch": "pacman -S",
    "alpine": "apk add",
    "macos": "brew install",
    "windows": "winget install",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "xauth": {
        "debian": "xauth",
        "fedora": "xorg-x11-xauth",
        "suse": "xauth",
        "arch": "xorg-xauth",
        "alpine": "xauth",
        "macos": "--cask xquartz",
    },
    "ssh": {
        "debian": "openssh-client",
        "fedora": "openssh-clients",
        "suse": "openssh-clients",
        "arch": "openssh",
        "alpine": "openssh-client",
        "macos": "openssh",
        "windows": "Microsoft.OpenSSH.Beta",
    },
    "xwayland": {
        "debian": "xwayland",
        "fedora": "xorg-x11-server-Xwayland",
        "suse": "xwayland",
        "arch": "xorg-xwayland",
        "alpine": "xwayland",
    },
    "x-server": {"macos": "--cask xquartz", "windows": "marha.VcXsrv"},
}
_ALIASES: Mapping[str, str] = {
    "ubuntu": "debian",
    "rhel": "fedora",
    "centos": "fedora",
    "almalinux": "fedora",
    "rocky": "fedora",
    "amzn": "fedora",
    "sles": "suse",
    "opensuse": "suse",
    "opensuse-leap": "suse",
    "opensuse-tumbleweed": "suse",
    "darwin": "macos",
}


def family(system: SystemFacts) -> str | None:
    """`debian`, `fedora`, `suse`, `arch`, `alpine`, `macos`, `windows`, or None."""
    for word in (system.os_id, *system.os_like, system.kernel.lower()):
        known = _ALIASES.get(word, word)
        if known in _FAMILIES:
            return known
    return None


def by_hand(thing: str, system: SystemFacts, *, root: bool = False) -> Fix | None:
    """The command that installs `xauth`, `ssh`, `xwayland` or `x-server`; None where nobody knows its name.

    Args:
        root: the person is root already, so that no sudo is needed.
    """
    kind = family(system)
    name = _NAMES[thing].get(kind or "")
    if kind is None or name is None:
        return _of_family(thing, system, root=root)
    sudo = "" if root or kind in {"macos", "windows"} else "sudo "
    return Fix(f"{sudo}{_FAMILIES[kind]} {name}", FixBy.YOU)


def _of_family(thing: str, system: SystemFacts, *, root: bool) -> Fix | None:
    """What the family files say of other systems (Void, FreeBSD, …)."""
    from x11fwd.playbook import load_families

    found = load_families().find(system.os_id, system.os_like)
    manager = next(iter(found.managers.values()), None) if found else None
    choice = found.packages.get(thing, ())[-1:] if found else ()
    if manager is None or not choice or not choice[0].names:
        return None
    sudo = "" if root or not manager.root else "sudo "
    return Fix(f"{sudo}{' '.join((*manager.by_hand[-1], *choice[0].names))}", FixBy.YOU)
