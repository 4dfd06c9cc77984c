"""Plans `packages`: what is missing, by the system's manager or the Python's own; imported by planner."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import MatplotlibFacts, PythonFacts, PythonKind, Unknown
from x11fwd.steps.conditions import choose
from x11fwd.steps.plan import (
    Action,
    Change,
    DiffLine,
    InstallInEnvironment,
    InstallPackages,
    PackageCommands,
)
from x11fwd.steps.wording import listed

if TYPE_CHECKING:
    from x11fwd.playbook import Manager, PackagesStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_packages"]

_ENVIRONMENTS = (PythonKind.VENV, PythonKind.CONDA, PythonKind.PYENV, PythonKind.UV)
_OF_PYTHON = ("tkinter", "qt", "matplotlib")


def plan_packages(step: PackagesStep, planning: Planning) -> tuple[Change, ...]:
    """One change for the system's manager and one for the Python environment, where they miss something."""
    system: list[str] = []
    environment: list[str] = []
    reasons: dict[str, str] = {}  # package -> why a fact says it is missing
    for name in step.names:
        here = _present(name, planning)
        if here is True:
            continue
        if isinstance(here, Unknown):
            planning.warn(f"whether {name} is there could not be seen ({here.reason}); left alone")
            continue
        python = planning.facts.python
        if name in _OF_PYTHON and python is not None and not _distributions(name, python):
            environment += _in_environment(name, python, planning)
            continue
        for package in _names(name, planning):
            if package not in system:
                system.append(package)
            if here is False and name != "xauth":
                reasons[package] = name
                (planning.later if planning.helpless else planning.coming).add(name)
    changes: list[Change] = []
    if system:
        changes += _system_change(tuple(system), reasons, planning)
    if environment:
        changes.append(_environment_change(tuple(environment), planning))
    return tuple(changes)


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


def _names(name: str, planning: Planning) -> tuple[str, ...]:
    """What the family calls a logical package; any other name is the manager's own."""
    family = planning.family
    choices = family.packages.get(name) if family else None
    if choices is None:
        if name not in {"xauth", *_OF_PYTHON, "qt-libraries"}:
            return (name,)
        system = planning.facts.system.pretty_name or planning.facts.system.os_id or "this system"
        planning.warn(f"what {name} is called on {system} is not known; install it by hand")
        planning.unavailable.add(name)
        return ()
    choice = choose(choices, planning)
    if choice is None:
        planning.warn(f"no package of {name} fits {planning.facts.system.pretty_name}; install it by hand")
        planning.unavailable.add(name)
        return ()
    return choice.names


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
    )


def _system_change(names: tuple[str, ...], reasons: dict[str, str], planning: Planning) -> tuple[Change, ...]:
    found, family = planning.facts.package_manager, planning.family
    manager = family.managers.get(found.name) if family and found and not isinstance(found, Unknown) else None
    if manager is None:
        why = found.reason if isinstance(found, Unknown) else "no package manager that x11fwd knows"
        planning.warn(f"{listed(names)} must be installed by hand ({why})")
        planning.unavailable.update(reasons.values())
        return ()
    answer = planning.command((*manager.installed, *names))
    installed = () if isinstance(answer, Unknown) else tuple(answer.stdout.split())
    for package, name in reasons.items():
        if package in installed and set(_names(name, planning)) <= set(installed):
            planning.warn(_not_for_this_python(package, name, planning))
            planning.unavailable.add(name)
    missing = tuple(name for name in names if name not in installed)
    if not missing:
        return ()
    return (
        Change(
            id="packages-system",
            title=f"Install {listed(missing)}",
            action=InstallPackages(_commands(manager), missing),
            become=True,
            diff=(
                DiffLine("@", f"packages ({manager.name})"),
                *(DiffLine("+", name) for name in missing),
            ),
            admin_lines=(
                *(shlex.join(argv) for argv in manager.by_hand[:-1]),
                shlex.join((*manager.by_hand[-1], *missing)),
            ),
            admin_undo=(shlex.join((*manager.by_hand_remove, *missing)),),
        ),
    )


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


def _in_environment(name: str, python: PythonFacts, planning: Planning) -> tuple[str, ...]:
    """The requirements that bring `name` into an environment; () with a warning where nothing can."""
    installer = "conda" if python.kind is PythonKind.CONDA else "pip"
    table = getattr(planning.families.environments, installer)
    problem = ""
    if name not in table:
        problem = _no_tkinter(python)
    elif python.kind not in _ENVIRONMENTS:
        problem = (
            f"{python.path} is neither the distribution's Python nor an environment, so x11fwd puts no "
            f"{name} into it: make a venv with `{python.path} -m venv DIR`, name its Python with `--python`"
        )
    elif installer == "pip" and python.externally_managed and python.kind is not PythonKind.VENV:
        problem = (
            f"{python.path} is externally managed (PEP 668), so pip must not touch it: make a venv with "
            f"`{python.path} -m venv DIR`, name its Python with `--python`"
        )
    elif installer == "pip" and not python.has_pip:
        problem = (
            f"{python.path} has no pip, so {name} has to be installed by hand: "
            f"`uv pip install --python {python.path} {' '.join(table[name])}`"
        )
    if problem:
        planning.warn(problem)
        planning.unavailable.add(name)
        return ()
    planning.coming.add(name)
    return tuple(table[name])


def _no_tkinter(python: PythonFacts) -> str:
    """F113 and F115: no package can add tkinter to an interpreter that was built without it."""
    if python.kind is PythonKind.UV or "/uv/python" in python.base_prefix:
        return (
            f"{python.path} is a standalone build whose tkinter does not work, and no package can add it: "
            f"`uv self update && uv python install --reinstall {'.'.join(python.version.split('.')[:2])}`, "
            "or take Qt instead with `--playbook qt`"
        )
    return (
        f"{python.path} was built without Tk, and no package can add tkinter to it: install Tk's headers "
        "(tk-dev, tk-devel) and build that Python again, or take Qt instead with `--playbook qt`"
    )


def _environment_change(names: tuple[str, ...], planning: Planning) -> Change:
    python = planning.facts.python
    if python is None:  # names are only collected where there is one
        raise AssertionError
    installer = "conda" if python.kind is PythonKind.CONDA else "pip"
    python_path = python.executable or python.path
    do, undo = (
        (
            (installer, "install", "--prefix", python.prefix, *names),
            (installer, "remove", "--prefix", python.prefix, *names),
        )
        if installer == "conda"
        else (
            (python_path, "-m", "pip", "install", *names),
            (python_path, "-m", "pip", "uninstall", *names),
        )
    )
    action: Action = InstallInEnvironment(python_path, installer, python.prefix, names, python.tool)
    return Change(
        id="packages-python",
        title=f"Install {listed(names)} in {python.prefix}",
        action=action,
        become=False,
        diff=(DiffLine("@", f"{python.prefix} ({installer})"), *(DiffLine("+", name) for name in names)),
        admin_lines=(shlex.join(do),),
        admin_undo=(shlex.join(undo),),
    )
