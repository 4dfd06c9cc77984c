"""Tk, Qt and what they stand on, as a program on the remote would meet them; part of what probe_python.py sends, runs on 3.6.

A toolkit is tried in a process of its own: a Qt without its libraries aborts, and that is an answer (F118).
"""

# It runs on the remote: os.path costs less to import than pathlib, and subprocess has no transport to go through.
# ruff: noqa: BLE001, E501, PLW1510, PTH111, PTH112, PTH118, PTH120, PTH207, PTH208, TID251
# ruff: noqa: UP006, UP031, UP035, UP045

import sys
from typing import Any, Dict, List, Optional

MODULES_OF_QT = (
    "PyQt6",
    "PySide6",
    "PyQt5",
    "PySide2",
)  # matplotlib/backends/qt_compat.py tries them in this order
# Answers that the first window waits for: measured, `SPEED.md`; a bare Tk root 37, a QApplication with a window 85.
TRIED_TRIPS = {"tk": 40, "qt": 90}
WINDOW_SECONDS = 0.5  # what a window may cost, at most, for doctor to try one
CHILD_SECONDS = 15.0
NOWHERE = "/nonexistent/x11fwd"  # caches and runtime directories cannot be made below it

# Closing quotes begin no line here: facts/remote.py would take them for a docstring's.
# No core file; not even for a program that the kernel would hand it to (prctl(2), PR_SET_DUMPABLE).
QUIET = """\
import sys
sys.path[:] = [x for x in sys.path if x]
try:
    import ctypes
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
except Exception:
    pass
def go():
    sys.stdout.flush()
    return sys.stdin.readline().strip() == 'go'\n"""
# The C module alone: no profile of the user's is read. Withdrawn before Tk's loop runs, it is never mapped.
TK_CODE = """\
import _tkinter
if go():
    t = _tkinter.create(None, 'x11fwd', 'X11fwd', False, False, True, False, None)
    t.eval('wm withdraw .')
    print('fonts ' + str(t.eval('catch {::tk::pkgconfig get fontsystem} f; set f')))
    t.eval('destroy .')
    print('ok')"""
QT_CODE = """\
import os
from %(module)s import QtCore, QtWidgets
i = QtCore.QLibraryInfo
p = i.path(i.LibraryPath.PluginsPath) if hasattr(i, 'path') else i.location(i.PluginsPath)
d = [x for x in os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH', '').split(':') if x]
d += [x + '/platforms' for x in os.environ.get('QT_PLUGIN_PATH', '').split(':') + [p] if x]
d = [x + '/libqxcb.so' for x in d if os.path.exists(x + '/libqxcb.so')][:1]
print('version ' + QtCore.qVersion())
for x in d:
    print('plugin ' + x)
    try:
        ctypes.CDLL(x)
    except Exception as e:
        print('lacks ' + str(e))
print('.')
if go():
    a = QtWidgets.QApplication(['x11fwd'])
    w = QtWidgets.QWidget()
    w.winId()
    print('platform ' + a.platformName())
    print('ok')
    sys.stdout.flush()
    os._exit(0)"""


class Child:
    """A toolkit in a process of its own, which waits for a word before it opens a window."""

    def __init__(self, toolkit: str, code: str, authority: str) -> None:
        import os
        import site
        import subprocess

        self.toolkit = toolkit
        # A cache of fonts, a runtime directory (Qt makes one), a profile of the user's: neither read nor written.
        env = dict(os.environ, XAUTHORITY=authority, PYTHONUSERBASE=site.getuserbase() or "")
        env.update(dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), NOWHERE))
        for name in ("QT_DEBUG_PLUGINS", "QT_LOGGING_RULES"):
            env.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-c", QUIET + code],
            bufsize=0,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.said = b""

    def first(self) -> "List[str]":
        """What it says before it waits; ends early where the process ends."""
        import os
        import select

        out: Any = self.process.stdout
        while not self.said.endswith(b"\n.\n"):
            if not select.select([out], [], [], CHILD_SECONDS)[0]:
                self.process.kill()
            more = os.read(out.fileno(), 65536)
            if not more:
                break
            self.said += more
        return self.said.decode("utf-8", "replace").splitlines()

    def end(self, word: bytes = b"") -> "Dict[str, object]":
        """Let it go on, or end it; what became of it."""
        import subprocess

        try:
            out, err = self.process.communicate(word, CHILD_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return {"toolkit": self.toolkit, "late": True}
        lines = (self.said + out).decode("utf-8", "replace").splitlines()
        words = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
        found: Dict[str, object] = {
            "toolkit": self.toolkit,
            "ok": "ok" in lines,
            "status": self.process.returncode,
        }
        for line in lines:
            key, _, value = line.partition(" ")
            if key in ("fonts", "platform"):
                found[key] = value
        if "ok" not in lines:
            found["words"] = "\n".join(words[-6:])
        return found


def missing_libraries(path: str) -> "List[str]":
    """What ldd(1) does not find for a library; nothing where there is no ldd."""
    import subprocess

    try:
        done = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return sorted({line.split()[0] for line in lines if line.endswith("not found") and line.split()})


def installed(module: str, folder: str = "") -> "Optional[str]":
    """The version by the metadata beside the module, "" where there is none, None where there is no module."""
    import os
    import re
    from importlib import util

    if not folder:
        try:
            spec = util.find_spec(module)
        except Exception:
            return None
        # a folder without __init__.py is left behind by an uninstalled package
        if spec is None or not spec.origin:
            return None
        folder = os.path.dirname(os.path.dirname(spec.origin))
    pattern = re.compile(
        re.escape(module).replace("_", "[-_]") + r"-([0-9][^-]*?)(?:-py[0-9.]+)?\.(?:dist|egg)-info$",
        re.IGNORECASE,
    )
    found = [match.group(1) for match in map(pattern.match, sorted(os.listdir(folder))) if match]
    return found[-1] if found else ""


def qt(full: bool) -> "Dict[str, Any]":
    """The first binding that imports, with its process, which still waits; in short the first that is there."""
    import os

    problem = ""
    authority = os.environ.get("XAUTHORITY") or os.path.join(os.path.expanduser("~"), ".Xauthority")
    named = os.environ.get("QT_API", "").lower()
    for module in [one for one in MODULES_OF_QT if one.lower() == named] or MODULES_OF_QT:
        version = installed(module)
        if version is None:
            continue
        if not full:
            return {"module": module, "version": version, "imported": False}
        try:
            child = Child("qt", QT_CODE % {"module": module}, authority)
            said = dict(line.partition(" ")[::2] for line in child.first())
        except OSError as error:
            problem = problem or str(error)
            continue
        if "version" in said:
            found = {
                "module": module,
                "version": version or said["version"],
                "imported": True,
                "child": child,
            }
            found["plugin"] = said.get("plugin")
            if "lacks" in said:
                found["lacks"] = said["lacks"]
                found["missing"] = missing_libraries(said["plugin"])
            return found
        ended = child.end()
        words = str(ended.get("words", "")).splitlines()
        problem = problem or (
            words[-1] if words else "%s ended with status %s" % (module, ended.get("status"))
        )
    return {"problem": problem}


def try_window(shake: "Dict[str, Any]", toolkit: str) -> "Dict[str, object]":
    """Why no window is tried; nothing where the display works and is near enough."""
    if not shake.get("ok"):
        return {"reason": "there is no display that works"}
    cost = TRIED_TRIPS[toolkit] * float(shake["trip"])
    return {"reason": "far", "toolkit": toolkit, "cost": round(cost, 1)} if cost > WINDOW_SECONDS else {}


# --- what they stand on -----------------------------------------------------------------------------------


def tkinter_elsewhere() -> "List[str]":
    """Files of _tkinter that were made for other versions of Python than this one."""
    import glob
    import sysconfig

    tag = str(sysconfig.get_config_var("EXT_SUFFIX") or "")
    found: List[str] = []
    for lib in ("lib", "lib64"):
        for base in ("/usr", sys.base_prefix):
            found += glob.glob("%s/%s/python3*/lib-dynload/_tkinter*.so" % (base, lib))
    return sorted({path for path in found if not (tag and path.endswith("_tkinter" + tag))})[:5]


def grounds() -> "Dict[str, object]":
    """Libraries, fonts and packages that decide what a window will look like, or whether one comes."""
    import ctypes
    import glob
    import os
    from importlib import util

    found: Dict[str, object] = {"libx11": ""}
    if sys.platform.startswith(("linux", "freebsd")):
        try:
            ctypes.CDLL("libX11.so.6")
        except OSError as error:
            found["libx11"] = str(error)
    fonts = ["/usr/share/fonts/truetype/noto", "/usr/share/fonts/noto", "/usr/share/fonts/google-noto-emoji"]
    fonts += ["/usr/share/fonts/google-noto-color-emoji-fonts", "~/.local/share/fonts", "~/.fonts"]
    emoji = [path for one in fonts for path in glob.glob(os.path.expanduser(one) + "/*ColorEmoji*.ttf")]
    found["emoji"] = emoji[0] if emoji else None
    xft = glob.glob("/usr/lib*/*/libXft.so.2.*") + glob.glob("/usr/lib*/libXft.so.2.*")
    found["xft"] = xft[0].rpartition(".so.")[2] if xft else ""
    solid = []
    for module in ("vtk", "pyvista", "mayavi", "napari", "open3d"):
        version = installed(module)
        if version is not None:
            solid.append(("%s %s" % (module, version)).strip())
    found["opengl"] = solid
    spec = util.find_spec("cv2")
    folder = os.path.dirname(spec.origin) if spec and spec.origin else ""
    plugins = os.path.join(folder, "qt", "plugins")
    if folder and os.path.isdir(plugins):
        names = ("opencv_python", "opencv_contrib_python")
        versions = [(name, installed(name, os.path.dirname(folder))) for name in names]
        package = ["%s %s" % (name.replace("_", "-"), version) for name, version in versions if version]
        found["opencv"] = [package[0] if package else "cv2", plugins]
    return found
