"""What a Python gets without the system's manager: pip, conda, Qt in Tk's place; imported by packages."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import PythonKind, Unknown
from x11fwd.steps.conditions import choose
from x11fwd.steps.plan import Change, DiffLine, InstallInEnvironment
from x11fwd.steps.wording import listed

if TYPE_CHECKING:
    from x11fwd.facts.model import PythonFacts
    from x11fwd.steps.planning import Planning

__all__ = ["LACKING", "environment_change", "for_user", "in_environment"]

_ENVIRONMENTS = (PythonKind.VENV, PythonKind.CONDA, PythonKind.PYENV, PythonKind.UV)
_SPOKEN = {"tkinter": "Tk", "qt": "Qt", "matplotlib": "matplotlib"}
# prints the libraries that do not load
LACKING = """\
import ctypes, sys
for name in sys.argv[1:]:
    try: ctypes.CDLL(name)
    except OSError: print(name)
"""
Found = dict[str, tuple[str, ...]]
"""Logical name -> requirements; for libraries of the system, those that are missing."""


def in_environment(name: str, python: PythonFacts, planning: Planning) -> Found:
    """What brings `name` into an environment; nothing, with a warning, where nothing can."""
    requirements = _requirements(name, python, planning)
    if requirements:
        problem = _forbidden(name, python, requirements)
        if not problem:
            planning.coming.add(name)
            return {name: requirements}
        planning.warn(problem)
        planning.unavailable.add(name)
        return {}
    stand_in = _instead(name, python, planning, user=False)
    if stand_in is not None:
        planning.note(_no_tkinter(python, planning, f"{_spoken(planning, name)} takes its place"))
        return stand_in
    planning.warn(_no_tkinter(python, planning, "nothing else can open windows with it"))
    planning.unavailable.add(name)
    return {}


def for_user(name: str, planning: Planning) -> Found:
    """What pip can put beside the distribution's Python for this user alone; nothing where it cannot."""
    python = planning.facts.python
    if python is None or python.kind is not PythonKind.SYSTEM or not _takes_pip(python):
        return {}
    requirements = _requirements(name, python, planning)
    if requirements and (name != "qt" or not _lacking(name, python, planning)):
        planning.coming.add(name)
        return {name: requirements}
    return _instead(name, python, planning, user=True) or {}


def _takes_pip(python: PythonFacts) -> bool:
    return python.has_pip and not python.externally_managed


def _requirements(name: str, python: PythonFacts, planning: Planning) -> tuple[str, ...]:
    environments = planning.families.environments
    table = environments.conda if python.kind is PythonKind.CONDA else environments.pip
    choice = choose(table.get(name, ()), planning)
    return choice.names if choice else ()


def _forbidden(name: str, python: PythonFacts, requirements: tuple[str, ...]) -> str:
    """Why pip or conda must not, or cannot, do it."""
    venv = f"make a venv with `{python.path} -m venv DIR`, name its Python with `--python`"
    if python.kind not in _ENVIRONMENTS:
        return (
            f"{python.path} is neither the distribution's Python nor an environment, so x11fwd puts no "
            f"{name} into it: {venv}"
        )
    if python.kind is PythonKind.CONDA:
        return ""
    if python.externally_managed and python.kind is not PythonKind.VENV:
        return f"{python.path} is externally managed (PEP 668), so pip must not touch it: {venv}"
    if not python.has_pip:
        return (
            f"{python.path} has no pip, so {name} has to be installed by hand: "
            f"`uv pip install --python {python.path} {' '.join(requirements)}`"
        )
    return ""


def _instead(name: str, python: PythonFacts, planning: Planning, *, user: bool) -> Found | None:
    """Another toolkit in the place of one that cannot be had: there already, or a wheel that would work."""
    other = planning.families.environments.instead.get(name)
    if other is None:
        return None
    if isinstance(python.qt, str) and other == "qt":
        planning.instead[name] = other
        return {}
    requirements = _requirements(other, python, planning)
    allowed = _takes_pip(python) if user else not _forbidden(other, python, requirements)
    if not requirements or not allowed:
        return None
    lacking = _lacking(other, python, planning)
    family = planning.family
    libraries = f"{other}-libraries"
    can_bring = family is not None and libraries in family.packages and not planning.helpless
    if lacking and not can_bring:
        planning.warn(
            f"{listed(requirements)} would not open windows here either: {listed(lacking)} is missing, "
            "and only an administrator can install it"
        )
        return None
    planning.instead[name] = other
    planning.coming.add(other)
    return {other: requirements, **({libraries: lacking} if can_bring else {})}


def _lacking(name: str, python: PythonFacts, planning: Planning) -> tuple[str, ...]:
    """Libraries that the wheel loads from the system and that the interpreter itself does not find."""
    choice = choose(planning.families.environments.libraries.get(name, ()), planning)
    if choice is None:
        return ()
    answer = planning.command((python.executable or python.path, "-c", LACKING, *choice.names))
    # unknown: the proof after the install tells
    return () if isinstance(answer, Unknown) or answer.exit_status else tuple(answer.stdout.split())


def _spoken(planning: Planning, name: str) -> str:
    other = planning.instead.get(name, "")
    return _SPOKEN.get(other, other)


def _no_tkinter(python: PythonFacts, planning: Planning, outcome: str) -> str:
    """F113 and F115: no package can add tkinter to an interpreter that was built without it."""
    minor = ".".join(python.version.split(".")[:2])
    if python.kind is PythonKind.UV or "/uv/python" in python.base_prefix:
        return (
            f"{python.path} is a standalone build whose tkinter does not work, and no package can add it; "
            f"{outcome}. A newer build may have it: `uv self update && uv python install --reinstall {minor}`"
        )
    # pyenv knows its builds by folder; for others the person knows how they were built
    again = "build that Python again"
    if "/versions/" in python.base_prefix:
        again = f"`pyenv install --force {python.base_prefix.rstrip('/').rpartition('/')[2]}`"
    return (
        f"{python.path} was built without Tk, and no package can add tkinter to it; {outcome}. To have Tk: "
        f"{_headers(planning)}, then {again}"
    )


def _headers(planning: Planning) -> str:
    """How Tk's headers are installed there, in a person's words."""
    family, manager = planning.family, planning.manager
    choice = choose(family.packages.get("tk-headers", ()), planning) if family else None
    if choice is None or manager is None:
        return "install Tk's headers (tk-dev, tk-devel)"
    line = shlex.join((*manager.by_hand[-1], *choice.names))
    return f"`{'sudo ' if manager.root and planning.facts.uid else ''}{line}`"


def environment_change(names: tuple[str, ...], logical: tuple[str, ...], planning: Planning) -> Change:
    """One run of pip or conda."""
    python = planning.facts.python
    if python is None:  # names are only collected where there is one
        raise AssertionError
    installer = "conda" if python.kind is PythonKind.CONDA else "pip"
    user = python.kind is PythonKind.SYSTEM
    python_path = python.executable or python.path
    place = f"{planning.facts.home.path}/.local" if user else python.prefix
    do, undo = (
        (
            (installer, "install", "--prefix", python.prefix, *names),
            (installer, "remove", "--prefix", python.prefix, *names),
        )
        if installer == "conda"
        else (
            (python_path, "-m", "pip", "install", *(("--user",) if user else ()), *names),
            (python_path, "-m", "pip", "uninstall", *names),
        )
    )
    known = planning.families.environments.proof
    proof = "\n".join(known[name].rstrip() for name in dict.fromkeys(logical) if name in known)
    return Change(
        id="packages-python",
        title=f"Install {listed(names)} in {place}",
        action=InstallInEnvironment(
            python_path, installer, python.prefix, names, python.tool, user=user, proof=proof
        ),
        become=False,
        diff=(DiffLine("@", f"{place} ({installer})"), *(DiffLine("+", name) for name in names)),
        admin_lines=(shlex.join(do),),
        admin_undo=(shlex.join(undo),),
    )
