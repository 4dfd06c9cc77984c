"""Plans `packages`: what is missing, by the system's manager or the Python's own; imported by planner.

What an interpreter can get without the system's manager is in `python_packages`, what only a person can do (a
generated system, an image) in `by_hand`.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.facts.model import MatplotlibFacts, PythonKind, Unknown
from x11fwd.playbook import PackageChoice
from x11fwd.steps.by_hand import configured, printed, warn_of_image
from x11fwd.steps.conditions import choose
from x11fwd.steps.modules import offer_modules
from x11fwd.steps.plan import Change, DiffLine, InstallPackages, PackageCommands
from x11fwd.steps.python_packages import environment_change, for_user, in_environment
from x11fwd.steps.wording import listed

if TYPE_CHECKING:
    from x11fwd.facts.model import PythonFacts
    from x11fwd.playbook import Manager, PackagesStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_packages"]

_OF_PYTHON = ("tkinter", "qt", "matplotlib")
_NEEDED = {
    "xauth": "the program `xauth`",
    "tkinter": "Python's module `tkinter`",
    "matplotlib": "Python's module `matplotlib`",
    "qt": "a Qt binding for Python (PyQt6, PySide6)",
    "qt-libraries": "the libraries of X11 that Qt loads (libxcb-cursor and its like)",
}


@dataclass
class _Wanted:
    """What a step came to want, in order."""

    system: list[str] = field(default_factory=list)  # the manager's names
    environment: list[str] = field(default_factory=list)  # requirements
    logical: list[str] = field(default_factory=list)  # what `environment` brings
    choices: dict[str, PackageChoice] = field(default_factory=dict)  # of the system, by logical name
    reasons: dict[str, str] = field(default_factory=dict)  # package -> logical name that facts miss
    candidates: list[str] = field(default_factory=list)  # names asked about, whatever the answers
    never: list[str] = field(default_factory=list)  # what an image of no known family lacks, in words


def plan_packages(step: PackagesStep, planning: Planning) -> tuple[Change, ...]:
    """One change for the system's manager and one for the Python environment, where they miss something."""
    wanted = _Wanted()
    for name in step.names:
        here = _present(name, planning)
        if here is True:
            continue
        if isinstance(here, Unknown):
            planning.warn(f"whether {name} is there could not be seen ({here.reason}); left alone")
            continue
        python = planning.facts.python
        if name in _OF_PYTHON and python is not None and not _distributions(name, python):
            _take(in_environment(name, python, planning), wanted, planning)
        else:
            _from_system(name, wanted, planning, missing=here is False)
    changes: list[Change] = []
    if wanted.never:
        warn_of_image(tuple(wanted.never), planning)
    if wanted.system:
        changes += _system_change(wanted, planning)
    offer_modules(
        tuple(name for name in step.names if name in _OF_PYTHON and _present(name, planning) is False),
        planning,
    )
    if wanted.environment:
        changes.append(environment_change(tuple(wanted.environment), tuple(wanted.logical), planning))
    return tuple(changes)


def _take(found: dict[str, tuple[str, ...]], wanted: _Wanted, planning: Planning) -> None:
    """Requirements for an environment; a stand-in may need libraries of the system's."""
    for name, requirements in found.items():
        if name.endswith("-libraries"):
            _libraries(name, wanted, planning, needed=bool(requirements))
            continue
        wanted.logical.append(name)
        wanted.environment += [one for one in requirements if one not in wanted.environment]


def _libraries(name: str, wanted: _Wanted, planning: Planning, *, needed: bool) -> None:
    """Those of a family that a wheel needs; asked about in any case: all questions are asked at once."""
    if needed:
        _from_system(name, wanted, planning, missing=False)
    else:
        choice = choose(planning.family.packages[name], planning) if planning.family else None
        wanted.candidates += choice.names if choice else ()


def _present(name: str, planning: Planning) -> bool | Unknown | None:
    """True or False as the facts say, None where only the package manager can know."""
    facts, python = planning.facts, planning.facts.python
    if name == "xauth":
        return facts.xauth.path is not None
    if name not in _OF_PYTHON:
        return None
    if python is None:
        return False
    if python.problem:
        return Unknown(python.problem)
    if name == "tkinter":
        return python.tkinter if isinstance(python.tkinter, Unknown) else python.tkinter is not None
    if name == "qt":
        return python.qt if isinstance(python.qt, Unknown) else python.qt is not None
    matplotlib: MatplotlibFacts | Unknown = python.matplotlib
    if isinstance(matplotlib, Unknown):
        return matplotlib
    if matplotlib.version is not None and matplotlib.problem:
        planning.warn(f"matplotlib of {python.path} is installed and does not import: {matplotlib.problem}")
    return matplotlib.version is not None


def _distributions(name: str, python: PythonFacts) -> bool:
    """Does the distribution's package help this Python?

    A venv sees the tkinter of the interpreter it was made from, and no other package of the system's.
    """
    borrows = name == "tkinter" and python.kind is PythonKind.VENV and python.base_prefix == "/usr"
    return borrows or python.kind is PythonKind.SYSTEM


def _from_system(name: str, wanted: _Wanted, planning: Planning, *, missing: bool) -> None:
    """One logical name out of the system's packages, or what can be had in their place."""
    choice = _choice(name, planning)
    if choice is None:
        planning.unavailable.add(name)
        return
    wanted.candidates += choice.names
    why = choice.says or _not_offered(choice, planning)
    if why or (planning.helpless and name in _OF_PYTHON):
        found = for_user(name, planning)
        if found:
            _take(found, wanted, planning)
            return
    if why:
        if planning.family is None and planning.facts.system.image:
            wanted.never.append(_needed(name))
        else:
            planning.warn(f"{_needed(name)} is missing: {why}{_or_else(name, planning)}")
        planning.unavailable.add(name)
        return
    wanted.choices[name] = choice
    for package in choice.names:
        if package not in wanted.system:
            wanted.system.append(package)
        if missing and name != "xauth":
            wanted.reasons[package] = name
            (planning.later if planning.helpless else planning.coming).add(name)


def _choice(name: str, planning: Planning) -> PackageChoice | None:
    """How the family calls a logical package; any other name is the manager's own."""
    family = planning.family
    choices = family.packages.get(name) if family else None
    if choices is None:
        if name not in _NEEDED:
            return PackageChoice((name,))
        why = f"what brings it on {planning.system_name} is not known to x11fwd; install it by hand"
        return PackageChoice((), says=why)
    choice = choose(choices, planning)
    if choice is None:
        planning.warn(f"no package of {name} fits {planning.system_name}; install it by hand")
    return choice


def _or_else(name: str, planning: Planning) -> str:
    """What a person can do where the system has no package: a venv is theirs, and sees the system's Tk."""
    python = planning.facts.python
    if name != "matplotlib" or python is None or python.kind is not PythonKind.SYSTEM:
        return ""
    make = shlex.join((python.path, "-m", "venv", "DIR"))
    return f"; a venv can have it: `{make}`, then `x11fwd setup --python DIR/bin/python`"


def _needed(name: str) -> str:
    return _NEEDED.get(name, name)


def _not_offered(choice: PackageChoice, planning: Planning) -> str:
    """Why names that only some repositories have cannot be had, "" where they can or nobody knows."""
    manager = planning.manager
    if not choice.source or manager is None or not manager.offered:
        return ""
    answer = planning.command((*manager.offered, *choice.names))
    # a manager that could not ask its repositories says nothing, and then says so when it installs
    if (
        isinstance(answer, Unknown)
        or answer.exit_status != 0
        or set(choice.names) <= set(answer.stdout.split())
    ):
        return ""
    return f"it is in {choice.source}"


def _commands(manager: Manager) -> PackageCommands:
    return PackageCommands(
        name=manager.name,
        installed=manager.installed,
        all_installed=manager.all_installed,
        refresh=manager.refresh,
        install=manager.install,
        remove=manager.remove,
        lock_files=manager.lock_files,
        environment=manager.environment,
        try_remove=manager.try_remove,
        lock_words=manager.lock_words,
        lock_path=manager.lock_path,
        hint=manager.hint,
    )


def _system_change(wanted: _Wanted, planning: Planning) -> tuple[Change, ...]:
    names, reasons = tuple(wanted.system), wanted.reasons
    family, manager = planning.family, planning.manager
    if family is not None and family.configuration is not None:
        _not_now(wanted, planning)
        return (configured(family.configuration, names),)
    if manager is None:
        found = planning.facts.package_manager
        why = found.reason if isinstance(found, Unknown) else "no package manager that x11fwd knows"
        planning.warn(f"{listed(names)} must be installed by hand ({why})")
        planning.unavailable.update({*reasons.values(), *wanted.choices})
        planning.coming.difference_update(reasons.values())
        return ()
    installed: tuple[str, ...] = ()
    if manager.installed:
        answer = planning.command((*manager.installed, *dict.fromkeys(wanted.candidates)))
        installed = () if isinstance(answer, Unknown) else tuple(answer.stdout.split())
    # what a person has to build anew is not done by being there
    again = {name for one in wanted.choices.values() if one.first for name in one.names}
    installed = tuple(name for name in installed if name not in again)
    for package, name in reasons.items():
        if package in installed and set(wanted.choices[name].names) <= set(installed):
            planning.warn(_not_for_this_python(package, name, planning))
            planning.unavailable.add(name)
    missing = tuple(name for name in names if name not in installed)
    if not missing:
        return ()
    if not manager.acts or planning.facts.system.image:
        _not_now(wanted, planning)
        warn_of_image(missing, planning)
        if not manager.acts:
            return (printed(manager, missing, tuple(wanted.choices.values())),)
        # what that manager adds to an image is gone with the next one: nobody is asked to
        planning.later.difference_update(reasons.values())
        planning.unavailable.update(reasons.values())
        return ()
    sources = [one.source for one in wanted.choices.values() if one.source and set(one.names) & set(missing)]
    return (
        Change(
            id="packages-system",
            title=f"Install {listed(missing)}",
            action=InstallPackages(_commands(manager), missing),
            become=manager.root,
            diff=(
                DiffLine("@", f"packages ({manager.name})"),
                *(DiffLine("+", name) for name in missing),
            ),
            admin_lines=(
                *(shlex.join(argv) for argv in manager.by_hand[:-1]),
                shlex.join((*manager.by_hand[-1], *missing)),
            ),
            admin_undo=(shlex.join((*manager.by_hand_remove, *missing)),),
            note=f"matplotlib is in {sources[0]}" if sources and planning.helpless else "",
        ),
    )


def _not_now(wanted: _Wanted, planning: Planning) -> None:
    """What a person does later is not there when the rest of the plan is done."""
    planning.coming.difference_update(wanted.reasons.values())
    planning.later.update(wanted.reasons.values())
    planning.unavailable.update({"xauth"} & set(wanted.choices))


def _not_for_this_python(package: str, name: str, planning: Planning) -> str:
    """F114: the package belongs to the distribution's default version."""
    python = planning.facts.python
    path = python.path if python else "python3"
    words = ""
    if python is not None and name == "tkinter":
        words = python.tkinter_problem
    elif python is not None and name == "qt":
        words = python.qt_problem
    elif python is not None and isinstance(python.matplotlib, MatplotlibFacts):
        words = python.matplotlib.problem
    return f"{package} is installed, yet {path} has no {name}" + (f": {words}" if words else "")
