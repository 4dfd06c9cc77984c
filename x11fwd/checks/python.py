"""Python and its window toolkit on the remote; section E of the catalogue."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip, unknown
from x11fwd.checks.matplotlib import TOOLKITS, wish_of
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import MatplotlibFacts, PythonFacts, PythonKind, Unknown


def python_missing(seen: Seen) -> Verdict:
    """The interpreter that a script of the user's would get."""
    python = seen.there.python
    if python is None:
        return bad(
            f"no Python is installed on {seen.host}", "the login shell's PATH has no python3", seen.setup
        )
    if python.problem:
        return bad(f"{python.path} on {seen.host} cannot be run", python.problem)
    kind = "" if python.kind in {PythonKind.SYSTEM, PythonKind.OTHER} else f", {python.kind.value}"
    return fine(
        f"Python {python.version} on {seen.host} ({python.path}{kind})",
        f"found by: {python.found_by}; {python.executable}",
    )


def matplotlib_missing(seen: Seen) -> Verdict:
    """matplotlib of the interpreter above, and no other one."""
    python = seen.python
    matplotlib = python.matplotlib
    if isinstance(matplotlib, Unknown):
        return unknown(f"whether {python.path} on {seen.host} has matplotlib", matplotlib.reason)
    if matplotlib.version is None and _not_installed(matplotlib):
        return bad(
            f"matplotlib is missing for {python.path} on {seen.host}",
            matplotlib.problem or "No module named 'matplotlib'",
            seen.setup,
        )
    if matplotlib.version is None:
        return skip("matplotlib is there, see mpl-broken")
    return fine(f"matplotlib {matplotlib.version} is installed on {seen.host}", python.path)


def _not_installed(matplotlib: MatplotlibFacts) -> bool:
    return not matplotlib.problem or "No module named 'matplotlib'" in matplotlib.problem


def matplotlib_broken(seen: Seen) -> Verdict:
    """matplotlib is there and cannot be imported."""
    python = seen.python
    matplotlib = python.matplotlib
    if isinstance(matplotlib, Unknown) or (matplotlib.version is None and _not_installed(matplotlib)):
        return skip("there is no matplotlib to import")
    if not matplotlib.problem:
        return fine("matplotlib can be imported")
    command = f"{quote(python.path)} -c {quote('import matplotlib.pyplot')}"
    return bad(
        f"matplotlib of {python.path} on {seen.host} cannot be imported",
        matplotlib.problem,
        Fix(f"ssh {seen.destination} {quote(command)}", FixBy.YOU),
    )


def _tk_wanted(python: PythonFacts) -> bool:
    """True where a window could only come from Tk: asked for by name, or nothing else there to choose."""
    matplotlib = python.matplotlib
    wish = wish_of(matplotlib)[0] if isinstance(matplotlib, MatplotlibFacts) else ""
    if wish in TOOLKITS:
        return TOOLKITS[wish] == "tk"
    return not isinstance(python.qt, str)


def _tk(seen: Seen, kinds: frozenset[PythonKind], title: str, fix: Fix | None) -> Verdict:
    python = seen.python
    if isinstance(python.tkinter, str):
        return fine(f"Tk {python.tkinter} is installed on {seen.host}", python.path)
    if isinstance(python.tkinter, Unknown):
        return unknown(f"whether {python.path} on {seen.host} has Tk", python.tkinter.reason)
    if not _tk_wanted(python):
        return fine(f"windows on {seen.host} come from {python.qt}; Tk is not needed")
    if "libX11" in python.tkinter_problem:
        return skip("Tk is there, see libx11-missing")
    if _family(python) not in kinds:
        return skip(f"this Python comes from elsewhere ({python.kind.value})")
    return bad(title, python.tkinter_problem or "No module named 'tkinter'", fix)


def _family(python: PythonFacts) -> PythonKind:
    """Where the interpreter itself comes from: a venv shares the Tk of the Python it was made with."""
    if "/uv/python" in python.base_prefix:
        return PythonKind.UV
    if python.kind is PythonKind.CONDA:
        return PythonKind.CONDA
    if python.base_prefix in {"/usr", ""} and python.kind in {PythonKind.SYSTEM, PythonKind.VENV}:
        return PythonKind.SYSTEM
    return PythonKind.PYENV if python.kind is not PythonKind.SYSTEM else PythonKind.SYSTEM


def tk_missing_distro(seen: Seen) -> Verdict:
    """F112: distributions split tkinter off."""
    title = f"Tk is missing for Python on {seen.host}"
    return _tk(seen, frozenset({PythonKind.SYSTEM, PythonKind.CONDA}), title, seen.setup)


def tk_missing_built(seen: Seen) -> Verdict:
    """F113: built without Tk's headers; the distribution's packages do not help such a Python."""
    python = seen.python
    command = f"{quote(python.path)} -m pip install PyQt6"
    return _tk(
        seen,
        frozenset({PythonKind.PYENV}),
        f"{python.path} on {seen.host} was built without Tk; Qt can be had without building again",
        Fix(f"ssh {seen.destination} {quote(command)}", FixBy.YOU),
    )


def tk_uv_standalone(seen: Seen) -> Verdict:
    """F115: python-build-standalone before August 2025 had Tk linked in so that it cannot be used."""
    minor = ".".join(seen.python.version.split(".")[:2])
    command = f"uv self update && uv python install --reinstall {minor}"
    return _tk(
        seen,
        frozenset({PythonKind.UV}),
        f"uv's Python on {seen.host} is an old build whose Tk does not work",
        Fix(f"ssh {seen.destination} {quote(command)}", FixBy.YOU),
    )


def libx11_missing(seen: Seen) -> Verdict:
    """F116: slim container images lack libX11.so.6."""
    python = seen.python
    if "libX11" not in python.tkinter_problem:
        return fine(f"libX11 is installed on {seen.host}")
    return bad(f"libX11 is missing on {seen.host}", python.tkinter_problem, seen.setup)
