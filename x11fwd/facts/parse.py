"""From the probe's answers to RemoteFacts; pure, imported by facts/remote.py and its tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.facts.account import parse_account
from x11fwd.facts.listing import parse_listing
from x11fwd.facts.model import (
    AuthorityFile,
    HomeFacts,
    PackageManager,
    Privilege,
    PrivilegeKind,
    RemoteFacts,
    SystemFacts,
    Unknown,
    XauthFacts,
    known,
)
from x11fwd.facts.network import parse_network
from x11fwd.facts.os_release import parse_os_release
from x11fwd.facts.pythons import PythonAnswers, parse_pythons
from x11fwd.facts.sshd import parse_sshd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.answers import Answers
    from x11fwd.transports.base import X11Outcome

__all__ = ["NOISE_LIMIT", "parse_environment", "parse_remote", "parse_system"]

# Program -> name in the family files; earlier ones win where no distribution says which.
_MANAGERS = {
    "rpm-ostree": "rpm-ostree",
    "apt-get": "apt",
    "dnf": "dnf",
    "microdnf": "microdnf",
    "tdnf": "tdnf",
    "yum": "yum",
    "zypper": "zypper",
    "pacman": "pacman",
    "apk": "apk",
    "xbps-install": "xbps",
    "emerge": "portage",
    "eopkg": "eopkg",
    "swupd": "swupd",
    "pkg": "pkg",
    "brew": "brew",
    "port": "macports",
    "nix-env": "nix",
    "guix": "guix",
    "transactional-update": "transactional-update",
}
# Debian has dnf, zypper and pacman as packages: where several are there, the distribution's own counts.
_OWN = {
    "debian": ("apt",),
    "ubuntu": ("apt",),
    "fedora": ("rpm-ostree", "dnf", "microdnf", "yum"),
    "rhel": ("rpm-ostree", "dnf", "microdnf", "yum"),
    "centos": ("dnf", "microdnf", "yum"),
    "suse": ("zypper",),
    "opensuse": ("zypper",),
    "arch": ("pacman",),
    "alpine": ("apk",),
}
_NO_SPACE = re.compile(r"No space left|[Qq]uota exceeded|EDQUOT|ENOSPC")
NOISE_LIMIT = 200  # characters of it are kept


def parse_remote(
    answers: Answers,
    *,
    x11: X11Outcome,
    server_version: str | None = None,
) -> RemoteFacts:
    """Everything that one run of the probe says about a machine."""
    system = parse_system(answers)
    user, uid, groups = _identity(answers.first("user.id") or "")
    login = _login_environment(answers)
    pythons = parse_pythons(answers)
    start = _start_environment(answers, x11)
    noise = answers.text("login.noise") or ""
    return RemoteFacts(
        system=system,
        user=user,
        uid=uid,
        home=_home(answers),
        shell=answers.first("user.shell") or "",
        privilege=_privilege(answers),
        package_manager=_package_manager(answers, system),
        package_managers=tuple(PackageManager(*one) for one in _managers(answers).items()),
        modules=tuple(dict.fromkeys((answers.text("modules") or "").split())),
        sshd=parse_sshd(answers, server_version),
        xauth=_xauth(answers),
        authority=_authority(answers, login, start, pythons),
        stored_in=_stored_in(answers, start, pythons),
        start_environment=start,
        login_environment=login,
        login_path=login.get("PATH", "") if not isinstance(login, Unknown) else login,
        pythons=pythons.pythons,
        x11=x11,
        remote_handshake=pythons.handshake,
        round_trip=pythons.round_trip,
        noisy_login=noise.strip()[:NOISE_LIMIT],
        journal=bool(answers.all("journal.entry")),
        ssh_rc=answers.first("ssh_rc"),
        groups=groups,
        network=parse_network(answers),
        account=parse_account(answers),
    )


def parse_system(answers: Answers) -> SystemFacts:
    """uname(1), os-release(5), process 1; the local probe prints the same keys."""
    words = (answers.first("system.uname") or "").split()
    # `uname -snrm`: some systems' machine names have blanks, the first three never
    kernel, hostname, release = ([*words, "", "", ""])[:3]
    values = parse_os_release(answers.text("system.os_release") or "")
    macos = answers.first("system.macos")
    if kernel == "Darwin" or macos:
        values = {"ID": "macos", "VERSION_ID": macos or "", "PRETTY_NAME": f"macOS {macos or ''}".strip()}
    return SystemFacts(
        kernel=kernel,
        release=release,
        machine=" ".join(words[3:]),
        # FreeBSD 12 and other systems without the file are called by their kernel
        os_id=(values.get("ID") or ("" if kernel == "Linux" else kernel)).lower(),
        os_like=tuple(values.get("ID_LIKE", "").lower().split()),
        version_id=values.get("VERSION_ID", ""),
        pretty_name=values.get("PRETTY_NAME", ""),
        hostname=hostname,
        init=_init(answers, kernel),
        image=answers.first("system.image") or "",
    )


def _init(answers: Answers, kernel: str) -> str | Unknown:
    if kernel == "Darwin":
        return "launchd"
    if kernel in {"FreeBSD", "DragonFly", "NetBSD", "OpenBSD"}:
        return "rc"
    comm = answers.first("init.comm")
    # sd_booted(3): the directory is there where systemd is process 1, and nowhere else
    if answers.first("init.systemd"):
        return "systemd"
    if answers.first("init.openrc"):
        return "openrc"
    if comm is None:
        return Unknown("/proc/1/comm is not readable")
    if comm == "init":
        return "sysvinit"
    return comm if comm in {"systemd", "runit", "shepherd"} else "none"


def _identity(text: str) -> tuple[str, int, tuple[str, ...]]:
    """`uid=1000(ana) gid=1000(ana) groups=1000(ana),27(sudo)`, id(1)."""
    uid = re.match(r"uid=(\d+)(?:\(([^)]*)\))?", text)
    groups = re.search(r"groups=(\S.*)$", text)
    # busybox prints no groups= where there is but the one
    primary = re.search(r"gid=(\d+\([^)]*\))", text)
    names = re.findall(r"\d+\(([^)]*)\)", groups[1] if groups else primary[1] if primary else "")
    if uid is None:
        return "", -1, ()
    return uid[2] or uid[1], int(uid[1]), tuple(names)


def parse_environment(text: str) -> dict[str, str]:
    """Lines `NAME=value`."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def _start_environment(answers: Answers, x11: X11Outcome) -> dict[str, str]:
    """What sshd set; its DISPLAY by its listener, where a start file got at the variable before us."""
    start = parse_environment(answers.text("start.environment") or "")
    listeners = answers.all("start.listener")
    # of several sessions' listeners nobody can say which is ours
    if x11.granted and len(listeners) == 1:
        start["DISPLAY"] = f"localhost:{listeners[0]}.0"
    return start


def _login_environment(answers: Answers) -> dict[str, str] | Unknown:
    text = answers.text("login.environment")
    if text is not None:
        return parse_environment(text)
    return answers.why("login") or Unknown("the login shell was not asked")


def _home(answers: Answers) -> HomeFacts:
    path = answers.first("home.path") or ""
    if answers.first("home.exists") != "yes":
        return HomeFacts(path, exists=False, writable=False, problem=f"{path or 'HOME'} is not there")
    listing = parse_listing(answers.first("home.ls") or "")
    problem = answers.first("home.write") or ""
    writable: bool | Unknown = problem == "ok"
    full = bool(_NO_SPACE.search(problem))
    if not problem:
        writable, full = Unknown("the write test gave no answer"), False
    return HomeFacts(
        path,
        exists=True,
        writable=writable,
        full=full,
        free_bytes=_free(answers),
        owner=listing.owner if listing else "",
        problem="" if problem == "ok" else problem,
    )


def _free(answers: Answers) -> int | Unknown:
    """The last line of `df -Pk`: device, 1024-blocks, used, available, capacity, mount point."""
    line = answers.first("home.df")
    found = re.search(r"\s(-?\d+)\s+(-?\d+)\s+(-?\d+)\s+\S+%?\s+/", line or "")
    if found is None:
        return answers.why("home.df") or Unknown("df says nothing that can be read")
    return max(0, int(found[3])) * 1024


def _privilege(answers: Answers) -> Privilege:
    granted = answers.first("rights")
    if granted == "root":
        return Privilege(PrivilegeKind.ROOT, "uid 0")
    if granted == "sudo":
        return Privilege(PrivilegeKind.SUDO, "sudo -n works without a password")
    if granted == "doas":
        return Privilege(PrivilegeKind.DOAS, "doas -n works without a password")
    refused = dict(line.partition(": ")[::2] for line in _refusals(answers))
    sudo = refused.get("sudo")
    if sudo is None:
        evidence = "; ".join(f"{tool}: {words}" for tool, words in refused.items())
        return Privilege(PrivilegeKind.NONE, evidence or "neither sudo nor doas is there")
    if re.search(r"password is required|a terminal is required|no password was provided", sudo):
        return Privilege(PrivilegeKind.SUDO_PASSWORD, sudo)
    return Privilege(PrivilegeKind.NONE, f"sudo: {sudo}")


def _refusals(answers: Answers) -> list[str]:
    """`tool: its words`, the last line that says something of each."""
    found = []
    for text in (*answers.all("rights.refused"), *(one.text for one in answers.all_texts("rights.refused"))):
        tool, _, words = text.partition(": ")
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        last = lines[-1] if lines else "it gave no answer in time"
        found.append(f"{tool}: {last.removeprefix(f'{tool}: ')}")
    return found


def _managers(answers: Answers) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in answers.all("packages"):
        program, _, path = line.partition("\t")
        found.setdefault(_MANAGERS.get(program, program), path)
    return found


def _package_manager(answers: Answers, system: SystemFacts) -> PackageManager | None:
    found = _managers(answers)
    for name in (system.os_id, *system.os_like):
        for manager in _OWN.get(name.split("-")[0], ()):
            if manager in found:
                return PackageManager(manager, found[manager])
    for manager in _MANAGERS.values():
        if manager in found:
            return PackageManager(manager, found[manager])
    return None


def _xauth(answers: Answers) -> XauthFacts:
    path = answers.first("xauth.path")
    version = answers.first("xauth.version") or answers.why("xauth.version") or Unknown("there is no xauth")
    return XauthFacts(path, version)


def _authority(
    answers: Answers, login: Mapping[str, str] | Unknown, start: Mapping[str, str], pythons: PythonAnswers
) -> AuthorityFile | None:
    """The file that a program in the login shell would use: that of its XAUTHORITY, else the session's."""
    from_login = known(login)
    if from_login and from_login.get("XAUTHORITY") and answers.first("login.authority.path"):
        return _authority_file(answers, "login.authority", from_variable=True, pythons=pythons)
    return _stored_in(answers, start, pythons)


def _stored_in(answers: Answers, start: Mapping[str, str], pythons: PythonAnswers) -> AuthorityFile | None:
    """The file in which sshd's xauth has put the cookie, before any start file was read (session.c)."""
    if not answers.first("authority.path"):
        return None
    return _authority_file(answers, "authority", from_variable=bool(start.get("XAUTHORITY")), pythons=pythons)


def _authority_file(
    answers: Answers, key: str, *, from_variable: bool, pythons: PythonAnswers
) -> AuthorityFile:
    path = answers.first(f"{key}.path") or ""
    locks = answers.all(f"{key}.lock")
    listing = parse_listing(answers.first(f"{key}.ls") or "")
    if listing is None:
        return AuthorityFile(
            path,
            from_variable=from_variable,
            locks=locks,
            holders=answers.all(f"{key}.holder"),
            left=answers.first(f"{key}.left"),
        )
    text = answers.text(f"{key}.entries")
    entries: tuple[str, ...] | Unknown
    others: tuple[str, ...] = ()
    if text is not None:
        entries = tuple(line.partition(" ")[0] for line in text.splitlines() if line)
        others = tuple(line for line in text.splitlines() if " " in line)
    elif pythons.authority == path and not isinstance(pythons.entries, Unknown):
        entries = pythons.entries  # without xauth, the interpreter read it
    else:
        entries = answers.why(f"{key}.entries") or Unknown("not asked")
    return AuthorityFile(
        path,
        from_variable=from_variable,
        exists=True,
        is_directory=listing.kind == "d",
        owner=listing.owner,
        mode=listing.mode,
        writable=answers.first(f"{key}.writable") == "yes",
        locks=locks,
        entries=entries,
        others=others,
        holders=answers.all(f"{key}.holder"),
        left=answers.first(f"{key}.left"),
    )
