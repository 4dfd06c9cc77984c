"""Runs x11fwd as a Python on Windows would: without what that has not; test_windows.py starts it by itself.

Everything that is not x11fwd's own is loaded before: it looks at the platform, too.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import paramiko
import rich.console
import rich.live
import rich.progress
import rich.prompt
import rich.table
import rich.text
import rich.traceback
import typer
import typer.completion
import yaml

MISSING_MODULES = ("fcntl", "pwd", "grp", "termios", "tty", "pty", "resource", "syslog", "spwd", "readline")
MISSING = {
    os: ("getuid", "geteuid", "getgid", "getegid", "getgroups", "killpg", "fork", "setsid", "getpgid"),
    socket: ("AF_UNIX", "SO_PEERCRED", "socketpair_unix"),
    signal: (
        "SIGKILL",
        "SIGHUP",
        "SIGQUIT",
        "SIGPIPE",
        "SIGCHLD",
        "SIGUSR1",
        "SIGSTOP",
        "SIGXFSZ",
        "SIGWINCH",
    ),
    select: ("poll", "epoll"),
}
LOADED = (paramiko, rich.console, rich.live, rich.progress, rich.prompt, rich.table, rich.text, typer, yaml)


def load_all(package: str) -> None:
    """Import the standard library's and others' modules that x11fwd loads late."""
    root = importlib.import_module(package)
    for one in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not one.name.endswith((".__main__", ".cli")):
            with contextlib.suppress(Exception):  # modules for other systems
                importlib.import_module(one.name)


def pretend(answers: Path) -> None:
    """Take away what Windows has not, and answer for its programs."""
    for name in (
        "asyncio",
        "getpass",
        "platform",
        "tempfile",
        "shutil",
        "ssl",
        "unittest",
        "pdb",
        "webbrowser",
    ):
        importlib.import_module(name)
    load_all("rich")
    load_all("typer")
    load_all("paramiko")
    for module, names in MISSING.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.platform = "win32"
    given = json.loads(answers.read_text(encoding="utf-8"))
    real = subprocess.Popen

    class Popen(real):  # type: ignore[misc, valid-type]
        """Programs answer as recorded; any other is not there."""

        def __init__(self, argv: list[str], **options: object) -> None:
            said = given.get(" ".join(argv))
            if said is None:
                raise FileNotFoundError(2, "The system cannot find the file specified", argv[0])
            code = f"import sys; sys.stdout.write({said[0]!r}); sys.stderr.write({said[1]!r})"
            options.pop("start_new_session", None)
            super().__init__([sys.executable, "-c", code], **options)

    subprocess.Popen = Popen  # type: ignore[assignment, misc]


def main() -> None:
    """`windows_python.py ANSWERS import|run WORD…`."""
    pretend(Path(sys.argv[1]))
    if sys.argv[2] == "import":
        for name in sys.argv[3:]:
            importlib.import_module(name)
        return
    sys.argv = ["x11fwd", *sys.argv[3:]]
    from x11fwd.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
