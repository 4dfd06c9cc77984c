"""What Python, matplotlib and Tk say; imported by the table. Texts of matplotlib 2.2 to 3.11."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

MESSAGES = (
    row(
        "No module named backend_interagg",
        "Key backend: module://",
        "module://{x} is not a valid value for backend",
        "No module named matplotlib_inline",
        "No module named ipykernel",
        ids={
            "mpl-mplbackend-from-ide": "MPLBACKEND is PyCharm's or Jupyter's, in a plain script",
            "mpl-mplbackend-wins": "MPLBACKEND beats every matplotlibrc",
        },
    ),
    row(
        "Key backend: {w} is not a valid value for backend",
        "is not a valid value for backend",
        "Unrecognized backend string",
        "Bad value in file {x}backend:",
        ids={"mpl-backend-typo": "the backend's name is misspelt"},
    ),
    row(
        "interactive framework, as headless is currently running",
        ids={
            "mpl-headless-importerror": "the script insists on a window, and no display can be opened",
            "mpl-dead-display-agg": "the display is the cause, not the script",
            "libx11-missing": "or libX11 is missing, so matplotlib cannot look",
        },
    ),
    row(
        "Failed to import any of the following Qt binding modules",
        "Failed to import any qt binding",
        "qt-based backends require an external",
        "No module named PyQt",
        "No module named PySide",
        ids={"qt-binding-missing": "QtAgg is asked for, and this Python has no Qt"},
    ),
    row(
        "is non-interactive, and thus cannot be shown",
        "which is a non-GUI backend, so cannot show the figure",
        "is currently using a non-GUI backend",
        ids={
            "mpl-dead-display-agg": "matplotlib fell back to Agg: no display could be opened",
            "tk-missing-distro-python": "or this Python has no Tk",
            "mpl-mplbackend-wins": "or MPLBACKEND says Agg",
            "mpl-rc-backend-is-only-a-wish": "matplotlibrc is a wish that is dropped without a display",
            "mpl-library-forces-agg": "or a library has chosen Agg",
            "tk-missing-built-python": "or Python was built without Tk",
            "tmux-stale-display": "in tmux: DISPLAY is of an earlier login",
            "mpl-rc-not-interactive": "or matplotlibrc says Agg",
            "mpl-backend-not-interactive": "doctor's own words for this warning where no reason is found",
        },
    ),
    row(
        "No module named _tkinter",
        "The Python tkinter extension was not compiled",
        ids={
            "tk-missing-built-python": "this Python was built without Tk (pyenv, source)",
            "tk-wrong-package": "or Tk is installed for another version of Python",
            "tk-missing-distro-python": "or the system's package for Tk is missing",
        },
    ),
    row(
        "module _tkinter has no attribute __file__",
        "Can't find a usable init.tcl",
        "Can't find a usable tk.tcl",
        "outdated version of uv's managed Python",
        "executable based on python-build-standalone",
        "Failed to import tkagg backend",
        ids={
            "tk-uv-standalone": "a Python of uv, rye or hatch, built before August 2025",
            "tk-library-lost": "or TCL_LIBRARY leads astray, or Tk's scripts are gone",
        },
    ),
    row(
        "version conflict for package Tcl",
        "version conflict for package Tk",
        ids={"tk-library-lost": "Tk reads the scripts of another version: TCL_LIBRARY, TK_LIBRARY"},
    ),
    row(
        "No module named tkinter",
        "please install the python3-tk package",
        ids={
            "tk-missing-distro-python": "Debian, Ubuntu and RHEL keep tkinter in a package of its own",
            "tk-missing-built-python": "or this Python was built without Tk",
            "tk-wrong-package": "or the package belongs to another version of Python",
        },
    ),
    row(
        "libX11.so.6: cannot open shared object file",
        "libX11.so.6 => not found",
        ids={"libx11-missing": "slim images have no libX11, and without it there are no windows"},
    ),
    row(
        "main thread is not in main loop",
        "async handler deleted by the wrong thread",
        "Starting a Matplotlib GUI outside of the main thread",
        ids={"mpl-thread": "pyplot is used from a thread, and a window backend is selected now"},
    ),
    row(
        "mkdir -p failed for path",
        "Matplotlib created a temporary cache directory",
        "Matplotlib created a temporary config/cache directory",
        ids={
            "mpl-config-dir": "matplotlib may not write its own directory (sudo, read-only home)",
            "home-read-only": "the whole home may be read-only",
        },
    ),
    row(
        "numpy.core.multiarray failed to import",
        "A module that was compiled using NumPy 1.x cannot be run in",
        "_ARRAY_API not found",
        "version GLIBCXX_{x} not found",
        "matplotlib is not a package",
        "from partially initialized module matplotlib",
        ids={"mpl-broken": "matplotlib is there and cannot be imported"},
    ),
    row(
        "No module named matplotlib",
        without=("matplotlib is not a package", "No module named matplotlib_inline"),
        ids={
            "mpl-missing": "this Python has no matplotlib",
            "no-tty-no-profile": "or it is another Python than in an interactive login",
        },
    ),
    row(
        "python3: command not found",
        "python: command not found",
        "/bin/python3: No such file or directory",
        "pyenv: version {x} is not installed",
        "cannot execute binary file: Exec format error",
        ids={
            "python-missing": "there is no Python where it was looked for",
            "no-tty-no-profile": "or the start files that find it are not read without a terminal",
        },
    ),
    row(
        "conda: command not found",
        "module: command not found",
        weak=True,
        ids={"no-tty-no-profile": "start files that define it are not read without a terminal"},
    ),
    row(
        "More than 20 figures have been opened",
        weak=True,
        ids={"display-slows-batch": "with a display each of these figures is a window"},
    ),
)
