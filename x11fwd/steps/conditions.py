"""What a condition's fact reads out of the facts, and whether it holds; imported by steps only.

A condition has three answers. One that asks about something nobody could look at is neither true nor
false: its step is left out, with a warning that names the question. Leaving out is the side that changes
nothing, and the author may have written the condition to keep the step away from just this machine.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.facts.model import MatplotlibFacts, Unknown
from x11fwd.playbook.conditions import EFFECTIVE
from x11fwd.playbook.model import Condition, Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from x11fwd.facts.model import PythonFacts
    from x11fwd.playbook import PackageChoice
    from x11fwd.steps.planning import Planning

__all__ = ["GETTERS", "all_hold", "choose", "fact_value", "numbers"]

Value = str | Unknown | None


def _python(read: Callable[[PythonFacts], Value]) -> Callable[[Planning], Value]:
    def get(planning: Planning) -> Value:
        python = planning.facts.python
        return None if python is None else read(python)

    return get


def _flag(answer: bool) -> str:
    return "yes" if answer else "no"


def _family(planning: Planning) -> Value:
    return planning.family.name if planning.family else None


def _manager(planning: Planning) -> Value:
    manager = planning.facts.package_manager
    return manager if isinstance(manager, Unknown) or manager is None else manager.name


def _granted(planning: Planning) -> Value:
    granted = planning.facts.x11.granted
    return Unknown("nobody asked for X11 on this connection") if granted is None else _flag(granted)


def _matplotlib(planning: Planning, read: Callable[[MatplotlibFacts], Value]) -> Value:
    python = planning.facts.python
    if python is None:
        return None
    return python.matplotlib if isinstance(python.matplotlib, Unknown) else read(python.matplotlib)


def _matplotlib_version(planning: Planning) -> Value:
    version = _matplotlib(planning, lambda facts: facts.version)
    if version is not None:
        return version
    python, family = planning.facts.python, planning.family
    if python is not None and python.kind.value != "system":
        return "99"  # pip and conda bring the newest
    choice = choose(family.packages.get("matplotlib", ()), planning) if family else None
    return (choice.version or "99") if choice else None


def _matplotlib_backend(planning: Planning) -> Value:
    return _matplotlib(planning, lambda facts: facts.backend_wish[0] if facts.backend_wish else None)


GETTERS: dict[str, Callable[[Planning], Value]] = {
    "system.family": _family,
    "system.kernel": lambda planning: planning.facts.system.kernel,
    "system.id": lambda planning: planning.facts.system.os_id or None,
    "system.version": lambda planning: planning.facts.system.version_id or None,
    "system.init": lambda planning: planning.facts.system.init,
    "user.name": lambda planning: planning.facts.user,
    "user.root": lambda planning: _flag(planning.facts.uid == 0),
    "privilege.kind": lambda planning: planning.facts.privilege.kind.value,
    "manager.name": _manager,
    "sshd.version": lambda planning: planning.facts.sshd.version,
    "xauth.path": lambda planning: planning.facts.xauth.path,
    "python.path": _python(lambda python: python.path),
    "python.kind": _python(lambda python: python.kind.value),
    "python.version": _python(lambda python: python.version or None),
    "python.tkinter": _python(lambda python: python.tkinter),
    "python.qt": _python(lambda python: python.qt),
    "python.externally_managed": _python(lambda python: _flag(python.externally_managed)),
    "matplotlib.version": _matplotlib_version,
    "matplotlib.backend": _matplotlib_backend,
    "x11.granted": _granted,
}
"""Fact name -> where it is in the facts; the same names as `x11fwd.playbook.conditions.FACTS`."""

_COMPARE: dict[Operator, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    Operator.LESS: lambda left, right: left < right,
    Operator.LESS_EQUAL: lambda left, right: left <= right,
    Operator.GREATER: lambda left, right: left > right,
    Operator.GREATER_EQUAL: lambda left, right: left >= right,
}


def fact_value(name: str, planning: Planning) -> Value:
    """What a fact says: text, None where it is not there, Unknown where nobody could look."""
    if not name.startswith(EFFECTIVE):
        return GETTERS[name](planning)
    effective = planning.facts.sshd.effective
    if isinstance(effective, Unknown):
        return effective
    return effective.get(name.removeprefix(EFFECTIVE))


def numbers(text: str) -> tuple[int, ...] | None:
    """The first version in a text, as numbers (`OpenSSH_9.2p1 Debian-2` -> 9, 2), None without one."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else None


def holds(condition: Condition, planning: Planning) -> bool | Unknown:
    """Whether one condition holds. An absent fact is never older or newer than a version."""
    value = fact_value(condition.fact, planning)
    if isinstance(value, Unknown):
        return Unknown(f"`{condition}` could not be decided ({value.reason})")
    if condition.operator in _COMPARE:
        left, right = numbers(value or ""), numbers(condition.value)
        if left is None or right is None:
            return False
        width = max(len(left), len(right))  # 8.2 is the same version as 8.2.0
        pad = (0,) * width
        return _COMPARE[condition.operator]((left + pad)[:width], (right + pad)[:width])
    if condition.value == "missing":
        same = value is None
    elif condition.value == "present":
        same = value is not None
    else:
        same = value is not None and value.lower() == condition.value.lower()
    return same is (condition.operator is Operator.IS)


def all_hold(conditions: Iterable[Condition], planning: Planning) -> bool | Unknown:
    """Whether all hold; one that surely does not settles it, whatever the unknown ones would say."""
    unknown: Unknown | None = None
    for condition in conditions:
        answer = holds(condition, planning)
        if answer is False:
            return False
        if isinstance(answer, Unknown):
            unknown = unknown or answer
    return unknown or True


def choose(choices: Iterable[PackageChoice], planning: Planning) -> PackageChoice | None:
    """The first choice of a family file whose conditions surely hold, its names filled in."""
    found = next((choice for choice in choices if all_hold(choice.when, planning) is True), None)
    if found is None or not any("{" in name for name in found.names):
        return found
    python = planning.facts.python
    version = ".".join(python.version.split(".")[:2]) if python else ""
    values = {"{python}": version, "{python-nodot}": version.replace(".", "")}
    return replace(found, names=tuple(_filled(name, values) for name in found.names))


def _filled(name: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        name = name.replace(placeholder, value)
    return name
