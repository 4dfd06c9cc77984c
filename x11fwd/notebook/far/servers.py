"""The user's running Jupyter servers over there, each looked at before it is trusted; sent as text.

A server writes a file about itself, with its token, into Jupyter's runtime folder. The home may be shared by
several machines, and the server may have died: its port can then be somebody else's. So the token goes to
nobody before the process and the listening socket were found to be this user's.
"""

import glob
import http.client
import json
import os
import socket
import ssl
import stat
import subprocess  # noqa: TID251  this runs over there
import sys
from typing import Any, Dict, List, Optional, Tuple

PATIENCE = 15.0  # seconds for a server to answer one question; it has one thread for everything
LOCAL = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "*"}  # noqa: S104  what a server may call itself


def jupyter_folders() -> "List[str]":
    """Where this user's servers may say that they run (jupyter_core/paths.py, old and new)."""
    environ = os.environ
    home = os.path.expanduser("~")
    found = [environ.get("JUPYTER_RUNTIME_DIR", "")]
    data = [environ.get("JUPYTER_DATA_DIR", "")]
    if sys.platform == "darwin":
        data += [home + "/Library/Jupyter", home + "/Library/Application Support/jupyter"]
    data.append(os.path.join(environ.get("XDG_DATA_HOME") or home + "/.local/share", "jupyter"))
    found += [os.path.join(one, "runtime") for one in data if one]
    if environ.get("XDG_RUNTIME_DIR"):
        found.append(os.path.join(environ["XDG_RUNTIME_DIR"], "jupyter"))
    return list(dict.fromkeys(one for one in found if one))


class Server:
    """A server as its file describes it. Raises ValueError where that is no description."""

    def __init__(self, path: str, about: "Dict[str, Any]") -> None:
        self.path = path
        self.pid = int(about["pid"])
        self.root = str(about.get("root_dir") or about.get("notebook_dir") or "")
        self.token = str(about.get("token") or "")
        self.password = bool(about.get("password"))
        self.secure = bool(about.get("secure"))
        self.base = str(about.get("base_url") or "/")
        self.socket = str(about.get("sock") or "")
        self.host = str(about.get("hostname") or "")
        self.port = int(about.get("port") or 0)
        self.version = str(about.get("version") or "")
        self.ticks = ticks(self.pid)
        self.kind = "Jupyter"
        self.state = "silent"  # or `open`, `password`, `unguarded`
        self.kernels = 0
        self.since = self.active = ""
        self.ours: Optional[Dict[str, Any]] = None  # our record of having started it
        self.process: Any = None  # of the server, where this program has just started it
        if self.pid <= 1 or not self.base.startswith("/"):
            raise ValueError("no server")

    def connect(self, limit: float = PATIENCE) -> "socket.socket":
        """A connection to it. Raises OSError, also where the socket is not this user's any more."""
        if self.socket:
            about = os.lstat(self.socket)
            if about.st_uid != os.getuid() or not stat.S_ISSOCK(about.st_mode):
                raise OSError("the socket is somebody else's")
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(limit)
                sock.connect(self.socket)
            except OSError:
                sock.close()
                raise
            return sock
        if not listens(self.port, self.pid):
            raise OSError("the port is somebody else's")
        if self.host not in LOCAL:
            return socket.create_connection((self.host, self.port), limit)
        try:
            return socket.create_connection(("127.0.0.1", self.port), limit)
        except OSError:
            return socket.create_connection(("::1", self.port), limit)

    def ask(self, path: str) -> "Tuple[int, bytes]":
        """Status and beginning of the answer. Raises OSError."""
        sock = self.connect()
        if self.secure:
            # by its process and socket it is known to be ours; its certificate is one for another name
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname = False
            trusting.verify_mode = ssl.CERT_NONE
            sock = trusting.wrap_socket(sock)
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = sock
        headers = {"Authorization": "token " + self.token} if self.token else {}
        try:
            connection.request("GET", self.base.rstrip("/") + "/" + path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(1 << 16)
        except http.client.HTTPException:
            raise OSError("no answer")
        finally:
            connection.close()

    def look(self) -> None:
        """Ask it how it is."""
        try:
            status, body = self.ask("api/status")
            if status == 200:
                about = json.loads(body.decode("utf-8"))
                self.kernels = int(about.get("kernels") or 0)
                self.since, self.active = str(about.get("started")), str(about.get("last_activity"))
                self.state = "open" if self.token or self.password else "unguarded"
                self.kind = "JupyterLab" if self.ask("lab")[0] == 200 else "Notebook"
            elif status in (302, 401, 403):
                self.state = "password"
        except (OSError, ValueError, AttributeError):
            pass

    def alive(self) -> bool:
        """The process is still the one that it was, and has not ended."""
        if self.process is not None and self.process.poll() is not None:
            return False
        return mine(self.pid) and ticks(self.pid) == self.ticks

    def holds(self, folder: str) -> bool:
        """Whether its page can show this folder."""
        root = os.path.realpath(self.root)
        return folder == root or folder.startswith(root.rstrip("/") + "/")

    def described(self) -> "Dict[str, Any]":
        """What the near half is told of it; the token is not among it."""
        return {
            "pid": self.pid,
            "ticks": self.ticks,
            "kind": self.kind,
            "root": self.root,
            "state": self.state,
            "kernels": self.kernels,
            "since": self.since,
            "active": self.active,
            "version": self.version,
            "ours": self.ours is not None,
            "socket": bool(self.socket),
            "port": self.port,
        }


def mine(pid: int) -> bool:
    """A process of this user's runs under this number."""
    try:
        os.waitpid(pid, os.WNOHANG)  # one that we started and that has ended would look as if it ran
    except OSError:
        pass
    try:
        os.kill(pid, 0)
        return not os.path.isdir("/proc/self") or os.stat("/proc/%d" % pid).st_uid == os.getuid()
    except OSError:
        return False


def ticks(pid: int) -> int:
    """When it started, so that another process with the same number is not taken for it; 0 where unknown."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def listens(port: int, pid: int) -> bool:
    """Everything that listens at this port, of whichever address, is this user's."""
    if not port:
        return False
    found = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name, encoding="ascii") as file:
                rows = [line.split() for line in file]
        except OSError:
            continue
        # fields of proc(5): local address, state (0A listens), uid
        found += [row[7] for row in rows[1:] if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
    if os.path.exists("/proc/net/tcp"):
        return bool(found) and set(found) == {str(os.getuid())}
    words = ["lsof", "-nP", "-a", "-p", str(pid), "-iTCP:%d" % port, "-sTCP:LISTEN", "-t"]
    try:
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def running(records: "List[Dict[str, Any]]", again: "Optional[Dict[str, Any]]" = None) -> "List[Server]":
    """Every server of this user that answers; those that we started first.

    `again`: one that was trusted before, by pid and ticks: it counts while its process lives, also where it
    is too busy to answer.
    """
    found: Dict[int, Server] = {}
    paths = []
    for folder in jupyter_folders():
        paths += glob.glob(os.path.join(glob.escape(folder), "jpserver-*.json"))
        paths += glob.glob(os.path.join(glob.escape(folder), "nbserver-*.json"))
    for path in paths:
        try:
            if os.stat(path).st_uid != os.getuid():
                continue
            with open(path, encoding="utf-8") as file:
                server = Server(path, json.loads(file.read(1 << 16)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if server.pid in found or not mine(server.pid):
            continue
        for record in records:
            if (record.get("pid"), record.get("ticks")) == (server.pid, server.ticks):
                server.ours = record
        server.look()
        if server.state != "silent" or (again is not None and same(server, again)):
            found[server.pid] = server
    return sorted(found.values(), key=lambda one: (one.ours is None, one.kind != "JupyterLab", one.pid))


def same(server: Server, again: "Dict[str, Any]") -> bool:
    """By what names a process for good."""
    return (server.pid, server.ticks) == (again.get("pid"), again.get("ticks"))
