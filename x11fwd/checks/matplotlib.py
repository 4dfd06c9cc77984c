"""matplotlib's backend on the remote: who asks for which, and what a script gets; section E."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.toolkit import TOOLKITS, there, wish_of
from x11fwd.facts.model import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.facts.model import SettingSource

_SERVED = frozenset({"webagg", "nbagg", "notebook", "ipympl", "widget"})  # windows of a browser, not of X11
_NO_WINDOWS = frozenset({"agg", "cairo", "pdf", "pgf", "ps", "svg", "template", "inline"})
_AGG = re.compile(
    r"""(?:use|switch_backend)\(\s*["'](?:agg|pdf|svg|ps|cairo)|inline|notebook|=\s*["']agg""", re.IGNORECASE
)
_GREP = "grep -n MPLBACKEND ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/* /etc/environment"


def mplbackend_from_ide(seen: Seen) -> Verdict:
    """F104: MPLBACKEND inherited from PyCharm, Jupyter or VS Code."""
    wish, who, variable = wish_of(seen.matplotlib)
    if not (variable and wish.startswith("module://")):
        return fine("no development environment has left its MPLBACKEND behind")
    return bad(
        f"MPLBACKEND on {seen.host} comes from an IDE or a notebook and opens no windows",
        f"{_line(seen) or f'{who}={wish}'}; it has to be unset for plain scripts",
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
    if variable and "MPLBACKEND" in seen.python.toolkits.at_start:
        return skip("a start file of Python's own has set MPLBACKEND, see mpl-library-forces-agg")
    if not variable:
        return fine(f"MPLBACKEND is not set on {seen.host}")
    if wish not in _NO_WINDOWS and wish not in _SERVED:
        return fine(f"MPLBACKEND on {seen.host} is {wish}")
    value = seen.matplotlib.backend_wish[0] if seen.matplotlib.backend_wish else wish
    return bad(
        f"MPLBACKEND={value} on {seen.host} forbids windows, whatever matplotlibrc says",
        f"{_line(seen) or f'$MPLBACKEND={value}'}; take that out of the login files, or guard it",
        Fix(f"ssh {seen.destination} {quote(_GREP)}", FixBy.YOU),
    )


def _line(seen: Seen) -> str:
    """The line of a start file that sets MPLBACKEND to what it is, "" where none was seen."""
    wish = seen.matplotlib.backend_wish
    lines = seen.there.account.setting("MPLBACKEND")
    same = [line for line in lines if wish and (line.value or "").strip() == wish[0].strip()]
    return str(next(iter([*same[-1:], *lines[-1:]]), ""))


def library_forces(seen: Seen) -> Verdict:
    """F107: what Python runs before any script has chosen a backend without windows."""
    matplotlib = seen.matplotlib
    wish, who, variable = wish_of(matplotlib)
    early = matplotlib.forced is not None or (variable and "MPLBACKEND" in seen.python.toolkits.at_start)
    if early and wish in _NO_WINDOWS | _SERVED:
        lines = [f"{line}: {line.text}" for line in matplotlib.start_lines]
        return bad(
            f"a start file of Python's on {seen.host} chooses {wish} before any script runs",
            "; ".join(lines) or f"{who}, in a file that {seen.python.path} reads at its start",
            _show(seen, matplotlib.start_lines),
        )
    shells = [line for line in matplotlib.shell_lines if _AGG.search(line.text)]
    if shells:
        return odd(
            f"interactive Python on {seen.host} opens no windows: a start file of its own says so",
            "; ".join(f"{line}: {line.text}" for line in shells),
            _show(seen, shells),
        )
    return fine("nothing chooses a backend before a script does")


def _show(seen: Seen, lines: Sequence[SettingSource]) -> Fix | None:
    files = " ".join(dict.fromkeys(quote(line.file) for line in lines if line.file))
    return there(seen, f"grep -nE 'matplotlib|MPLBACKEND' {files}") if files else None


def config_folder(seen: Seen) -> Verdict:
    """F111: without a folder of its own matplotlib makes a temporary one each time."""
    matplotlib = seen.matplotlib
    if not matplotlib.config_temporary:
        return fine("matplotlib can write to its own folder")
    return odd(
        f"matplotlib on {seen.host} cannot write {matplotlib.config_dir}: every start takes seconds longer",
        "it makes a temporary folder, searches all fonts anew, and reads no matplotlibrc of the user's",
        Fix("export MPLCONFIGDIR=$(mktemp -d)", FixBy.YOU),
    )


def rc_not_interactive(seen: Seen) -> Verdict:
    """The matplotlibrc in effect asks for a backend without windows."""
    matplotlib = seen.matplotlib
    wish, who, variable = wish_of(matplotlib)
    if not wish or variable or matplotlib.forced is not None:
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
