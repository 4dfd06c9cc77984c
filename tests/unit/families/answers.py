"""The probe's whole answer of one system of systems.txt, and what its manager would say; tests beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts.answers import parse_answers
from x11fwd.facts.parse import parse_remote
from x11fwd.playbook import load_families, load_playbook
from x11fwd.steps.planner import make_plan, questions
from x11fwd.steps.questions import Answers, CommandAnswer
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.plan import Plan

NONCE = "0123456789abcdef01234567"
FAMILIES = load_families()
XAUTH = {"freebsd": "/usr/local/bin/xauth", "macos": "/opt/X11/bin/xauth"}
CONFIG = """\
=sshd.config\t/etc/ssh/sshd_config
+sshd.file\t/etc/ssh/sshd_config
|Include /etc/ssh/sshd_config.d/*.conf
|X11Forwarding no
|
=sshd.include\t/etc/ssh/sshd_config\t/etc/ssh/sshd_config.d/*.conf
=sshd.version\tOpenSSH_9.6p1, OpenSSL 3.2.2
=sshd.connection\tuser=ana,host=192.0.2.9,addr=192.0.2.9,laddr=192.0.2.1,lport=22
"""


@dataclass(frozen=True)
class System:
    """One line of systems.txt."""

    name: str
    os_id: str
    os_like: str
    version: str
    pretty: str
    init: str
    managers: str
    python: str
    image: str

    def answer(self, *, ready: bool = False, rights: str = "sudo") -> bytes:
        """What the probe prints there: bare, or with everything in place."""
        kind, _, service = self.init.partition(" ")
        kernel = {"macos": "Darwin", "freebsd": "FreeBSD"}.get(self.os_id, "Linux")
        forwarding = "yes" if ready else "no"
        lines = [
            "=user.id\tuid=1000(ana) gid=1000(ana) groups=1000(ana)",
            "=user.shell\t/bin/sh",
            "=home.path\t/home/ana",
            "=home.exists\tyes",
            "=home.ls\tdrwx------ 3 ana ana 95 Nov 20 09:12 /home/ana",
            "=home.write\tok",
            f"=system.uname\t{kernel} host 6.6.0 x86_64",
            *self._system(kernel),
            *_init(kind, service),
            *(f"=packages\t{name}\t/usr/bin/{name}" for name in self.managers.split()),
            *([f"=system.image\t{self.image}"] if self.image else []),
            *(
                [f"=rights\t{rights}"]
                if rights
                else ["=rights.refused\tsudo: ana is not in the sudoers file"]
            ),
            f"=xauth.path\t{XAUTH.get(self.os_id, '/usr/bin/xauth') if ready else ''}",
            "=sshd.binary\t/usr/sbin/sshd",
            *CONFIG.splitlines(),
            f"+sshd.effective\t\n|x11forwarding {forwarding}\n|disableforwarding no",
            f"|xauthlocation {XAUTH.get(self.os_id, '/usr/bin/xauth')}\n|usedns no",
            f"=sshd.xauth_exists\t{forwarding}",
            "+start.environment\t\n|SSH_CONNECTION=192.0.2.9 40000 192.0.2.1 22",
            "+login.environment\t\n|HOME=/home/ana\n|PATH=/usr/bin:/bin",
            self._python(ready=ready),
            f".{NONCE}",
        ]
        return ("\n".join(lines) + "\n").encode()

    def facts(self, *, ready: bool = False, rights: str = "sudo") -> RemoteFacts:
        granted = X11Outcome(requested=True, granted=ready)
        return parse_remote(parse_answers(self.answer(ready=ready, rights=rights), NONCE), x11=granted)

    def _system(self, kernel: str) -> list[str]:
        if kernel == "Darwin":
            return [f"=system.macos\t{self.version}"]
        values = {
            "ID": self.os_id,
            "ID_LIKE": self.os_like,
            "VERSION_ID": self.version,
            "PRETTY_NAME": self.pretty,
        }
        text = [f'|{name}="{value}"' for name, value in values.items() if value]
        return ["+system.os_release\t/etc/os-release", *text, "|"]

    def _python(self, *, ready: bool) -> str:
        if not self.python:
            return "=pythons\tnone"
        version, prefix, *flags = self.python.split()
        tk = (
            {"version": "8.6.13"} if ready else {"problem": "ModuleNotFoundError: No module named '_tkinter'"}
        )
        backend = {
            "version": "3.8.4",
            "wish": "TkAgg",
            "rc_file": "/home/ana/.config/matplotlib/matplotlibrc",
            "rc_lines": [[1, "backend: TkAgg"]],
            "user_rc": "/home/ana/.config/matplotlib/matplotlibrc",
            "user_rc_exists": True,
            "user_rc_text": "backend: TkAgg\n",
            "backend": "tkagg",
        }
        answer = {
            "executable": f"{prefix}/bin/python3",
            "version": version,
            "prefix": prefix,
            "base_prefix": prefix,
            "managed": "managed" in flags,
            "pip": "pip" in flags,
            "conda": False,
            "platform": {"macos": "darwin", "freebsd": "freebsd14"}.get(self.os_id, "linux"),
            "tk": tk,
            "qt": {"problem": ""},
            "matplotlib": backend if ready else {},
            "handshake": {"display": ""},
        }
        return f"=python.full\tlogin shell\t{prefix}/bin/python3\t{json.dumps(answer)}"


def _init(kind: str, service: str) -> list[str]:
    """What tells who looks after sshd, and its service."""
    comm = {"openrc": "init", "sysvinit": "init"}.get(kind, kind)
    lines = [] if kind in {"rc", "launchd"} else [f"=init.comm\t{comm}"]
    if kind == "systemd":
        units = f"|Id={service}\n|LoadState=loaded\n|ActiveState=active\n|MainPID=812\n"
        lines += [
            "=init.systemd\tyes",
            "=sshd.pid\t812",
            f"+sshd.units\t\n{units}|\n|Id=ssh.socket\n|LoadState=not-found",
        ]
    elif kind in {"openrc", "sysvinit"}:
        lines.append(f"=sshd.initd\t/etc/init.d/{service}")
        lines += ["=init.openrc\tyes"] if kind == "openrc" else []
    elif kind == "runit":
        lines.append(f"=sshd.runit\t/var/service/{service}")
    return lines


def systems() -> dict[str, System]:
    """Every line of systems.txt."""
    found = {}
    for line in (Path(__file__).parent / "systems.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            words = [word.strip() for word in line.split("|")]
            name = words[0].removesuffix("*").strip()
            os_id, os_like, version, pretty, init, managers, python = words[1:8]
            image = "".join(words[8:9])
            found[name] = System(name, os_id, os_like, version, pretty, init, managers, python, image)
    return found


def planned(
    facts: RemoteFacts,
    playbook: str = "default",
    *,
    offered: bool = True,
    libraries: bool = True,
) -> Plan:
    """The plan after its questions were answered: nothing is installed; files are absent.

    Args:
        offered: repositories that not every host has are there.
        libraries: those that Qt's wheels load from the system are there.
    """
    book = load_playbook(playbook)
    asked = questions(book, FAMILIES, facts)
    commands = {}
    for argv in asked.commands:
        if "import ctypes" in argv[2]:
            commands[argv] = CommandAnswer(0, "" if libraries else "\n".join(argv[3:]))
        elif argv[3:4] == ("offered",):
            commands[argv] = CommandAnswer(0, "\n".join(argv[4:]) if offered else "")
        else:
            commands[argv] = CommandAnswer(0)
    return make_plan(book, FAMILIES, facts, answers=Answers(dict.fromkeys(asked.files), commands))
