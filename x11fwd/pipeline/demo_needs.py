"""What the demo needs on this machine, what is missing of it, and installing that; demo imports it."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError
from x11fwd.facts.os_release import parse_os_release
from x11fwd.playbook import load_families
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.playbook import Family, Manager
    from x11fwd.transports.base import CommandResult

__all__ = ["Equipment", "Missing", "install", "look_around"]

_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/opt/X11/bin"
_TK = "import _tkinter, tkinter.filedialog"
# only found, not imported: that would make folders in the user's home
_MATPLOTLIB = "import importlib.util as u; assert u.find_spec('matplotlib').origin"
_SERVICE = "installing the ssh server may also start it for this machine; the demo itself does not need that"
_INSTALL = 1800.0  # seconds: a slow mirror, and apt waiting for its lock
_LOOK = 60.0


@dataclass(frozen=True)
class Missing:
    """What is not there.

    Attributes:
        programs: in a person's words.
        packages: their packages here, () where the system is not known.
        command: what a person would type to install them, "" where that is not known.
        note: one sentence on what installing brings along, "" for nothing worth saying.
    """

    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    command: str = ""
    note: str = ""


@dataclass(frozen=True)
class Equipment:
    """Where everything is; "" for what is missing.

    Attributes:
        xvfb: Xvfb, None where a display answers and none is needed.
        python: an interpreter with Tk and matplotlib; `is_first` if a login would get it without asking.
    """

    sshd: str
    xvfb: str | None
    python: str
    is_first: bool
    missing: Missing


def look_around(*, needs_screen: bool) -> Equipment:
    """See what is there.

    Args:
        needs_screen: no display answers, so that Xvfb is needed.
    """
    sshd, xvfb = _which("sshd"), _which("Xvfb") if needs_screen else None
    lacking: dict[str, str] = {}  # logical package -> what is missing
    for program, name in (("ssh", "ssh"), ("ssh-keygen", "ssh"), ("sshd", "sshd"), ("xauth", "xauth")):
        if not _which(program):
            lacking.setdefault(name, program)
    if xvfb == "":
        lacking["xvfb"] = "Xvfb"
    python, is_first = _python()
    if not python:
        for code, name, words in ((_TK, "tkinter", "Tk"), (_MATPLOTLIB, "matplotlib", "matplotlib")):
            if not _runs("/usr/bin/python3", code):
                lacking[name] = f"{words} for /usr/bin/python3"
    return Equipment(sshd, xvfb, python, is_first, _missing(lacking))


def install(missing: Missing, secret: Callable[[str], str | None]) -> None:
    """Install the packages as root or through sudo.

    Args:
        secret: asks for sudo's password.

    Raises:
        ChangeError: it did not work; the message has the package manager's last words.
    """
    _, manager = _family_and_manager()
    if manager is None or not missing.packages:
        raise ChangeError("x11fwd does not know this system's packages", hint="install them by hand")
    rights, given = _rights(secret)
    setting = ("env", *(f"{name}={value}" for name, value in manager.environment))
    for words in filter(None, (manager.refresh, (*manager.install, *missing.packages))):
        if not words:
            continue
        result = LocalTransport().run((*rights, *setting, *words), stdin=given, timeout=_INSTALL)
        if not result.ok:
            hint = f"try it by hand: `{missing.command}`"
            raise ChangeError(f"installing failed: {_last_line(result)}", hint=hint)


def _rights(secret: Callable[[str], str | None]) -> tuple[tuple[str, ...], bytes]:
    """What goes before a command that needs root, and what goes into its standard input."""
    if os.getuid() == 0:
        return (), b""
    local = LocalTransport()
    if not _which("sudo"):
        raise ChangeError("installing needs root, and there is no sudo", hint="run the command as root")
    if local.run(("sudo", "-n", "true"), timeout=_LOOK).ok:
        return ("sudo", "-n"), b""
    password = secret("Password for sudo on this machine: ")
    if password is None:
        raise ChangeError("installing needs root, and nobody can be asked for sudo's password")
    given = f"{password}\n".encode("utf-8", "surrogateescape")
    if not local.run(("sudo", "-S", "-p", "", "-v"), stdin=given, timeout=_LOOK).ok:
        raise ChangeError("sudo did not accept the password")
    return ("sudo", "-S", "-p", ""), given


def _missing(lacking: dict[str, str]) -> Missing:
    family, manager = _family_and_manager()
    packages: list[str] = []
    for name in lacking:
        # The choices differ in what they bring, not in their names; the last one has no condition.
        choices = family.packages.get(name, ()) if family else ()
        packages += [package for package in (choices[-1].names if choices else ()) if package not in packages]
    command = ""
    if manager is not None and packages:
        steps = [*manager.by_hand[:-1], (*manager.by_hand[-1], *packages)]
        sudo = () if os.getuid() == 0 else ("sudo",)
        command = " && ".join(shlex.join((*sudo, *words)) for words in steps)
    note = _SERVICE if "sshd" in lacking else ""
    return Missing(tuple(lacking.values()), tuple(packages) if command else (), command, note)


def _family_and_manager() -> tuple[Family | None, Manager | None]:
    """This system's family, and the first of its package managers that is there."""
    system = _system()
    family = load_families().find(system.get("ID", ""), tuple(system.get("ID_LIKE", "").split()))
    managers = family.managers.values() if family else ()
    # what a person would type names the program; `install` may begin with a shell
    acting = (manager for manager in managers if manager.acts and _which(manager.by_hand[-1][0]))
    return family, next(acting, None)


def _system() -> dict[str, str]:
    try:
        return parse_os_release(Path("/etc/os-release").read_text("utf-8", "replace"))
    except OSError:
        return {}


def _python() -> tuple[str, bool]:
    """An interpreter that can draw, "" for none, and whether a login would get it by itself."""
    bare = ("env", "-i", "HOME=/nonexistent", "PATH=/usr/local/bin:/usr/bin:/bin")
    answer = LocalTransport().run((*bare, "sh", "-lc", "command -v python3"), timeout=_LOOK)
    first = answer.text.strip()
    for python in dict.fromkeys((first, "/usr/bin/python3")):
        if python and _runs(python, f"{_TK}; {_MATPLOTLIB}"):
            return python, python == first
    return "", False


def _runs(python: str, code: str) -> bool:
    # -s: what the user installed in their home is not there in the sandbox's
    return LocalTransport().run((python, "-s", "-c", code), timeout=_LOOK).ok


def _which(program: str, path: str = "") -> str:
    return shutil.which(program, path=f"{path or os.environ.get('PATH', '')}:{_PATH}") or ""


def _last_line(result: CommandResult) -> str:
    said: Sequence[str] = [line for line in (result.error_text or result.text).splitlines() if line.strip()]
    return said[-1].strip() if said else f"exit status {result.exit_status}"
