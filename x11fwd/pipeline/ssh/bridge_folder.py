"""The folder in which all sessions to one host meet, here; `bridge_route` imports it.

<base>/<name>/lock   held while somebody looks whether there is a local half, or becomes the first
<base>/<name>/c      the local half's socket; it is listened on from before the login to the end
<base>/<name>/m      ssh's master
<base>/<name>/s      each session holds it as long as it runs, so that it is seen, where the local half
                     was killed, that somebody still goes over the master
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 104 - 18  # sun_path on macOS and BSD, less the random end that ssh adds while it binds
_TELLING = ("hostname", "port", "user", "proxyjump", "proxycommand", "identityfile", "hostkeyalias")
_TRIES = 100  # somebody else has ended in this very moment, so often


class Folder:
    """The folder of one host, one person over there and one display here.

    Attributes:
        path: it; mode 0700.
        master: where ssh's socket is.
    """

    __slots__ = ("_hold", "_lock", "control", "master", "path")

    def __init__(self, path: str) -> None:
        """Raises: OSError: it cannot be made, or is somebody else's."""
        self.path = path
        self.master = f"{path}/m"
        self.control = f"{path}/c"
        self._hold = self._lock = -1
        _own(path)

    def lock(self) -> None:
        """Wait until nobody else is looking. Raises OSError."""
        for _ in range(_TRIES):
            try:
                _own(self.path.rpartition("/")[0])
                _own(self.path)
                handle = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue  # the last local half has removed them just now
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except BaseException:
                os.close(handle)  # Ctrl-C: whoever goes on must not hold it without knowing
                raise
            try:
                same = os.path.samestat(os.fstat(handle), os.stat(f"{self.path}/lock"))  # noqa: PTH116
            except OSError:
                same = False  # the last local half has removed it meanwhile
            if same:
                self._lock = handle
                return
            os.close(handle)
        raise OSError("the lock is removed again and again")

    def unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def hold(self) -> None:
        """A session goes over the master from now on; only under the lock."""
        if self._hold < 0:
            with suppress(OSError):
                self._hold = os.open(f"{self.path}/s", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._hold, fcntl.LOCK_SH)

    def release(self) -> None:
        """It has ended; the end of the process does the same."""
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def deserted(self) -> bool:
        """No session goes over the master, this one included; only under the lock."""
        try:
            handle = os.open(f"{self.path}/s", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True

    def call(self) -> socket.socket | None:
        """A connection to the local half, None where none listens."""
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(self.control)
        except OSError:
            made.close()
            return None
        return made

    def listen(self) -> socket.socket:
        """Be the local half from now on; only under the lock. Raises OSError."""
        for left in (self.control, self.master):
            if os.path.lexists(left):
                os.unlink(left)  # noqa: PTH108  pathlib costs 4 ms to import
        made = socket.socket(socket.AF_UNIX)
        try:
            made.bind(self.control)  # in a folder that nobody else can enter
            made.listen(64)
        except OSError:
            made.close()
            raise
        return made


def answers(path: str) -> bool:
    """True if something listens at this socket."""
    made = socket.socket(socket.AF_UNIX)
    try:
        made.connect(path)
    except OSError:
        return False
    finally:
        made.close()
    return True


def folder_for(config: Mapping[str, str], display: str, kind: str, environ: Mapping[str, str]) -> Folder:
    """The folder for what `ssh -G` says of a host.

    Args:
        display: value of DISPLAY.
        kind: what else keeps sessions apart, such as the trust that is given.

    Raises:
        OSError: there is no place for one.
    """
    try:
        from _blake2 import blake2b  # hashlib is 2.5 ms of OpenSSL
    except ImportError:
        from hashlib import blake2b

    told = [config.get(keyword, "") for keyword in _TELLING]
    text = "\0".join((*told, display, kind, environ.get("XAUTHORITY", "")))
    name = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return in_base(name, environ)


def in_base(name: str, environ: Mapping[str, str]) -> Folder:
    """A folder of this name at the first place that has room for one. Raises OSError."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    bases = [f"{runtime}/x11fwd"] if runtime.startswith("/") else []
    bases.append(f"/tmp/x11fwd-{os.getuid()}")  # noqa: S108  checked to be ours
    problem: OSError | None = None
    for base in bases:
        if len(os.fsencode(f"{base}/{name}/m")) > _LONGEST:
            continue
        try:
            return _made(base, name)
        except OSError as error:
            problem = error
    raise problem or OSError("no path is short enough for a socket")


def _made(base: str, name: str) -> Folder:
    """The folder below `base`, which the last local half of any host removes. Raises OSError."""
    for _ in range(_TRIES):
        try:
            _own(base)
            return Folder(f"{base}/{name}")
        except FileNotFoundError:  # noqa: PERF203  it has done so just now
            continue
    raise OSError(f"{base} is removed again and again")


def _own(path: str) -> None:
    """Make a folder that is ours alone. Raises OSError where somebody else's, or a link, stands there."""
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)  # noqa: PTH102
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise OSError(f"{path} is not ours")
    if found.st_mode & 0o777 != 0o700:
        os.chmod(path, 0o700)  # noqa: PTH101
