"""Python on the remote: an interpreter, its toolkits, its matplotlib; imported by facts/model.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.setting import SettingSource

__all__ = [
    "MatplotlibFacts",
    "OpenCvFacts",
    "PythonFacts",
    "PythonKind",
    "QtFacts",
    "ToolkitFacts",
    "WindowTry",
]


class PythonKind(Enum):
    SYSTEM = "system"
    VENV = "venv"
    CONDA = "conda"
    PYENV = "pyenv"
    UV = "uv"
    OTHER = "other"


@dataclass(frozen=True)
class MatplotlibFacts:
    """matplotlib as one interpreter has it.

    Attributes:
        version: None where it is not installed.
        rc_file: `matplotlib.matplotlib_fname()`: the file in effect.
        rc_backend: the backend line in effect in that file, None where the file has none.
        backend_wish: the backend asked for and by whom (MPLBACKEND beats the file), None for automatic
            choice.
        backend: what `pyplot.get_backend()` answers in this session; Unknown where it was not asked.
        user_rc: the file x11fwd may write: `matplotlib.get_configdir()` + `/matplotlibrc`, following
            symlinks.
        user_rc_exists: it is there already.
        problem: the last line of the traceback where importing failed.
        user_rc_text: its text, None where it is not there, Unknown where it cannot be read or was not asked.
        backend_fallback: the rc key of that name (True: an interactive wish without a display becomes Agg).
        interactive: the rc key of that name (True: `show()` does not wait).
        forced: the backend that a start file of Python's own has chosen by `use()`; None where none has.
        start_lines: lines of such files (sitecustomize, usercustomize, *.pth) that name matplotlib.
        shell_lines: lines of PYTHONSTARTUP's file and of IPython's start files that choose a backend.
        config_dir: the directory that matplotlib wants for its settings.
        config_temporary: it takes a temporary one instead, as it cannot write to that one.
    """

    version: str | None
    rc_file: str | None = None
    rc_backend: SettingSource | None = None
    backend_wish: tuple[str, SettingSource] | None = None
    backend: str | Unknown = Unknown("not asked")
    user_rc: str | None = None
    user_rc_exists: bool = False
    problem: str = ""
    user_rc_text: str | Unknown | None = Unknown("not asked")
    backend_fallback: bool = True
    interactive: bool = False
    forced: str | None = None
    start_lines: tuple[SettingSource, ...] = ()
    shell_lines: tuple[SettingSource, ...] = ()
    config_dir: str = ""
    config_temporary: bool = False


@dataclass(frozen=True)
class QtFacts:
    """The platform plugin that the Qt binding would load, which opens its windows on X11.

    Attributes:
        plugin: path of libqxcb.so; None where none is beside Qt.
        problem: why it does not load, in the dynamic linker's words; "" where it does.
        missing: every library that it lacks (`libxcb-icccm.so.4`), as far as ldd could tell.
    """

    plugin: str | None
    problem: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowTry:
    """A window made in a process of its own and never shown.

    Attributes:
        toolkit: `tk` or `qt`.
        ok: it came about on the display.
        words: the last lines that the process said where it did not.
        status: exit status; negative: the signal that ended it (-6: it aborted).
        fonts: Tk's font system: `xft`, or `x11` for bitmap fonts; "" where not asked.
        platform: Qt's platform plugin: `xcb`, `offscreen`, …; "" where not asked.
    """

    toolkit: str
    ok: bool
    words: str = ""
    status: int = 0
    fonts: str = ""
    platform: str = ""


@dataclass(frozen=True)
class OpenCvFacts:
    """A cv2 that brings a Qt of its own.

    Attributes:
        package: `opencv-python 4.10.0.84`.
        plugins: the folder that `import cv2` puts into QT_QPA_PLATFORM_PLUGIN_PATH.
    """

    package: str
    plugins: str


@dataclass(frozen=True)
class ToolkitFacts:
    """What the toolkits of one interpreter stand on.

    Attributes:
        libx11_problem: why libX11.so.6 does not load, "" where it does.
        tk_elsewhere: files of `_tkinter` for other versions of Python; looked for where this one has none.
        qt: None where no binding imports; Unknown where it was not asked.
        window: a window that was tried; Unknown where it was not, with the reason.
        opencv: None where cv2 is not there or has no Qt of its own.
        opengl: 3D libraries installed (`vtk 9.3.0`).
        emoji_font: a colour emoji font's file; None where the usual places have none.
        libxft: version of the library by its file name (`2.3.6`), "" where it cannot be told.
        environment: variables that toolkits and matplotlib read, as Python has them.
        at_start: of those, the ones that a start file of Python's own has changed.
    """

    libx11_problem: str = ""
    tk_elsewhere: tuple[str, ...] = ()
    qt: QtFacts | Unknown | None = Unknown("not asked")
    window: WindowTry | Unknown = Unknown("not asked")
    opencv: OpenCvFacts | None = None
    opengl: tuple[str, ...] = ()
    emoji_font: str | None = None
    libxft: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    at_start: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PythonFacts:
    """One interpreter the user would meet.

    Attributes:
        path: as found (`/usr/bin/python3`); `executable` is `sys.executable` of it, symlinks kept.
        found_by: how: `login shell`, `--python`, `conda`, `venv`, `pyenv`, `uv`, `PATH`.
        version: `3.11.2`.
        prefix, base_prefix: sys.prefix, sys.base_prefix.
        kind: system, venv, conda, pyenv, uv, other.
        externally_managed: PEP 668 marker present.
        has_pip: `python -m pip` would work.
        tkinter: Tk's patch level where `_tkinter` and `tkinter.filedialog` import; None where absent
            (`tkinter_problem` holds the last traceback line); Unknown where not asked.
        qt: the first Qt binding that imports, with version (`PyQt5 5.15.9`), None without one
            (`qt_problem` holds why one that is installed does not import).
        problem: why the interpreter could not be asked at all ("there is no program python3.14").
        tool: path of conda or mamba, for an environment of theirs.
        toolkits: what Tk, Qt and others stand on there; asked of the first interpreter only.
    """

    path: str
    found_by: str
    executable: str = ""
    version: str = ""
    prefix: str = ""
    base_prefix: str = ""
    kind: PythonKind = PythonKind.OTHER
    externally_managed: bool = False
    has_pip: bool = False
    tkinter: str | Unknown | None = Unknown("not asked")
    tkinter_problem: str = ""
    qt: str | Unknown | None = Unknown("not asked")
    matplotlib: MatplotlibFacts | Unknown = Unknown("not asked")
    qt_problem: str = ""
    problem: str = ""
    tool: str | None = None
    toolkits: ToolkitFacts = field(default_factory=ToolkitFacts)
