"""Section E of the catalogue: Python, its toolkits and matplotlib; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import matplotlib, matplotlib_display, python, toolkit, toolkit_qt, toolkit_tk
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE
# Everything that may leave a program over there without a display.
_DISPLAY = (
    *(Link.DISPLAY, Link.REQUEST, Link.CONNECTION, Link.SWITCH, Link.GRANT, Link.COOKIE, Link.REACH),
    *("x11-request-refused", "remote-display-dead", "libx11-missing"),
)
_FORCED = ("mpl-mplbackend-from-ide", "mpl-backend-typo")

CHECKS: tuple[Check, ...] = (
    Check("python-missing", _R, python.python_missing, shown=True),
    Check("libx11-missing", _R, toolkit_tk.libx11_missing, Link.TOOLKIT),
    Check("tk-missing-distro-python", _R, toolkit_tk.missing_distro, Link.TOOLKIT, shown=True),
    Check("tk-wrong-package", _R, toolkit_tk.wrong_package, Link.TOOLKIT),
    Check("tk-missing-built-python", _R, toolkit_tk.missing_built, Link.TOOLKIT),
    Check("tk-uv-standalone", _R, toolkit_tk.uv_standalone, Link.TOOLKIT),
    Check("tk-library-lost", _R, toolkit_tk.library_lost, Link.TOOLKIT),
    Check("mpl-missing", _R, python.matplotlib_missing, shown=True),
    Check("mpl-broken", _R, python.matplotlib_broken, needs=_FORCED),
    Check("qt-binding-missing", _R, toolkit_qt.binding_missing, Link.BACKEND),
    Check("qt-plugin-libs", _R, toolkit_qt.plugin_libraries, Link.TOOLKIT),
    Check("opencv-qt-conflict", _R, toolkit_qt.opencv, Link.TOOLKIT),
    Check("qt-platform-variable", _R, toolkit_qt.platform_variable, Link.TOOLKIT),
    Check("qt-glx", _R, toolkit_qt.glx, Link.TOOLKIT),
    Check("qt-no-display", _R, toolkit_qt.no_display, needs=(*_DISPLAY, "mpl-no-display-silent")),
    Check("mit-shm-in-container", _R, toolkit_qt.shared_memory),
    Check("opengl-3d-forwarded", _R, toolkit_qt.opengl_programs),
    Check("conda-tk-fonts", _R, toolkit_tk.bitmap_fonts),
    Check("tk-emoji-crash", _R, toolkit_tk.emoji),
    Check("mpl-library-forces-agg", _R, matplotlib.library_forces, Link.BACKEND),
    Check("mpl-mplbackend-from-ide", _R, matplotlib.mplbackend_from_ide, Link.BACKEND),
    Check("mpl-backend-typo", _R, matplotlib.backend_typo, Link.BACKEND),
    Check("mpl-mplbackend-wins", _R, matplotlib.mplbackend_wins, Link.BACKEND),
    Check("mpl-rc-not-interactive", _R, matplotlib.rc_not_interactive, Link.BACKEND),
    Check("mpl-rc-precedence", _R, matplotlib.rc_precedence),
    Check("mpl-interactive-true", _R, matplotlib.interactive_mode),
    Check(
        "mpl-config-dir",
        _R,
        matplotlib.config_folder,
        needs=("home-missing", "home-full-or-quota", "home-read-only"),
    ),
    Check("toolkit-window", _R, toolkit.window_opened, needs=(*_DISPLAY, Link.TOOLKIT)),
    Check("mpl-no-display-silent", _R, matplotlib_display.no_display_silent, needs=_DISPLAY),
    Check("mpl-dead-display-agg", _R, matplotlib_display.dead_display, needs=_DISPLAY),
    Check(
        "mpl-headless-importerror",
        _R,
        matplotlib_display.headless,
        needs=(*_DISPLAY, "mpl-no-display-silent", "mpl-rc-backend-is-only-a-wish"),
    ),
    Check(
        "mpl-rc-backend-is-only-a-wish",
        _R,
        matplotlib_display.only_a_wish,
        needs=(*_DISPLAY, "mpl-no-display-silent"),
    ),
    Check(
        "mpl-backend-not-interactive",
        _R,
        matplotlib.backend_not_interactive,
        needs=(*_DISPLAY, Link.TOOLKIT, Link.BACKEND, "mpl-no-display-silent", "mpl-broken"),
        shown=True,
    ),
)
