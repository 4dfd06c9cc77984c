"""matplotlib's backend on the remote: who asks for which, and what a script gets; section E."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import MatplotlibFacts, Unknown

# matplotlib/backends/registry.py, BackendRegistry._BUILTIN_BACKEND_TO_GUI_FRAMEWORK, and the names of
# releases before 3.9; matplotlib compares them in lower case.
TOOLKITS = {
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


def wish_of(matplotlib: MatplotlibFacts) -> tuple[str, str, bool]:
    """The backend asked for in lower case ("" if matplotlib chooses), who asks, whether a variable does."""
    if matplotlib.backend_wish is None:
        return "", "", False
    value, source = matplotlib.backend_wish
    plain = value.lower().strip()
    return ("" if plain == "auto" else plain), str(source), source.variable is not None


def mplbackend_from_ide(seen: Seen) -> Verdict:
    """F104: MPLBACKEND inherited from PyCharm, Jupyter or VS Code."""
    wish, who, variable = wish_of(seen.matplotlib)
    if not (variable and wish.startswith("module://")):
        return fine("no development environment has left its MPLBACKEND behind")
    return bad(
        f"MPLBACKEND on {seen.host} comes from an IDE or a notebook and opens no windows",
        f"{who}={wish}",
        Fix(f"ssh {seen.destination} {quote(_GREP)}", FixBy.YOU),
    )


def backend_typo(seen: Seen) -> Verdict:
    """F105: matplotlib knows no such backend."""
    matplotlib = seen.matplotlib
    wish, who, variable = wish_of(matplotlib)
    known = wish in TOOLKITS or wish in _NO_WINDOWS or wish in _SERVED or "/" in wish
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
    wish, _, variable = wish_of(seen.matplotlib)
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
        Fix(f"ssh {seen.destination} {quote(_GREP)}", FixBy.YOU),
    )


def rc_not_interactive(seen: Seen) -> Verdict:
    """The matplotlibrc in effect asks for a backend without windows."""
    matplotlib = seen.matplotlib
    wish, who, variable = wish_of(matplotlib)
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
    wish, _, _ = wish_of(matplotlib)
    if not matplotlib.user_rc_exists or matplotlib.rc_file in {matplotlib.user_rc, None}:
        return fine("the user's own matplotlibrc is the one in effect")
    silent = wish in TOOLKITS
    title = f"{matplotlib.rc_file} on {seen.host} hides {matplotlib.user_rc}"
    evidence = "matplotlib reads the first one of ./matplotlibrc, $MATPLOTLIBRC, $MPLCONFIGDIR, ~/.config"
    fix = Fix(
        f"ssh {seen.destination} {quote(f'grep -n backend {quote(matplotlib.rc_file or str())}')}", FixBy.YOU
    )
    return fine(title, evidence) if silent else odd(title, evidence, fix)


def interactive_mode(seen: Seen) -> Verdict:
    """F108: with `interactive: True` show() does not wait, and a script's windows vanish at its end."""
    matplotlib = seen.matplotlib
    if not matplotlib.interactive:
        return fine("plt.show() waits until the window is closed")
    return odd(
        f"plt.show() on {seen.host} does not wait: windows of a script are gone at once",
        f"{matplotlib.rc_file} says interactive: True",
        Fix(
            f"ssh {seen.destination} {quote(f'grep -n interactive {quote(str(matplotlib.rc_file))}')}",
            FixBy.YOU,
        ),
    )


def backend_not_interactive(seen: Seen) -> Verdict:
    """What a script gets in the end: `pyplot.get_backend()`. Wishes prove nothing (F102)."""
    matplotlib = seen.matplotlib
    backend = matplotlib.backend
    asked = (
        f"asked for by {wish_of(matplotlib)[1]}" if wish_of(matplotlib)[0] else "chosen by matplotlib itself"
    )
    if isinstance(backend, Unknown):
        return unknown(f"which backend a script on {seen.host} would get", backend.reason)
    if backend.lower() in TOOLKITS:
        return fine(f"matplotlib on {seen.host} opens windows through {backend}", asked)
    return bad(
        f"matplotlib on {seen.host} would open no window: its backend is {backend}",
        f"pyplot.get_backend() says {backend}, {asked}",
    )


def qt_missing(seen: Seen) -> Verdict:
    """F123: a Qt backend is asked for, and no binding can be imported."""
    matplotlib = seen.matplotlib
    wish, who, _ = wish_of(matplotlib)
    qt = seen.python.qt
    if TOOLKITS.get(wish) != "qt" or isinstance(qt, Unknown):
        return skip("no Qt backend is asked for")
    if qt:
        return fine(f"{qt} is installed on {seen.host}")
    return bad(
        f"{who} on {seen.host} asks for {wish}, but Qt is missing",
        seen.python.qt_problem or "none of PyQt6, PySide6, PyQt5, PySide2 can be imported",
        Fix(f"x11fwd setup --playbook qt {seen.name}", FixBy.X11FWD),
    )
