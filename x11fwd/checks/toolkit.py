"""Which toolkit windows on the remote come from, and whether one came; for the checks of Python's section."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import MatplotlibFacts, PythonFacts, Unknown, WindowTry

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
NAMES = {"tk": "Tk", "qt": "Qt"}


def wish_of(matplotlib: MatplotlibFacts) -> tuple[str, str, bool]:
    """The backend asked for in lower case ("" if matplotlib chooses), who asks, whether a variable does."""
    if matplotlib.backend_wish is None:
        return "", "", False
    value, source = matplotlib.backend_wish
    plain = value.lower().strip()
    return ("" if plain == "auto" else plain), str(source), source.variable is not None


def there(seen: Seen, command: str, by: FixBy = FixBy.YOU) -> Fix:
    """A command to run over there; paths inside it are quoted by the caller."""
    return Fix(command if seen.inside else f"ssh {seen.destination} {quote(command)}", by)


def toolkit_of(python: PythonFacts) -> str:
    """`tk`, `qt`, … of the backend that is asked for; else the first that matplotlib would try and find.

    Qt is tried before Tk (matplotlib/pyplot.py, switch_backend, candidates).
    """
    matplotlib = python.matplotlib
    wish = wish_of(matplotlib)[0] if isinstance(matplotlib, MatplotlibFacts) else ""
    if wish in TOOLKITS:
        return TOOLKITS[wish]
    return "qt" if isinstance(python.qt, str) else "tk"


def display_works(seen: Seen) -> bool:
    """A program there can open the display: libX11 loads, and the handshake went well."""
    return seen.there.remote_handshake == "ok" and not seen.python.toolkits.libx11_problem


def has_display(seen: Seen) -> bool:
    """DISPLAY is set for the interpreter that was asked."""
    variables = seen.python.toolkits.environment
    login = seen.there.login_environment
    return bool(variables.get("DISPLAY") or (not isinstance(login, Unknown) and login.get("DISPLAY")))


def tried(seen: Seen, toolkit: str) -> WindowTry | None:
    """The window of that toolkit that was tried; None where none was."""
    window = seen.python.toolkits.window
    return window if isinstance(window, WindowTry) and window.toolkit == toolkit else None


def window_opened(seen: Seen) -> Verdict:
    """The strongest evidence that doctor can afford: a window in a child process, never shown."""
    window = seen.python.toolkits.window
    if isinstance(window, Unknown):
        settle = f"`x11fwd verify {seen.name}` shows one, and looks for its pixels on this screen"
        return skip(f"no window was tried on {seen.host}: {window.reason}", settle)
    name = NAMES.get(window.toolkit, window.toolkit)
    if window.ok and window.platform in {"", "xcb"}:
        return fine(f"{name} on {seen.host} opens a window on this display", "in a process of its own")
    if window.ok:
        return bad(
            f"{name} on {seen.host} opens windows elsewhere than on this display",
            f"it uses its platform {window.platform} instead of xcb",
        )
    ended = f"signal {-window.status}" if window.status < 0 else f"status {window.status}"
    return bad(
        f"{name} on {seen.host} cannot open a window, though the display answers",
        f"{window.words or 'it said nothing'}; the process ended with {ended}",
        Fix(f"x11fwd verify {seen.name}", FixBy.X11FWD),
    )
