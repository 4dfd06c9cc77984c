"""Starts a Jupyter server that outlives the connection, and ends it again; sent as text.

It listens on a unix socket that no other account can even connect to, where it knows how (jupyter_server),
else on 127.0.0.1. Its token is read by itself from a file that is removed once it runs: it is in no process
list, in no environment and in no log (a server prints only a token that it made up itself).
"""

import fcntl
import glob
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess  # noqa: TID251  this runs over there
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from x11fwd.notebook.far.servers import Server, jupyter_folders, mine, ticks

START_LIMIT = 180.0  # seconds; conda environments on network file systems are slow
STOP_LIMIT = 20.0  # seconds for a server to end its kernels
SAID = 4096  # bytes of a log's end


class FailedError(Exception):
    """It could not be done. Args: problem, hint: sentences for the person."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint
        self.change = False  # something was to be changed over there, and was not


def data_folder() -> str:
    """Where `--install` puts Jupyter."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(base, "x11fwd", "jupyter")


def state_folder() -> str:
    """Our notes about servers that we started, and their logs; for this user alone."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    folder = os.path.join(base, "x11fwd", "jupyter")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    return folder


def records() -> "List[Dict[str, Any]]":
    """What we started on this machine and still runs; what remains of the rest is removed."""
    found = []
    for path in glob.glob(os.path.join(glob.escape(state_folder()), "*.json")):
        try:
            with open(path, encoding="utf-8") as file:
                record = json.loads(file.read(1 << 16))
            if record["host"] != socket.gethostname():
                continue  # the home is shared, and that machine is another one
            if mine(record["pid"]) and ticks(record["pid"]) == record["ticks"]:
                found.append(record)
                continue
        except (OSError, ValueError, KeyError, TypeError):
            record = {"path": path}
        forget(record)
    return found


def note(record: "Dict[str, Any]") -> None:
    """Keep it, whole or not at all: what cannot be read is taken for a remainder, and removed."""
    handle, part = tempfile.mkstemp(prefix="record-", dir=os.path.dirname(record["path"]))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(part, record["path"])
    except BaseException:
        os.unlink(part)
        raise


def forget(record: "Dict[str, Any]") -> None:
    """Remove our record of a server that has ended, its folder for the socket, and its log."""
    if record.get("folder"):
        shutil.rmtree(record["folder"], ignore_errors=True)
    for name in ("log", "path"):
        if record.get(name):
            try:
                os.unlink(record[name])
            except OSError:
                pass


class Program:
    """How to start a Jupyter. Attributes: kind: `JupyterLab` or `Notebook`."""

    def __init__(self, kind: str, words: "List[str]") -> None:
        self.kind, self.words = kind, words


def installed() -> "Optional[Program]":
    """The one of `--install`."""
    python = os.path.join(data_folder(), "current", "bin", "python")
    return Program("JupyterLab", [python, "-m", "jupyterlab"]) if os.access(python, os.X_OK) else None


def program(only_this: bool) -> "Optional[Program]":
    """The one to start: ours, else this Python's, else that of PATH; Lab before Notebook.

    Args:
        only_this: the person named this Python, and means it.
    """
    ours = None if only_this else installed()
    if ours is not None:
        return ours
    for kind, module, name in (
        ("JupyterLab", "jupyterlab", "jupyter-lab"),
        ("Notebook", "notebook", "jupyter-notebook"),
    ):
        if importlib.util.find_spec(module) is not None:
            return Program(kind, [sys.executable, "-m", module])
        path = None if only_this else shutil.which(name)
        if path is not None:
            return Program(kind, [path])
    return None


class Lock:
    """Only one of us finds, starts or installs at a time; where files cannot be locked, nobody waits."""

    def __init__(self, name: str, stopping: "Callable[[], bool]") -> None:
        self.name, self.stopping = name, stopping

    def __enter__(self) -> "Lock":
        self.file = open(os.path.join(state_folder(), self.name), "w")
        while not self.stopping():
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.1)
            except OSError:
                break
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()


def socket_folder() -> str:
    """A new folder of ours on a disk of this machine, where a socket's name fits; "" where there is none."""
    for place in ("/tmp", "/var/tmp", state_folder()):  # noqa: S108  not the runtime folder: logging out empties that
        try:
            folder = tempfile.mkdtemp(prefix="x11fwd-jupyter-", dir=place)
        except OSError:
            continue
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
                trial.bind(folder + "/trial")
            os.unlink(folder + "/trial")
            return folder
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
    return ""


def beyond_the_session() -> "Tuple[List[str], str]":
    """Words in front of the command, so that it outlives this login, and a warning where it cannot.

    Only a logind told to end all of a user's processes (KillUserProcesses=yes) makes this necessary.
    """
    ask = "get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
    try:
        answer = subprocess.run(
            ["busctl", "--system"] + ask.split() + ["KillUserProcesses"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return [], ""
    if answer.stdout.split() != [b"b", b"true"]:
        return [], ""
    runtime = "/run/user/%d" % os.getuid()
    lingers = os.path.exists("/var/lib/systemd/linger/" + pwd.getpwuid(os.getuid()).pw_name)
    if lingers and shutil.which("systemd-run") and os.path.isdir(runtime):
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        return ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--"], ""
    return [], (
        "this machine ends all your programs when you log out (KillUserProcesses=yes of its logind), so the "
        "server ends with this connection; `loginctl enable-linger` over there changes that"
    )


def flags(kind: str, root: str, where: str) -> "List[str]":
    """Options for a server of either make, old (notebook before 7) and new; no secret is among them."""
    told = ["--no-browser"]
    for name, folder in (("ServerApp", "root_dir"), ("NotebookApp", "notebook_dir")):
        if name == "NotebookApp" and kind == "JupyterLab":
            continue
        told.append("--%s.%s=%s" % (name, folder, root))
        told.append("--%s.%s" % (name, "sock=" + where if where else "ip=127.0.0.1"))
    if where and kernels_fit():
        # over TCP every account of the machine can listen to what kernels print
        told.append("--KernelManager.transport=ipc")
    return told


def kernels_fit() -> bool:
    """Kernels can have sockets in Jupyter's runtime folder: that disk, and a name's length, allow it."""
    folder = jupyter_folders()[0]
    name = os.path.join(folder, "kernel-%s-ipc-5" % ("0" * 36))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.bind(name)
        os.unlink(name)
        return os.stat(folder).st_mode & 0o077 == 0
    except OSError:
        return False


def start(
    chosen: Program, root: str, say: "Callable[..., None]", stopping: "Callable[[], bool]"
) -> "Tuple[Server, str]":
    """A server that has come up, and a warning or "". Raises FailedError."""
    say(doing="starting %s" % chosen.kind)
    before, warning = beyond_the_session()
    folder = socket_folder()
    wheres = [folder + "/server"] if folder else []
    said = ""
    for where in wheres + [""]:
        found = None
        try:
            found, said = attempt(before + chosen.words, chosen.kind, root, where, stopping)
        finally:
            if found is None and where:
                shutil.rmtree(folder, ignore_errors=True)
        if found is not None:
            return found, warning
        if stopping():
            raise FailedError("it was interrupted")
    raise FailedError(
        "%s does not start: %s" % (chosen.kind, said or "it ends without a word"),
        "try `%s` over there" % " ".join(chosen.words),
    )


def attempt(
    words: "List[str]", kind: str, root: str, where: str, stopping: "Callable[[], bool]"
) -> "Tuple[Optional[Server], str]":
    """Start it once. Returns the server or None, and what its log says last."""
    state = state_folder()
    handle, token = tempfile.mkstemp(prefix="token-", dir=state)
    os.write(handle, os.urandom(24).hex().encode("ascii"))
    os.close(handle)
    handle, log = tempfile.mkstemp(prefix="server-", suffix=".log", dir=state)
    environment = dict(os.environ, JUPYTER_TOKEN_FILE=token)
    process = None
    try:
        process = subprocess.Popen(
            words + flags(kind, root, where),
            # not the folder of the notebooks: what lies there would be imported instead of Jupyter's modules
            cwd=state,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )
        server = wait(process, stopping)
        if server is None:
            return None, last_words(log)
        record: Dict[str, Any] = {
            "pid": server.pid,
            "ticks": server.ticks,
            "host": socket.gethostname(),
            "log": log,
        }
        record["folder"] = os.path.dirname(where) if where else ""
        record["path"] = os.path.join(state, "%s-%d.json" % (socket.gethostname(), server.pid))
        note(record)
        server.ours, server.process, log = record, process, ""
        return server, ""
    except OSError as error:
        return None, "%s: %s" % (words[0], error.strerror)
    finally:
        os.close(handle)
        os.unlink(token)
        if log:
            end_process(process)
            os.unlink(log)


def wait(process: "Any", stopping: "Callable[[], bool]") -> "Optional[Server]":
    """The server that this process has become, None where it ended or nobody wants it any more."""
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and not stopping() and process.poll() is None:
        for folder in jupyter_folders():
            path = os.path.join(folder, "jpserver-%d.json" % process.pid)
            if not os.path.exists(path):
                path = os.path.join(folder, "nbserver-%d.json" % process.pid)
            try:
                with open(path, encoding="utf-8") as file:
                    server = Server(path, json.loads(file.read(1 << 16)))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            server.look()
            if server.state != "silent":
                return server
        time.sleep(0.1)
    return None


def last_words(log: str) -> str:
    """The line of a log that says why."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - SAID))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    lines = [line for line in lines if line]
    telling = [line for line in lines if "Error" in line or "rror:" in line or line.startswith("[C ")]
    return (telling or lines or [""])[-1][:300]


def end_process(process: "Any") -> None:
    if process is None or process.poll() is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5.0)
    except (OSError, subprocess.TimeoutExpired):
        try:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5.0)
        except (OSError, subprocess.TimeoutExpired):
            pass


def stop(server: Server) -> bool:
    """End a server and its kernels; True once it is gone."""
    for number, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, 5.0)):
        if not server.alive():
            break
        try:
            os.kill(server.pid, number)
        except OSError:
            break
        until = time.monotonic() + limit
        while server.alive() and time.monotonic() < until:
            time.sleep(0.05)
    gone = not server.alive()
    if gone and server.ours:
        forget(server.ours)
    return gone
