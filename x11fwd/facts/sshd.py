"""The daemon that let us in: what the probe saw of it, as SshdFacts; pure, imported by facts/parse.py."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from x11fwd.facts.model import SshdFacts, Unknown
from x11fwd.facts.sshd_config import include_patterns, parse_sshd_t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.answers import Answers

__all__ = ["parse_sshd"]

_BAD_CONFIG = re.compile(r"line \d+|[Bb]ad configuration option|unsupported option|terminating, \d+ bad")
_DROP_IN = re.compile(r"^\d*-?x11fwd\.conf$")
_MARK = re.compile(r"(?m)^# BEGIN x11fwd\b")  # our block in the main file (steps/sshd_block.py)


def parse_sshd(answers: Answers, server_version: str | None = None) -> SshdFacts:
    """Everything about sshd; `server_version` is the banner, for a daemon that says no version."""
    binary = answers.first("sshd.binary")
    version = (answers.first("sshd.version") or "").partition(",")[0].strip()
    pid = answers.first("sshd.pid")
    listens = _listens(answers.first("sshd.cmdline") or "")
    files = {one.label: one.text for one in answers.all_texts("sshd.file")}
    main = answers.first("sshd.config") or ""
    effective, problem = _effective(answers, binary)
    socket_unit, service = _service(answers, pid, listens=listens)
    unreadable = tuple(
        reason.removeprefix("reading ").removesuffix(" needs root")
        for reason in answers.unknown.get("sshd.file", ())
    )
    return SshdFacts(
        binary=binary,
        # the banner is the running daemon's, and says more than -V, which an update may have changed since
        version=_banner(server_version)
        or version
        or server_version
        or Unknown("sshd does not say its version"),
        service=service,
        socket_unit=socket_unit,
        config_file=main or Unknown("no file was found"),
        include_dirs=include_patterns(main, files),
        files=files or Unknown(_why_no_files(answers, main)),
        effective=effective,
        xauth_location=_xauth_location(effective),
        ours=_ours(files, main),
        pending=bool(answers.all("sshd.pending")),
        problem=problem,
        listener_pid=int(pid) if listens and pid and pid.isdigit() else None,
        connection=answers.first("sshd.connection") or "",
        globs=_globs(answers),
        unreadable=unreadable,
        xauth_found=_xauth_found(answers, effective),
    )


def _banner(server_version: str | None) -> str | None:
    return server_version if server_version and server_version.startswith("OpenSSH") else None


def _why_no_files(answers: Answers, main: str) -> str:
    why = answers.why("sshd.file")
    if why is not None:
        return why.reason
    return f"{main or 'its configuration'} is not there"


def _effective(answers: Answers, binary: str | None) -> tuple[Mapping[str, str] | Unknown, str]:
    """What `sshd -T` answered, and its complaint where the configuration is broken."""
    text = answers.text("sshd.effective")
    if text is not None:
        return parse_sshd_t(text), ""
    why = answers.why("sshd.effective")
    if why is not None:
        return why, ""
    if binary is None:
        return Unknown("sshd was not found"), ""
    problem = (answers.text("sshd.problem") or "").strip()
    lines = [line.strip() for line in problem.splitlines() if line.strip()]
    denied = next((line for line in lines if "Permission denied" in line), None)
    if denied is not None:
        return Unknown(f"asking sshd needs root: {denied}"), ""
    last = lines[-1] if lines else "it gave no answer"
    if _BAD_CONFIG.search(problem):
        return Unknown(f"sshd does not accept its configuration: {lines[0]}"), problem
    return Unknown(f"sshd -T failed: {last}"), ""


def _xauth_location(effective: Mapping[str, str] | Unknown) -> str | Unknown:
    if isinstance(effective, Unknown):
        return effective
    value = effective.get("xauthlocation")
    return value if value is not None else Unknown("sshd -T does not name it")


def _xauth_found(answers: Answers, effective: Mapping[str, str] | Unknown) -> bool | Unknown:
    if isinstance(effective, Unknown):
        return effective
    return answers.first("sshd.xauth_exists") == "yes"


def _globs(answers: Answers) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in answers.all("sshd.include"):
        found.setdefault(line.partition("\t")[2], [])
    for line in answers.all("sshd.glob"):
        pattern, _, name = line.partition("\t")
        names = found.setdefault(pattern, [])
        if name not in names:  # an Include may be read twice
            names.append(name)
    return {pattern: tuple(names) for pattern, names in found.items()}


def _ours(files: Mapping[str, str], main: str) -> str | None:
    for name in files:
        if name != main and _DROP_IN.match(posixpath.basename(name)):
            return name
    return main if _MARK.search(files.get(main, "")) else None


def _listens(cmdline: str) -> bool:
    """`sshd: PATH … [listener] …` since 8.2, plain arguments before; `sshd: ana [priv]` serves one login."""
    return "[listener]" in cmdline or cmdline.startswith(("/", "sshd: /"))


def _service(
    answers: Answers, pid: str | None, *, listens: bool
) -> tuple[str | None, tuple[str, str] | Unknown]:
    """The socket unit where one listens, and what to reload."""
    if (answers.first("system.uname") or "").startswith("Darwin"):
        return None, ("launchd", "com.openssh.sshd")
    units = _units(answers.text("sshd.units") or "")
    if units:
        return _systemd(answers, units, pid, listens=listens)
    script = answers.first("sshd.initd")
    if script and answers.first("init.openrc"):
        return None, ("openrc", posixpath.basename(script))
    if script and answers.first("init.comm") == "init":
        return None, ("sysvinit", posixpath.basename(script))
    if answers.first("init.comm") == "runit" and answers.first("sshd.runit"):
        return None, ("runit", posixpath.basename(answers.first("sshd.runit") or ""))
    if pid and listens:
        return None, ("pid", pid)
    number = (answers.first("sshd.pidfile") or "").partition("\t")[2].strip()
    if number.isdigit():
        return None, ("pid", number)
    return None, answers.why("sshd.units") or Unknown("the listening sshd cannot be seen")


def _units(text: str) -> dict[str, dict[str, str]]:
    """`systemctl show` of several units: blocks with a blank line between; an alias repeats its unit."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        unit = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        name = unit.get("Id")
        if name and unit.get("LoadState") == "loaded":
            found[name] = unit
    return found


def _systemd(
    answers: Answers, units: Mapping[str, Mapping[str, str]], pid: str | None, *, listens: bool
) -> tuple[str | None, tuple[str, str] | Unknown]:
    active = [name for name, unit in units.items() if unit.get("ActiveState") in {"active", "reloading"}]
    socket = next((name for name in active if name.endswith(".socket")), None)
    group = re.search(r"/([^/\s]+\.service)\s*$", answers.text("sshd.cgroup") or "", re.MULTILINE)
    ours = group[1] if group else None
    if ours is None and pid:
        ours = next((name for name, unit in units.items() if unit.get("MainPID") == pid), None)
    services = [name for name in units if name.endswith(".service")]
    running = [name for name in services if name in active]
    if ours is not None and "@" in ours and not listens:
        # one instance for each login (`Accept=yes`): the unit to name is the service of the socket's own name
        ours = None
        running = running or [
            name for name in services if socket and name.startswith(socket[: -len("socket")])
        ]
        running = running or services[:1]
    if ours is None and len(running) == 1:
        ours = running[0]
    if ours is None and socket is not None and services:
        ours = services[0]
    if ours is None:
        return socket, Unknown("no unit of systemd owns the sshd that let us in")
    return socket, ("systemd", ours)
