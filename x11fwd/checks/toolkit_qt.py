"""Qt on the remote: binding, platform plugin and its libraries, variables, OpenCV's own Qt; F118 to F123."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.toolkit import TOOLKITS, display_works, there, toolkit_of, tried, wish_of
from x11fwd.facts.model import PackageManager, PythonFacts, QtFacts, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[.\d]*): cannot open")
_BESIDE_XCB = frozenset({"wayland", "wayland-egl"})  # tried first, and passed over without a compositor
_ODD_NAMES = {"libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0"}
_GREP = "grep -n QT_ ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/* /etc/environment"


def binding_missing(seen: Seen) -> Verdict:
    """F123: a Qt backend is asked for, and no binding can be imported."""
    python = seen.python
    wish, who, _ = wish_of(seen.matplotlib)
    if TOOLKITS.get(wish) != "qt" or isinstance(python.qt, Unknown):
        return skip("no Qt backend is asked for")
    if python.qt:
        return fine(f"{python.qt} is installed on {seen.host}")
    if _missing(python):
        return skip("Qt is there, see qt-plugin-libs")
    api = python.toolkits.environment.get("QT_API")
    none = "none of PyQt6, PySide6, PyQt5, PySide2 can be imported"
    only = f"QT_API={api} allows no other binding, and that one cannot be imported" if api else none
    return bad(
        f"{who} on {seen.host} asks for {wish}, but Qt is missing",
        python.qt_problem or only,
        Fix(f"x11fwd setup --playbook qt {seen.name}", FixBy.X11FWD),
    )


def _missing(python: PythonFacts) -> tuple[str, ...]:
    """Libraries that Qt's platform plugin, or where no binding imports the binding itself, does not find."""
    qt = python.toolkits.qt
    words = qt.problem if isinstance(qt, QtFacts) else python.qt_problem if python.qt is None else ""
    if isinstance(qt, QtFacts) and qt.missing:
        return qt.missing
    return tuple(_LIBRARY.findall(words))


def plugin_libraries(seen: Seen) -> Verdict:
    """F118: wheels of PyQt and PySide need xcb libraries of the system; without them Qt aborts."""
    python = seen.python
    qt = python.toolkits.qt
    if toolkit_of(python) != "qt":
        return skip("windows do not come from Qt")
    missing = _missing(python)
    problem = qt.problem if isinstance(qt, QtFacts) else python.qt_problem
    if not missing and not (isinstance(qt, QtFacts) and problem):
        return fine(f"Qt on {seen.host} finds the libraries that its windows need")
    if isinstance(qt, QtFacts) and _of_opencv(qt.plugin or ""):
        return skip("the plugin is that of OpenCV, see opencv-qt-conflict")
    where = qt.plugin if isinstance(qt, QtFacts) and qt.plugin else str(python.qt_problem)
    # auto choice takes Qt before Tk, and an abort cannot be caught
    first = "" if wish_of(seen.matplotlib)[0] else "; matplotlib tries Qt before Tk"
    return bad(
        f"Qt on {seen.host} lacks libraries, so a program ends with Aborted instead of showing a window",
        f"{where}: not found: {', '.join(missing)}{first}" if missing else f"{where}: {problem}{first}",
        _install(seen, missing),
    )


def _install(seen: Seen, missing: Sequence[str]) -> Fix | None:
    """What brings these libraries; without root: Tk, where it is there."""
    manager = seen.there.package_manager
    name = manager.name if isinstance(manager, PackageManager) else ""
    if missing and name == "apt":
        return there(seen, f"sudo apt-get install {' '.join(map(_debian, missing))}", FixBy.ADMIN)
    if missing and name in {"dnf", "yum", "microdnf", "zypper"}:
        # rpm packages provide each library under its name; `()(64bit)` marks the usual width
        what = " ".join(quote(f"{library}()(64bit)") for library in missing)
        return there(seen, f"sudo {name} install {what}", FixBy.ADMIN)
    if isinstance(seen.python.tkinter, str):
        return Fix("export MPLBACKEND=TkAgg", FixBy.YOU)
    return None


def _debian(library: str) -> str:
    """Debian's package of a shared library (policy manual, 8.1): libxcb-icccm.so.4 is in libxcb-icccm4."""
    if library in _ODD_NAMES:
        return _ODD_NAMES[library]
    name, _, version = library.partition(".so.")
    dash = "-" if name[-1:].isdigit() else ""
    return f"{name}{dash}{version}".lower().replace("_", "-")


def no_display(seen: Seen) -> Verdict:
    """F119: programs that make a QApplication themselves abort where pyplot would have taken Agg."""
    if not isinstance(seen.python.qt, str):
        return skip("there is no Qt")
    if display_works(seen):
        return fine("programs of Qt's find a display")
    return bad(
        f"programs of Qt's on {seen.host} end with `could not connect to display`",
        f"{seen.python.qt} aborts where no display can be opened",
    )


def _of_opencv(path: str) -> bool:
    return "/cv2/qt/plugins" in path


def opencv(seen: Seen) -> Verdict:
    """F120: `import cv2` leads Qt to OpenCV's own plugins, which another Qt cannot load."""
    python = seen.python
    own = python.toolkits.opencv
    path = python.toolkits.environment.get("QT_QPA_PLATFORM_PLUGIN_PATH", "")
    if toolkit_of(python) != "qt" or not isinstance(python.qt, str):
        return skip("windows do not come from Qt")
    if _of_opencv(path):
        return bad(
            f"Qt on {seen.host} is led to the plugins of OpenCV, and aborts",
            f"QT_QPA_PLATFORM_PLUGIN_PATH={path}",
            there(seen, _GREP),
        )
    if own is None:
        return fine("no OpenCV with a Qt of its own is installed")
    pip = f"{quote(python.path)} -m pip"
    name = own.package.partition(" ")[0]
    name = name if name.startswith("opencv-") else "opencv-python"
    return odd(
        f"a script on {seen.host} that imports cv2 will abort at its first plot",
        f"{own.package} has a Qt of its own ({own.plugins}), and windows come from {python.qt}",
        there(seen, f"{pip} uninstall -y {name} && {pip} install {name}-headless"),
    )


def platform_variable(seen: Seen) -> Verdict:
    """F121: QT_QPA_PLATFORM=offscreen of a CI image, wayland of a start file, or a misspelt name."""
    python = seen.python
    value = python.toolkits.environment.get("QT_QPA_PLATFORM", "")
    if not value:
        return fine("QT_QPA_PLATFORM is not set")
    if toolkit_of(python) != "qt" or not isinstance(python.qt, str):
        return fine(f"QT_QPA_PLATFORM is {value}; windows do not come from Qt")
    names = [part.partition(":")[0] for part in value.split(";") if part]
    reached = next((name for name in names if name not in _BESIDE_XCB), None)
    if reached == "xcb":
        return fine(f"QT_QPA_PLATFORM is {value}")
    if reached is None and len(names) < len(value.split(";")):
        return fine(f"QT_QPA_PLATFORM is {value}")
    lines = seen.there.account.setting("QT_QPA_PLATFORM")
    where = f"{lines[-1]}" if lines else f"QT_QPA_PLATFORM={value}"
    effect = "no window comes, and show() waits" if reached in {"offscreen", "minimal"} else "Qt aborts"
    return bad(
        f"QT_QPA_PLATFORM={value} on {seen.host} keeps Qt from this display",
        f"{where}; {effect}. In sessions of ssh it has to be unset, or xcb",
        there(seen, _GREP),
    )


def glx(seen: Seen) -> Verdict:
    """F122: Qt asks for GL through a display that has none."""
    window = tried(seen, "qt")
    words = window.words if window and not window.ok else ""
    if "GLX" not in words and "XCB error: 166" not in words:
        return fine("Qt does not stumble over GLX")
    return bad(
        f"Qt on {seen.host} asks for OpenGL through the forwarded display, and ends",
        words,
        Fix("export QT_XCB_GL_INTEGRATION=none LIBGL_ALWAYS_SOFTWARE=1", FixBy.YOU),
    )


def shared_memory(seen: Seen) -> Verdict:
    """F125: in a container, a display reached by the host's socket looks as if memory could be shared."""
    place = seen.there.place
    display = seen.python.toolkits.environment.get("DISPLAY", "")
    inside = bool(place and place.container)
    if not inside or not display.startswith((":", "unix:")) or not isinstance(seen.python.qt, str):
        return skip("no container shares this display by a socket")
    if "QT_X11_NO_MITSHM" in seen.python.toolkits.environment:
        return fine("Qt does not try to share memory with the display")
    return odd(
        f"programs of Qt's in this container may end with BadAccess (MIT-SHM) on DISPLAY={display}",
        "the socket is the host's, and the memory is not shared with it",
        Fix("export QT_X11_NO_MITSHM=1", FixBy.YOU),
    )


def opengl_programs(seen: Seen) -> Verdict:
    """F131: 3D over a forwarded display is slow at best. Only said: they are installed, not used."""
    found = seen.python.toolkits.opengl
    if not found:
        return fine("no 3D library of those known is installed")
    return fine(
        f"3D windows of {', '.join(found)} on {seen.host} will be slow or stay black over ssh",
        "OpenGL through a forwarded display stops at version 1.4 and ships every vertex",
    )
