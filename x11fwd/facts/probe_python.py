"""Asked of each interpreter on the remote; sent as text by probe.sh, so it imports nothing of ours and runs on 3.6.

Prints one line of JSON behind a mark. Imports what a script of the user's would import, and writes nothing: no
bytecode, no directory, no font cache, no window.
"""

# Python 3.6 has neither `X | None` nor `from __future__ import annotations`; a foreign module may fail in any way.
# It runs on the remote, where os.path costs less to import than pathlib.
# ruff: noqa: BLE001, E501, PTH110, PTH111, PTH112, PTH118, PTH119, PTH120, PTH207, PTH208, SIM105
# ruff: noqa: UP006, UP031, UP035, UP045

import sys
from typing import Any, Callable, Dict, List, Optional

# taken out again by facts/remote.py, which sends all of them as one
from x11fwd.facts.probe_display import handshake
from x11fwd.facts.probe_stamp import stamp
from x11fwd.facts.probe_toolkits import TK_CODE, Child, grounds, installed, qt, tkinter_elsewhere, try_window

INTERACTIVE = frozenset(
    [
        *("gtk3agg", "gtk3cairo", "gtk4agg", "gtk4cairo", "macosx", "qtagg", "qtcairo", "qt5agg", "qt5cairo"),
        *("qt4agg", "qt4cairo", "tkagg", "tkcairo", "wx", "wxagg", "wxcairo"),
    ]
)
TEXT_LIMIT = 100000  # bytes of a matplotlibrc that are sent; the packaged one has 42 kB
VARIABLES = (
    *("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "MPLCONFIGDIR", "MATPLOTLIBRC", "PYTHONSTARTUP"),
    *("QT_API", "QT_QPA_PLATFORM", "QT_QPA_PLATFORM_PLUGIN_PATH", "QT_PLUGIN_PATH", "QT_XCB_GL_INTEGRATION"),
    *("QT_X11_NO_MITSHM", "TCL_LIBRARY", "TK_LIBRARY"),
)


def last_line(error: BaseException) -> str:
    """What a traceback ends with."""
    text = str(error).strip()
    return "%s: %s" % (type(error).__name__, text.splitlines()[-1] if text else "")


def interpreter() -> "Dict[str, object]":
    import os
    from importlib import util

    # deb and rpm put it beside the standard library (PEP 668); it does not count inside a venv
    marker = os.path.join(os.path.dirname(os.__file__), "EXTERNALLY-MANAGED")
    return {
        "executable": sys.executable or "",
        "version": "%d.%d.%d" % sys.version_info[:3],
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "managed": sys.prefix == sys.base_prefix and os.path.exists(marker),
        "pip": util.find_spec("pip") is not None,
        "conda": os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
        "platform": sys.platform,
    }


def environment() -> "Dict[str, object]":
    """Variables that toolkits read, and those of them that sitecustomize or the like has changed for this process."""
    import os

    found = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    try:
        with open("/proc/self/environ", "rb") as file:
            before = {one.partition(b"=")[0]: one.partition(b"=")[2] for one in file.read().split(b"\0")}
    except OSError:
        return {"variables": found, "changed": []}
    changed = [
        name
        for name in VARIABLES
        if before.get(os.fsencode(name)) != (os.fsencode(found[name]) if name in found else None)
    ]
    return {"variables": found, "changed": changed}


def naming(paths: "List[str]", pattern: str) -> "List[List[object]]":
    """Lines of files in which a pattern is found before any comment: path, number, text."""
    import re

    wanted = re.compile(r"^[^#]*(?:%s)" % pattern)
    found: List[List[object]] = []
    for path in paths:
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if len(found) < 5 and wanted.match(line):
                found.append([path, number, line.strip()[:200]])
    return found


def at_start() -> "List[List[object]]":
    """Lines about matplotlib in what this interpreter runs before any script (the module site)."""
    import glob
    import os

    modules = [sys.modules.get(name) for name in ("sitecustomize", "usercustomize")]
    paths = [str(module.__file__) for module in modules if module and getattr(module, "__file__", None)]
    for folder in sys.path:
        if folder.endswith(("site-packages", "dist-packages")):
            paths += sorted(glob.glob(os.path.join(folder, "*.pth")))
    return naming(paths, "matplotlib|MPLBACKEND")


def in_shells() -> "List[List[object]]":
    """Lines that choose a backend for interactive sessions only: PYTHONSTARTUP, IPython's profile."""
    import glob
    import os

    profile = os.path.join(
        os.environ.get("IPYTHONDIR") or os.path.expanduser("~/.ipython"), "profile_default"
    )
    paths = [os.environ["PYTHONSTARTUP"]] if os.environ.get("PYTHONSTARTUP") else []
    paths += sorted(glob.glob(profile + "/ipython*_config.py") + glob.glob(profile + "/startup/*.*py"))
    return naming(
        paths,
        r"matplotlib\.use\(|switch_backend\(|MPLBACKEND|%matplotlib|_magic\(.matplotlib|\.(?:matplotlib|pylab)\s*=",
    )


def tk(full: bool) -> "Dict[str, object]":
    """Tk's version, as far as it can be told without a display. An empty `tkinter` folder imports, `_tkinter` does not."""
    try:
        import _tkinter

        version = str(_tkinter.TK_VERSION)
        if full:
            import tkinter.filedialog

            patch = str(
                tkinter.Tcl().eval("info patchlevel")
            )  # fails where init.tcl is lost (python-build-standalone)
            version = patch if patch.startswith(version + ".") else version
    except BaseException as error:
        # Tcl names in its first line what it looked for, and then where
        text = str(error).strip().splitlines()
        return {"problem": "%s: %s" % (type(error).__name__, text[0].strip() if text else "")}
    return {"version": version}


# --- matplotlib -------------------------------------------------------------------------------------------


class Bystander:
    """While matplotlib is imported: directories that it would make are only taken for made (matplotlib/__init__.py,
    _get_config_or_cache_dir), so that asking leaves no trace. One whose parent takes no file still fails."""

    def __enter__(self) -> "Bystander":
        import os
        import pathlib

        self.made: set[str] = set()
        self.saved = (pathlib.Path.mkdir, pathlib.Path.is_dir, os.access)
        mkdir, is_dir, access = self.saved
        made = self.made

        def near(path: str) -> str:
            while not os.path.lexists(path) and os.path.dirname(path) != path:
                path = os.path.dirname(path)
            return path

        def no_mkdir(path: "Any", *args: "Any", **named: "Any") -> None:
            folder = near(str(path))
            if folder == str(path) or not os.path.isdir(folder) or not access(folder, os.W_OK):
                mkdir(path, *args, **named)
            else:
                made.add(str(path))

        def seems_dir(path: "Any", *args: "Any", **named: "Any") -> bool:
            return str(path) in made or bool(is_dir(path, *args, **named))

        def seems_writable(path: "Any", *args: "Any", **named: "Any") -> bool:
            return str(path) in made or bool(access(path, *args, **named))

        setattr(pathlib.Path, "mkdir", no_mkdir)  # noqa: B010  for mypy these are not assignable
        setattr(pathlib.Path, "is_dir", seems_dir)  # noqa: B010
        setattr(os, "access", seems_writable)  # noqa: B010
        return self

    def __exit__(self, *exc: object) -> None:
        import os
        import pathlib

        setattr(pathlib.Path, "mkdir", self.saved[0])  # noqa: B010
        setattr(pathlib.Path, "is_dir", self.saved[1])  # noqa: B010
        setattr(os, "access", self.saved[2])  # noqa: B010


def text_of(path: str) -> "Optional[str]":
    """A file's text, undecodable bytes as surrogates, line ends as they are; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(TEXT_LIMIT).decode("utf-8", "surrogateescape")
    except OSError:
        return None


def plots(display_ok: "Callable[[], bool]", has_tk: bool, binding: str) -> "Dict[str, object]":
    """matplotlib as it is in this environment: file in effect, backend asked for, backend that pyplot would get."""
    import logging
    import os
    import warnings

    found: Dict[str, object] = {"version": installed("matplotlib")}
    if found["version"] is None:
        return found
    found["variable"] = os.environ.get("MPLBACKEND")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    early = "matplotlib" in sys.modules
    # before the import: matplotlib itself sets the variable where it has to take a temporary directory
    wanted = os.environ.get("MPLCONFIGDIR")
    if not wanted:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
        wanted = os.path.join(base, "matplotlib")
    try:
        with Bystander():
            import matplotlib

            found["version"] = str(matplotlib.__version__)
            found["rc_file"] = str(matplotlib.matplotlib_fname())
            folder = str(matplotlib.get_configdir())
    except BaseException as error:
        found["problem"] = last_line(error)
        return found
    user = os.path.join(folder, "matplotlibrc")
    found["user_rc"] = os.path.realpath(user)
    found["user_rc_exists"] = os.path.exists(user)
    found["user_rc_text"] = text_of(user)
    text = text_of(str(found["rc_file"]))
    if text is not None:
        # few lines of the packaged file matter, and it is long
        lines = enumerate(text.splitlines(), 1)
        found["rc_lines"] = [[n, line[:200]] for n, line in lines if line.lstrip().startswith("backend")]
    found["start_lines"] = at_start()
    found["shell_lines"] = in_shells()
    found["config_dir"] = wanted
    # matplotlib/__init__.py, _get_config_or_cache_dir: tempfile.mkdtemp(prefix="matplotlib-")
    found["config_temporary"] = os.path.basename(folder).startswith("matplotlib-") and folder != wanted
    settings = matplotlib.rcParams
    wish = dict.__getitem__(settings, "backend")
    before = found["variable"] or dict.__getitem__(matplotlib.rcParamsOrig, "backend")
    if early and str(wish).lower() != str(before).lower() and isinstance(wish, str):
        found["forced"] = wish
    found["wish"] = wish if isinstance(wish, str) else None
    found["fallback"] = bool(settings.get("backend_fallback", True))
    found["interactive"] = bool(settings.get("interactive", False))
    try:
        with Bystander():
            found.update(backend(matplotlib, found, display_ok, has_tk, binding))
    except BaseException as error:
        found["backend_problem"] = last_line(error)
    return found


def display_is_valid(display_ok: "Callable[[], bool]") -> bool:
    """What matplotlib's _c_internal_utils.display_is_valid() would say: libX11 loads, and the display lets us in."""
    import ctypes

    try:
        ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    return display_ok()


def backend(
    matplotlib: "Any",
    found: "Dict[str, object]",
    display_ok: "Callable[[], bool]",
    has_tk: bool,
    binding: str,
) -> "Dict[str, object]":
    """The backend that `import matplotlib.pyplot` ends up with, by the rules of its pyplot.py.

    The handshake made before stands for display_is_valid(), which costs 16 round trips. Only where these rules do not
    decide is pyplot itself imported: it takes half a second and builds a font cache where there is none yet.
    """
    import os
    from importlib import util

    wish = found["wish"]
    new = tuple(int(part) for part in str(found["version"]).split(".")[:2]) >= (3, 5)
    on_x11 = sys.platform.startswith(("linux", "freebsd"))
    plain = wish.lower() if isinstance(wish, str) else ""
    if on_x11:
        # before 3.4 matplotlib looked at the variable only
        knows = hasattr(getattr(matplotlib, "_c_internal_utils", None), "display_is_valid")
        if not knows:
            knows = util.find_spec("matplotlib._c_internal_utils") is not None
        valid = display_is_valid(display_ok) if knows else bool(os.environ.get("DISPLAY"))
        valid = valid or bool(os.environ.get("WAYLAND_DISPLAY"))
        if plain and plain not in INTERACTIVE:
            return {"backend": wish}
        if not valid:
            if plain and not found["fallback"]:
                return {
                    "backend_problem": "Cannot load backend %r, as 'headless' is currently running" % wish
                }
            return {"backend": "agg"}
        if plain.startswith("tk") and has_tk:
            import matplotlib.backends._tkagg  # its C part must load

            return {"backend": wish}
        if plain.startswith("qt") and binding:
            return {"backend": wish}
        if plain and (plain.startswith(("tk", "qt"))):
            toolkit = "tkinter" if plain.startswith("tk") else "a Qt binding"
            return {"backend_problem": "Cannot load backend %r: %s does not import" % (wish, toolkit)}
        if not plain:
            if binding and (new or binding in ("PyQt5", "PySide2")):
                return {"backend": "qtagg" if new else "qt5agg"}
            if util.find_spec("gi") is None and util.find_spec("wx") is None:
                if not has_tk:
                    return {"backend": "agg"}
                import matplotlib.backends._tkagg

                return {"backend": "tkagg"}
    folder = matplotlib.get_cachedir()
    if not (
        folder and os.path.isdir(folder) and any(name.startswith("fontlist") for name in os.listdir(folder))
    ):
        return {
            "backend_problem": "not asked: matplotlib has no font cache yet, and importing pyplot would write it"
        }
    import matplotlib.pyplot

    return {"backend": str(matplotlib.pyplot.get_backend())}


def in_full() -> "Dict[str, Any]":
    """Everything about toolkits and matplotlib, or that it is as it was; what waits for others runs beside the imports."""
    import os
    import threading

    answer: Dict[str, Any] = {}
    answer["environment"] = environment()
    # whoever asks has kept what was said at an earlier look
    expected = os.environ.get("X11FWD_STAMP")
    now = stamp(["matplotlib" in sys.modules]) if expected else ""
    if now and now == expected:
        answer["same"] = now
        return answer
    shake: Dict[str, Any] = {}
    children: Dict[str, Child] = {}

    def knock() -> None:
        # the answer is two round trips away; the imports below take as long
        shake.update(handshake())
        if try_window(shake, "tk"):
            return
        try:
            children["tk"] = Child("tk", TK_CODE, shake["authority"])
        except OSError:
            pass

    waiting = threading.Thread(target=knock, daemon=True)
    waiting.start()
    # on a near display the time would else be that of an import which does not let go of Python
    waiting.join(0.03)

    def display_ok() -> bool:
        waiting.join()
        return bool(shake.get("ok"))

    answer["tk"] = tk(True)
    has_tk = "version" in answer["tk"]
    if not has_tk:
        answer["tk"]["elsewhere"] = tkinter_elsewhere()
    answer["qt"] = qt(True)
    child = answer["qt"].pop("child", None)
    if child:
        children["qt"] = child
    answer["grounds"] = grounds()
    answer["matplotlib"] = plots(display_ok, has_tk, str(answer["qt"].get("module", "")))
    if now:
        answer["stamp"] = now
    waiting.join()
    answer["handshake"] = shake
    backend = str(answer["matplotlib"].get("backend", "")).lower()
    toolkit = "qt" if backend.startswith("qt") else "tk" if has_tk else ""
    answer["window"] = window(shake, toolkit, children)
    return answer


def window(shake: "Dict[str, Any]", toolkit: str, children: "Dict[str, Child]") -> "Dict[str, object]":
    """What became of a window of the toolkit that would be used; the other one's process ends without one."""
    for name in children:
        if name != toolkit:
            children[name].process.kill()
    reason: Dict[str, object] = {"reason": "there is no toolkit"}
    if toolkit:
        reason = try_window(shake, toolkit)
    if reason or toolkit not in children:
        if toolkit in children:
            children[toolkit].process.kill()
        return reason or {"reason": "it could not be started"}
    return children[toolkit].end(b"go\n")


def as_json(value: object) -> str:
    """json.dumps() without the import of json, which costs as much as all else that a short answer takes."""
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        import json

        return json.dumps(value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join(
            encode_basestring_ascii(str(key)) + ": " + as_json(value[key]) for key in value
        )
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(map(as_json, value))
    if isinstance(value, str):
        return str(encode_basestring_ascii(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)  # a number


def main(mode: str, mark: str) -> None:
    sys.dont_write_bytecode = True
    # With -c the current directory comes first, and a json.py in the home directory would be taken for the real one.
    sys.path[:] = [path for path in sys.path if path]
    import os

    # What the modules print must not come between.
    out = os.dup(1)
    os.dup2(2, 1)
    full = mode == "full"
    answer = interpreter()
    if full:
        answer.update(in_full())
    else:
        answer.update(tk=tk(False), qt=qt(False), matplotlib={"version": installed("matplotlib")})
    data = (mark + as_json(answer) + "\n").encode("ascii")
    while data:
        data = data[os.write(out, data) :]
    # matplotlib may have made a temporary directory; a module may have left a thread that would keep us from ending.
    import atexit

    getattr(atexit, "_run_exitfuncs", int)()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
