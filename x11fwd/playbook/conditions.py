"""The grammar of `when` and the names of the facts it may ask about; imported by this package and steps.

    FACT is VALUE · FACT is not VALUE · FACT < VERSION · <= · > · >=

VALUE is a word, or `missing` (looked, and it is not there), or `present` (there, whatever it says). What
each name reads out of the facts is the table of `x11fwd.steps.conditions`; a test keeps both the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.playbook.model import Condition, Operator

if TYPE_CHECKING:
    from x11fwd.playbook.nodes import Place

__all__ = ["EFFECTIVE", "FACTS", "read_conditions"]

FACTS: dict[str, str] = {
    "system.family": "name of the family file that fits",
    "system.kernel": "uname -s: Linux, Darwin",
    "system.id": "ID of os-release(5)",
    "system.version": "VERSION_ID of os-release(5)",
    "system.init": "systemd, openrc, sysvinit, launchd, none",
    "user.name": "login name on the remote",
    "user.root": "yes where that is root",
    "privilege.kind": "root, sudo, sudo-password, doas, none",
    "manager.name": "package manager: apt, dnf, zypper, pacman, apk",
    "sshd.version": "version of OpenSSH's server",
    "xauth.path": "path of xauth",
    "python.path": "path of the interpreter",
    "python.kind": "system, venv, conda, pyenv, uv, other",
    "python.version": "version of the interpreter",
    "python.tkinter": "Tk's patch level",
    "python.qt": "the Qt binding that imports",
    "python.externally_managed": "yes where PEP 668 forbids pip",
    "matplotlib.version": "version of matplotlib; of the distribution's package where it is still missing",
    "matplotlib.backend": "backend asked for by file or variable",
    "x11.granted": "yes or no: sshd's answer to the request on this connection",
}
"""Every fact a condition may name, and what it says."""

EFFECTIVE = "sshd.effective."
"""Prefix of the open part of the table: what `sshd -T -C` answers for this user, by keyword."""

_SHAPE = re.compile(r"^(\S+)\s+(is\s+not|is|<=|>=|<|>)\s+(\S+)$")
_VERSION = re.compile(r"^\d+(?:\.\d+)*$")
_KEYWORD = re.compile(r"^[a-z][a-z0-9]*$")


def read_conditions(place: Place) -> tuple[Condition, ...]:
    """The list under `when`.

    Raises:
        PlaybookError: no list, another grammar, an unknown fact, or no version where one is compared.
    """
    return tuple(_condition(item) for item in place.items())


def _condition(item: Place) -> Condition:
    text = item.line_text().strip()
    shape = _SHAPE.match(text)
    if shape is None:
        raise item.error(
            f"`{text}` is no condition", hint="write `FACT is VALUE`, `FACT is not VALUE` or `FACT >= 8.2`"
        )
    fact, operator, value = shape.group(1), Operator(re.sub(r"\s+", " ", shape.group(2))), shape.group(3)
    if fact.startswith(EFFECTIVE):
        if not _KEYWORD.match(fact.removeprefix(EFFECTIVE)):
            raise item.error(f"`{fact}` must end in a keyword of `sshd -T`, in lower case")
    elif fact not in FACTS:
        raise item.error(
            f"unknown fact `{fact}`", hint=f"known facts: {', '.join(FACTS)}, {EFFECTIVE}KEYWORD"
        )
    if operator not in {Operator.IS, Operator.IS_NOT} and not _VERSION.match(value):
        raise item.error(f"`{operator.value}` compares versions, and `{value}` is none")
    return Condition(fact, operator, value, file=item.file, line=item.line)
