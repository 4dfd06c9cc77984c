"""Rows of the truth table about Python and its toolkits: F112 to F123, and those of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Fault, Scene, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "/home/ana"
BASHRC = f"{HOME}/.bashrc"
STDLIB = "/usr/lib/python3.11"  # bookworm's
TKINTER_SO = f"{STDLIB}/lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
PACKAGES = "/usr/lib/python3/dist-packages"
# Debian's own /etc/matplotlibrc asks for Tk
QT = Stage(variant="qt").but(files={"/etc/matplotlibrc": "backend: QtAgg\n"})
AUTO = Stage(variant="qt").but(files={"/etc/matplotlibrc": "# matplotlib chooses\n"})
PYENV = f"{HOME}/.pyenv/versions/3.11.9"
UV = f"{HOME}/.local/share/uv/python/cpython-3.11.7-linux-x86_64-gnu"


def export(line: str) -> Callable[[Scene], None]:
    """A line in a start file that exports a variable."""

    def inject(scene: Scene) -> None:
        scene.host.append(BASHRC, f"export {line}\n")

    return inject


def gone(*paths: str) -> Callable[[Scene], None]:
    """Files that the host has lost."""

    def inject(scene: Scene) -> None:
        for path in paths:
            scene.host.remove(path)

    return inject


# --- Tk ---------------------------------------------------------------------------------------------------


def tk_of_another_version(scene: Scene) -> None:
    """Debian's python3-tk for its own version, and an interpreter of another one."""
    other = "/usr/lib/python3.12/lib-dynload/_tkinter.cpython-312-x86_64-linux-gnu.so"
    scene.host.write(other, scene.host.path(TKINTER_SO).read_bytes())
    scene.host.remove(TKINTER_SO)


def another_python(scene: Scene, prefix: str) -> None:
    """An interpreter with a standard library of its own and Debian's packages, first in the PATH."""
    scene.host.keep(prefix)
    scene.host.run(
        f"mkdir -p {prefix}/bin {prefix}/lib/python3.11/site-packages"
        f" && cp /usr/bin/python3.11 {prefix}/bin/ && ln -s python3.11 {prefix}/bin/python3"
        f" && cp -as {STDLIB}/. {prefix}/lib/python3.11/"
        f" && mkdir -p {prefix}/lib/python3/dist-packages {prefix}/local/lib/python3.11/dist-packages"
        f" && echo {PACKAGES} >{prefix}/lib/python3/dist-packages/debian.pth",
        user="ana",
    )
    scene.host.append(BASHRC, f'export PATH="{prefix}/bin:$PATH"\n')


def built_without_tk(scene: Scene) -> None:
    another_python(scene, PYENV)
    scene.host.run(f"rm {PYENV}/lib/python3.11/lib-dynload/_tkinter*", user="ana")


def old_standalone(scene: Scene) -> None:
    """A stub for the statically linked module: Tcl looks for its scripts where the build machine had them."""
    another_python(scene, UV)
    scene.host.run(f"rm {UV}/lib/python3.11/lib-dynload/_tkinter*", user="ana")
    scene.host.write(
        f"{UV}/lib/python3.11/_tkinter.py",
        "class TclError(Exception):\n    pass\n\n\n"
        'raise TclError("Can\'t find a usable init.tcl in the following directories: /tools/deps/lib")\n',
        user="ana",
    )


# --- Qt ---------------------------------------------------------------------------------------------------


def opencv(scene: Scene) -> None:
    """opencv-python as pip installs it: a Qt of its own, to which `import cv2` leads every other one."""
    scene.host.write(
        f"{PACKAGES}/cv2/__init__.py",
        "import os\n\nos.environ['QT_QPA_PLATFORM_PLUGIN_PATH'] = os.path.join(\n"
        "    os.path.dirname(os.path.abspath(__file__)), 'qt', 'plugins'\n)\n",
    )
    scene.host.write(f"{PACKAGES}/cv2/qt/plugins/platforms/libqxcb.so", "not a library of this Qt\n")
    scene.host.write(
        f"{PACKAGES}/opencv_python-4.10.0.84.dist-info/METADATA", "Name: opencv-python\nVersion: 4.10.0.84\n"
    )


def opencv_in_environment(scene: Scene) -> None:
    """What `import cv2` sets was put into a start file."""
    opencv(scene)
    scene.host.append(BASHRC, f"export QT_QPA_PLATFORM_PLUGIN_PATH={PACKAGES}/cv2/qt/plugins\n")


def display_in_bashrc(scene: Scene) -> None:
    scene.host.append(BASHRC, "export DISPLAY=:77\n")


FAULTS: tuple[Fault, ...] = (
    Fault(
        "tk-missing-distro-python",
        "F112",
        gone(f"{STDLIB}/tkinter", TKINTER_SO),
        status="fail",
        says="No module named '_?tkinter'",
        pairs=True,
    ),
    Fault("tk-missing-built-python", "F113", built_without_tk, status="fail", says=r"\.pyenv/versions/3\.11"),
    Fault(
        "tk-wrong-package", "F114", tk_of_another_version, status="fail", says=r"_tkinter\.cpython-312.*3\.11"
    ),
    Fault("tk-uv-standalone", "F115", old_standalone, status="fail", says="uv self update"),
    Fault(
        "libx11-missing",
        "F116",
        gone(f"{LIBRARIES}/libX11.so.6"),
        status="fail",
        says=r"libX11\.so\.6: cannot open",
    ),
    Fault(
        "tk-library-lost",
        "F112",
        gone("/usr/share/tcltk/tcl8.6/init.tcl"),
        status="fail",
        says=r"init\.tcl",
        case="scripts",
    ),
    Fault(
        "qt-plugin-libs",
        "F118",
        gone(f"{LIBRARIES}/libxcb-icccm.so.4"),
        stage=QT,
        status="fail",
        says="apt-get install libxcb-icccm4",
    ),
    Fault(
        "qt-plugin-libs",
        "F118",
        gone(f"{LIBRARIES}/libxcb-icccm.so.4"),
        stage=AUTO,
        status="fail",
        says="matplotlib tries Qt before Tk",
        case="auto",
    ),
    Fault(
        "qt-no-display",
        "F119",
        display_in_bashrc,
        kind="symptom",
        under="start-file-overwrites-display",
        stage=QT,
        status="fail",
        says="could not connect to display",
    ),
    Fault("opencv-qt-conflict", "F120", opencv, stage=QT, status="warn", says=r"opencv-python 4\.10.*cv2/qt"),
    Fault(
        "opencv-qt-conflict",
        "F120",
        opencv_in_environment,
        stage=QT,
        status="fail",
        says="QT_QPA_PLATFORM_PLUGIN_PATH=",
        case="variable",
    ),
    Fault(
        "qt-platform-variable",
        "F121",
        export("QT_QPA_PLATFORM=offscreen"),
        stage=QT,
        status="fail",
        says=r"\.bashrc:\d+",
        case="offscreen",
    ),
    Fault(
        "qt-platform-variable",
        "F121",
        export("QT_QPA_PLATFORM=xbc"),
        stage=QT,
        status="fail",
        says=r"\.bashrc:\d+.*aborts",
        case="misspelt",
    ),
    Fault("qt-binding-missing", "F123", export("MPLBACKEND=QtAgg"), status="fail", says="QtAgg"),
)
