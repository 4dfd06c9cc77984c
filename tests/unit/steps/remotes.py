"""Remote hosts as facts, for tests of planning: a bare Debian, and ways to change one thing."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.model import (
    HomeFacts,
    MatplotlibFacts,
    PackageManager,
    Privilege,
    PrivilegeKind,
    PythonFacts,
    PythonKind,
    RemoteFacts,
    SettingSource,
    SshdFacts,
    SystemFacts,
    Unknown,
    XauthFacts,
)
from x11fwd.playbook import Families, load_families, load_playbook
from x11fwd.steps.planner import make_plan, questions
from x11fwd.steps.questions import Answers, CommandAnswer
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from x11fwd.steps.plan import Change, Plan

MAIN = "/etc/ssh/sshd_config"
DROP_INS = "/etc/ssh/sshd_config.d"
# what matters of Debian's file, with X11Forwarding switched off
DEBIAN_MAIN = """\
# This is the sshd server system-wide configuration file.
Include /etc/ssh/sshd_config.d/*.conf
#Port 22
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding no
PrintMotd no
AcceptEnv LANG LC_*
Subsystem\tsftp\t/usr/lib/openssh/sftp-server
"""
OFF = MappingProxyType(
    {"x11forwarding": "no", "disableforwarding": "no", "xauthlocation": "/usr/bin/xauth", "usedns": "no"}
)
ON = MappingProxyType({**OFF, "x11forwarding": "yes"})
RC = "/home/ana/.config/matplotlib/matplotlibrc"
REFUSED = X11Outcome(requested=True, granted=False)
GRANTED = X11Outcome(requested=True, granted=True)
DEBIAN = {
    "11": ("Debian GNU/Linux 11 (bullseye)", "OpenSSH_8.4p1 Debian-5+deb11u5", "3.9.2"),
    "12": ("Debian GNU/Linux 12 (bookworm)", "OpenSSH_9.2p1 Debian-2+deb12u7", "3.11.2"),
    "13": ("Debian GNU/Linux 13 (trixie)", "OpenSSH_10.0p2 Debian-7", "3.13.5"),
}


def bare(version: str = "12") -> RemoteFacts:
    """A Debian with Python and sshd, and nothing that a window needs; sudo is there."""
    name, sshd, python = DEBIAN[version]
    return RemoteFacts(
        system=SystemFacts(
            "Linux",
            os_id="debian",
            version_id=version,
            pretty_name=name,
            hostname="gpu1",
            init="systemd",
        ),
        user="ana",
        uid=1000,
        home=HomeFacts("/home/ana", exists=True, writable=True, owner="ana"),
        shell="/bin/bash",
        privilege=Privilege(PrivilegeKind.SUDO),
        package_manager=PackageManager("apt", "/usr/bin/apt-get"),
        sshd=SshdFacts(
            "/usr/sbin/sshd",
            sshd,
            service=("systemd", "ssh.service"),
            config_file=MAIN,
            include_dirs=(f"{DROP_INS}/*.conf",),
            files=MappingProxyType({MAIN: DEBIAN_MAIN}),
            effective=OFF,
            connection="user=ana,host=203.0.113.5,addr=203.0.113.5,laddr=192.0.2.7,lport=22",
            xauth_found=False,
        ),
        xauth=XauthFacts(None),
        authority=None,
        start_environment=MappingProxyType({"SSH_CONNECTION": "203.0.113.5 50722 192.0.2.7 22"}),
        login_environment=MappingProxyType({}),
        login_path="/usr/bin:/bin",
        pythons=(
            PythonFacts(
                "/usr/bin/python3",
                found_by="login shell",
                executable="/usr/bin/python3",
                version=python,
                prefix="/usr",
                base_prefix="/usr",
                kind=PythonKind.SYSTEM,
                tkinter=None,
                tkinter_problem="ModuleNotFoundError: No module named 'tkinter'",
                qt=None,
                matplotlib=MatplotlibFacts(None),
            ),
        ),
        x11=REFUSED,
        groups=("ana", "users"),
    )


def ready(version: str = "12") -> RemoteFacts:
    """The same host after setup."""
    host = with_matplotlib(
        bare(version),
        version="3.6.3",
        rc_file="/etc/matplotlibrc",
        rc_backend=SettingSource("/etc/matplotlibrc", 85, text="backend: TkAgg"),
        backend_wish=("TkAgg", SettingSource("/etc/matplotlibrc", 85, text="backend: TkAgg")),
        user_rc=RC,
        user_rc_text=None,
    )
    host = with_python(host, tkinter="8.6.13")
    host = with_sshd(
        host, {f"{DROP_INS}/00-x11fwd.conf": "X11Forwarding yes\n"}, effective=ON, xauth_found=True
    )
    return replace(host, xauth=XauthFacts("/usr/bin/xauth", "1.1.2"), x11=GRANTED)


def with_sshd(host: RemoteFacts, files: dict[str, str] | None = None, **changes: object) -> RemoteFacts:
    """sshd with more files (a text for MAIN takes its place) and other values."""
    known = host.sshd.files
    assert not isinstance(known, Unknown)
    if files:
        changes["files"] = MappingProxyType({**known, **files})
    return replace(host, sshd=replace(host.sshd, **changes))  # type: ignore[arg-type]


def with_python(host: RemoteFacts, **changes: object) -> RemoteFacts:
    python = host.python
    assert python is not None
    return replace(host, pythons=(replace(python, **changes),))  # type: ignore[arg-type]


def with_matplotlib(host: RemoteFacts, **changes: object) -> RemoteFacts:
    python = host.python
    assert python is not None
    assert isinstance(python.matplotlib, MatplotlibFacts)
    return with_python(host, matplotlib=replace(python.matplotlib, **changes))  # type: ignore[arg-type]


def without_rights(host: RemoteFacts) -> RemoteFacts:
    return replace(host, privilege=Privilege(PrivilegeKind.NONE, "sudo: command not found"))


@cache
def shipped_families() -> Families:
    return load_families()


def planned(
    host: RemoteFacts,
    playbook: str = "default",
    *,
    files: dict[str, bytes | Unknown | None] | None = None,
    installed: tuple[str, ...] = (),
    exits: dict[tuple[str, ...], int] | None = None,
    backend: str | None = None,
    only_me: bool = False,
    sshd_config: str | None = None,
) -> Plan:
    """The plan after its questions were answered: files not named are absent, packages not named too."""
    book, families = load_playbook(playbook), shipped_families()
    asked = questions(book, families, host, backend=backend, only_me=only_me, sshd_config=sshd_config)
    answers = Answers(
        files={path: (files or {}).get(path) for path in asked.files},
        commands={
            argv: CommandAnswer((exits or {}).get(argv, 1))
            if argv[0] != "sh"
            else CommandAnswer(0, "\n".join(name for name in argv[4:] if name in installed))
            for argv in asked.commands
        },
    )
    return make_plan(
        book, families, host, backend=backend, only_me=only_me, sshd_config=sshd_config, answers=answers
    )


def only(plan: Plan) -> Change:
    """The one change of a plan."""
    assert [change.id for change in plan.changes] == [plan.changes[0].id]
    return plan.changes[0]


def shown(plan: Plan) -> str:
    """A plan as text, for golden files."""
    lines: list[str] = []
    for title, changes in (("changes", plan.changes), ("left to an administrator", plan.left_to_admin)):
        if changes:
            lines.append(f"{title}:")
        for change in changes:
            rights = " (root)" if change.become else ""
            lines.append(f"  {change.id}{rights}: {change.title}")
            lines += [f"    {line.mark} {line.text}".rstrip() for line in change.diff]
            lines += [f"    note: {change.note}"] if change.note else []
    lines += [f"warning: {sentence}" for sentence in plan.warnings]
    lines += [f"note: {sentence}" for sentence in plan.notes]
    return re.sub(r"\n?$", "\n", "\n".join(lines) or "nothing to do")
