"""Says whether anything that decides what matplotlib and its toolkits are here has changed since an earlier look.

Sent by probe.sh as a part of probe_python.py. It does not import matplotlib: a run over many hosts that have nothing
to be changed would spend half of its time in that.
"""

# Python 3.6, as for probe_python.py; os.path costs less to import than pathlib.
# ruff: noqa: E501, PERF203, PTH111, PTH112, PTH116, PTH118, UP006, UP031, UP035

import os
import sys
from typing import Any, List

# What matplotlib imports, and whose files are looked at one by one. Of all other modules the folders' own times count.
LOOKED_INTO = (
    *(
        "matplotlib",
        "numpy",
        "PIL",
        "kiwisolver",
        "contourpy",
        "cycler",
        "dateutil",
        "packaging",
        "pyparsing",
    ),
    *("mpl_toolkits", "tkinter", "lib-dynload", "encodings", "PyQt6", "PySide6", "PyQt5", "PySide2"),
)
# The dynamic linker's view of the system, and what package managers write with each change.
SYSTEM = (
    *("/etc/ld.so.cache", "/etc/matplotlibrc", "/var/lib/dpkg/status", "/lib/apk/db/installed"),
    *("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages"),
    *("/var/lib/pacman/local", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/var/db/pkg"),
    *(
        "/usr/share/tcltk",
        "/usr/share/tcltk/tcl8.6",
        "/usr/share/tcltk/tk8.6",
        "/usr/lib/tcl8.6",
        "/usr/lib/tk8.6",
    ),
    *("/usr/share/tcl8.6", "/usr/share/tk8.6", "/usr/lib64/tcl8.6", "/usr/lib64/tk8.6"),
)
PREFIXES = ("PYTHON", "MPL", "MATPLOTLIB", "LD_", "DYLD_", "QT_", "TCL", "TK_", "CONDA", "VIRTUAL_ENV")
NAMES = frozenset(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "TMPDIR", "WAYLAND_DISPLAY"])


def file_words(path: str, seen: "List[Any]") -> None:
    """A file or folder as the kernel describes it; one that is replaced has another number."""
    try:
        found = os.stat(path)
    except OSError as error:
        seen.append((path, error.errno))
        return
    seen.append((path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode, found.st_uid))


def folder_words(path: str, depth: int, seen: "List[Any]") -> None:
    """The files of a folder, and of those below it down to `depth`."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        seen.append((path, error.errno))
        return
    for entry in entries:
        if entry.name == "__pycache__":
            continue
        try:
            found = entry.stat()
        except OSError:
            seen.append((entry.path, None))
            continue
        seen.append((entry.name, found.st_ino, found.st_size, found.st_mtime_ns))
        if depth and entry.is_dir():
            folder_words(entry.path, depth - 1, seen)


def stamp(more: "List[Any]") -> str:
    """A short word for all of it; `more` is what else the answer depends on."""
    import zlib

    seen: List[Any] = [more, sys.version, sys.flags, sys.path, os.getuid() if hasattr(os, "getuid") else 0]
    seen.append(sorted(one for one in os.environ.items() if one[0] in NAMES or one[0].startswith(PREFIXES)))
    seen.append(bool(os.environ.get("DISPLAY")))
    file_words(os.path.realpath(sys.executable or sys.prefix), seen)
    for folder in sys.path:
        file_words(folder, seen)
        folder_words(folder, 0, seen)
        for name in LOOKED_INTO:
            inside = os.path.join(folder, name)
            if os.path.isdir(inside):
                folder_words(inside, 1, seen)
    multiarch = getattr(sys.implementation, "_multiarch", "")
    libraries = [
        *os.environ.get("LD_LIBRARY_PATH", "").split(":"),
        sys.prefix + "/lib",
        "/usr/lib/" + str(multiarch),
    ]
    for path in [*SYSTEM, *libraries]:
        file_words(path, seen)
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    own = os.environ.get("MPLCONFIGDIR") or os.path.join(config, "matplotlib")
    given = os.environ.get("MATPLOTLIBRC") or "matplotlibrc"
    for path in (
        home,
        config,
        own,
        cache,
        os.path.join(cache, "matplotlib"),
        os.path.join(home, ".matplotlib"),
    ):
        # times of these change with what others keep there; whether they are there and ours does not
        try:
            found = os.stat(path)
            seen.append((path, found.st_mode, found.st_uid))
        except OSError as error:
            seen.append((path, error.errno))
    places = [own, os.path.join(home, ".matplotlib"), given]
    for path in [given, *(os.path.join(place, "matplotlibrc") for place in places)]:
        file_words(path, seen)
        try:
            with open(path, "rb") as file:
                seen.append(file.read(100000))
        except OSError:
            pass
    profile = os.path.join(os.environ.get("IPYTHONDIR") or os.path.join(home, ".ipython"), "profile_default")
    folder_words(profile, 0, seen)
    folder_words(os.path.join(profile, "startup"), 0, seen)
    if os.environ.get("PYTHONSTARTUP"):
        file_words(os.environ["PYTHONSTARTUP"], seen)
    data = repr(seen).encode("utf-8", "surrogateescape")
    return "1-%x-%x-%x" % (len(data), zlib.crc32(data), zlib.adler32(data))
