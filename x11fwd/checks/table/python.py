"""Section E of the catalogue: Python, its toolkits and matplotlib; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import matplotlib, python
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE

CHECKS: tuple[Check, ...] = (
    Check("python-missing", _R, python.python_missing, shown=True),
    Check("tk-missing-distro-python", _R, python.tk_missing_distro, Link.TOOLKIT, shown=True),
    Check("tk-missing-built-python", _R, python.tk_missing_built, Link.TOOLKIT),
    Check("tk-uv-standalone", _R, python.tk_uv_standalone, Link.TOOLKIT),
    Check("libx11-missing", _R, python.libx11_missing, Link.TOOLKIT),
    Check("mpl-missing", _R, python.matplotlib_missing, shown=True),
    Check("mpl-broken", _R, python.matplotlib_broken),
    Check("qt-binding-missing", _R, matplotlib.qt_missing, Link.BACKEND),
    Check("mpl-mplbackend-from-ide", _R, matplotlib.mplbackend_from_ide, Link.BACKEND),
    Check("mpl-backend-typo", _R, matplotlib.backend_typo, Link.BACKEND),
    Check("mpl-mplbackend-wins", _R, matplotlib.mplbackend_wins, Link.BACKEND),
    Check("mpl-rc-not-interactive", _R, matplotlib.rc_not_interactive, Link.BACKEND),
    Check("mpl-rc-precedence", _R, matplotlib.rc_precedence),
    Check("mpl-interactive-true", _R, matplotlib.interactive_mode),
    Check(
        "mpl-backend-not-interactive",
        _R,
        matplotlib.backend_not_interactive,
        needs=("remote-display-dead", Link.TOOLKIT, Link.BACKEND),
        shown=True,
    ),
)
