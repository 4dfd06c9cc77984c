"""Python, its window toolkit and matplotlib's backend on the remote; section E of the catalogue."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import MatplotlibFacts, PythonFacts, PythonKind, Unknown

# matplotlib/backends/registry.py, BackendRegistry._BUILTIN_BACKEND_TO_GUI_FRAMEWORK, and the names of
# releases before 3.9; matplotlib compares them in lower case.
_TOOLKITS = {
    "tkagg": "tk",
    "tkcairo": "tk",
    "qtagg": "qt",
    "qtcairo": "qt",
    "qt5agg": "qt",
    "qt5cairo": "qt",
    "gtk3agg": "gtk3",
    "gtk3cairo": "gtk3",
    "gtk4agg": "gtk4",
    "gtk4cairo": "gtk4",
    "wx": "wx",
    "wxagg": "wx",
    "wxcairo": "wx",
    "macosx": "macosx",
}
_SERVED = frozenset({"webagg", "nbagg", "notebook", "ipympl", "widget"})  # windows of a browser, not of X11
_NO_WINDOWS = frozenset({"agg", "cairo", "pdf", "pgf", "ps", "svg", "template", "inline"})
_GREP = "grep -n MPLBACKEND ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/* /etc/environment"


def _wish(matplotlib: MatplotlibFacts) -> tuple[str, str, bool]:
    """The backend asked for in lower case ("" if matplotlib chooses), who asks, whether a variable does."""
    if matplotlib.backend_wish is None:
        return "", "", False
    value, source = matplotlib.backend_wish
    plain = value.lower().strip()
    return ("" if plain == "auto" else plain), str(source), source.variable is not None


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
        Fix(f"ssh {seen.name} {quote(command)}", FixBy.YOU),
    )


def _tk_wanted(python: PythonFacts) -> bool:
    """True where a window could only come from Tk: asked for by name, or nothing else there to choose."""
    matplotlib = python.matplotlib
    wish = _wish(matplotlib)[0] if isinstance(matplotlib, MatplotlibFacts) else ""
    if wish in _TOOLKITS:
        return _TOOLKITS[wish] == "tk"
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
        Fix(f"ssh {seen.name} {quote(command)}", FixBy.YOU),
    )


def tk_uv_standalone(seen: Seen) -> Verdict:
    """F115: python-build-standalone before August 2025 had Tk linked in so that it cannot be used."""
    minor = ".".join(seen.python.version.split(".")[:2])
    command = f"uv self update && uv python install --reinstall {minor}"
    return _tk(
        seen,
        frozenset({PythonKind.UV}),
        f"uv's Python on {seen.host} is an old build whose Tk does not work",
        Fix(f"ssh {seen.name} {quote(command)}", FixBy.YOU),
    )


def libx11_missing(seen: Seen) -> Verdict:
    """F116: slim container images lack libX11.so.6."""
    python = seen.python
    if "libX11" not in python.tkinter_problem:
        return fine(f"libX11 is installed on {seen.host}")
    return bad(f"libX11 is missing on {seen.host}", python.tkinter_problem, seen.setup)


def qt_missing(seen: Seen) -> Verdict:
    """F123: a Qt backend is asked for, and no binding can be imported."""
    matplotlib = seen.matplotlib
    wish, who, _ = _wish(matplotlib)
    qt = seen.python.qt
    if _TOOLKITS.get(wish) != "qt" or isinstance(qt, Unknown):
        return skip("no Qt backend is asked for")
    if qt:
        return fine(f"{qt} is installed on {seen.host}")
    return bad(
        f"{who} on {seen.host} asks for {wish}, but Qt is missing",
        seen.python.qt_problem or "none of PyQt6, PySide6, PyQt5, PySide2 can be imported",
        Fix(f"x11fwd setup --playbook qt {seen.name}", FixBy.X11FWD),
    )


def mplbackend_from_ide(seen: Seen) -> Verdict:
    """F104: MPLBACKEND inherited from PyCharm, Jupyter or VS Code."""
    wish, who, variable = _wish(seen.matplotlib)
    if not (variable and wish.startswith("module://")):
        return fine("no development environment has left its MPLBACKEND behind")
    return bad(
        f"MPLBACKEND on {seen.host} comes from an IDE or a notebook and opens no windows",
        f"{who}={wish}",
        Fix(f"ssh {seen.name} {quote(_GREP)}", FixBy.YOU),
    )


def backend_typo(seen: Seen) -> Verdict:
    """F105: matplotlib knows no such backend."""
    matplotlib = seen.matplotlib
    wish, who, variable = _wish(matplotlib)
    known = wish in _TOOLKITS or wish in _NO_WINDOWS or wish in _SERVED or "/" in wish
    if not wish or known:
        return fine("the backend's name is one that matplotlib knows")
    value, source = matplotlib.backend_wish or ("", None)
    near = next((name for name in ("TkAgg", "QtAgg", "Agg") if _close(name.lower(), wish)), "TkAgg")
    fix = seen.setup if not variable else Fix(f"export MPLBACKEND={near}", FixBy.YOU)
    return bad(
        f"{who} on {seen.host} names a backend that matplotlib does not know: {value}",
        f"{source.text or value if source else value}; did you mean {near}?",
        fix,
    )


def _close(one: str, other: str) -> bool:
    return len(set(one) ^ set(other)) <= 1 or one.startswith(other) or other.startswith(one)


def mplbackend_wins(seen: Seen) -> Verdict:
    """F103: MPLBACKEND beats every matplotlibrc."""
    wish, _, variable = _wish(seen.matplotlib)
    if not variable:
        return fine(f"MPLBACKEND is not set on {seen.host}")
    if wish not in _NO_WINDOWS and wish not in _SERVED:
        return fine(f"MPLBACKEND on {seen.host} is {wish}")
    value, source = seen.matplotlib.backend_wish or ("", None)
    where = (
        f"{source.file}:{source.line}: {source.text}" if source and source.file else f"$MPLBACKEND={value}"
    )
    return bad(
        f"MPLBACKEND={value} on {seen.host} forbids windows, whatever matplotlibrc says",
        f"{where}; take the line out of the login file that sets it",
        Fix(f"ssh {seen.name} {quote(_GREP)}", FixBy.YOU),
    )


def rc_not_interactive(seen: Seen) -> Verdict:
    """The matplotlibrc in effect asks for a backend without windows."""
    matplotlib = seen.matplotlib
    wish, who, variable = _wish(matplotlib)
    if not wish or variable:
        return fine("no matplotlibrc forbids windows")
    if wish not in _NO_WINDOWS and wish not in _SERVED:
        value = matplotlib.backend_wish[0] if matplotlib.backend_wish else wish
        return fine(f"{who} on {seen.host} asks for {value}")
    line = matplotlib.rc_backend.text if matplotlib.rc_backend else f"backend: {wish}"
    return bad(
        f"{who} on {seen.host} says {line.strip()}, which opens no windows", f"{who}: {line}", seen.setup
    )


def rc_precedence(seen: Seen) -> Verdict:
    """F106: the first matplotlibrc found wins, and files are not merged."""
    matplotlib = seen.matplotlib
    wish, _, _ = _wish(matplotlib)
    if not matplotlib.user_rc_exists or matplotlib.rc_file in {matplotlib.user_rc, None}:
        return fine("the user's own matplotlibrc is the one in effect")
    silent = wish in _TOOLKITS
    title = f"{matplotlib.rc_file} on {seen.host} hides {matplotlib.user_rc}"
    evidence = "matplotlib reads the first one of ./matplotlibrc, $MATPLOTLIBRC, $MPLCONFIGDIR, ~/.config"
    fix = Fix(f"ssh {seen.name} {quote(f'grep -n backend {quote(matplotlib.rc_file or str())}')}", FixBy.YOU)
    return fine(title, evidence) if silent else odd(title, evidence, fix)


def interactive_mode(seen: Seen) -> Verdict:
    """F108: with `interactive: True` show() does not wait, and a script's windows vanish at its end."""
    matplotlib = seen.matplotlib
    if not matplotlib.interactive:
        return fine("plt.show() waits until the window is closed")
    return odd(
        f"plt.show() on {seen.host} does not wait: windows of a script are gone at once",
        f"{matplotlib.rc_file} says interactive: True",
        Fix(f"ssh {seen.name} {quote(f'grep -n interactive {quote(str(matplotlib.rc_file))}')}", FixBy.YOU),
    )


def backend_not_interactive(seen: Seen) -> Verdict:
    """What a script gets in the end: `pyplot.get_backend()`. Wishes prove nothing (F102)."""
    matplotlib = seen.matplotlib
    backend = matplotlib.backend
    asked = f"asked for by {_wish(matplotlib)[1]}" if _wish(matplotlib)[0] else "chosen by matplotlib itself"
    if isinstance(backend, Unknown):
        return unknown(f"which backend a script on {seen.host} would get", backend.reason)
    if backend.lower() in _TOOLKITS:
        return fine(f"matplotlib on {seen.host} opens windows through {backend}", asked)
    return bad(
        f"matplotlib on {seen.host} would open no window: its backend is {backend}",
        f"pyplot.get_backend() says {backend}, {asked}",
    )
