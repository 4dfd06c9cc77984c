"""Where programs come in: display number, listening sockets, who may; `main` imports it.

The display is what sshd would make (channels.c, x11_create_display_inet): TCP on the loopback addresses only,
a number from 10 up, so that every program and library that works over `ssh -X` finds its way here. With
`--nodes` it is what sshd makes with `X11UseLocalhost no`: the computers of a cluster reach it by this one's
name, with the cookie, which lies in the home that they share.
"""

import errno
import os
import socket
import stat
from _operator import _compare_digest  # hmac.compare_digest, without the 2 ms that importing hmac takes
from typing import Dict, List, Optional, Sequence, Tuple

from x11fwd.bridge.remote.authority import (
    COOKIE_NAME,
    COOKIE_SIZE,
    authority_path,
    remove_authority,
    remove_file,
    write_authority,
)
from x11fwd.bridge.shared.setup import Greeting

OWN_NAME = "*"  # for nodes: what this computer calls itself
FIRST_NUMBER = 10  # sshd_config(5), X11DisplayOffset
LAST_NUMBER = 1000  # channels.c, MAX_DISPLAYS
X11_PORT = 6000
SOCKET_FOLDER = "/tmp/.X11-unix"  # noqa: S108  where X servers have it
BACKLOG = 128
_TOKEN_SIZES = range(8, 65)  # hexadecimal digits
_HEX = frozenset("0123456789abcdef")
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_Addresses = Sequence[Tuple[int, str]]


class Door:
    """The display of this remote half, open from here on until `close`.

        door = Door(folder, preferred)
        ... door.sockets are listening and do not block; door.display, door.authority are for the session ...
        refusal = door.admits(greeting)

    `folder` is ours alone (0700); `preferred` the display number to try first, 0 for any; `nodes` how other
    computers call this one (a name, an IPv4 address or OWN_NAME), empty where programs come from here only.

    Raises:
        OSError: no display number is free, or the authority file cannot be written.
    """

    def __init__(self, folder: str, preferred: int = 0, hosts: str = "/etc/hosts", nodes: str = "") -> None:
        self._folder = folder
        self._cookie = os.urandom(COOKIE_SIZE)
        self._waiting: Dict[str, int] = {}  # descriptors of FIFOs by path
        self._unix = ""  # a socket file that we made
        self.sockets, self.number = _listening(preferred, _addresses(nodes) if nodes else ())
        families = [one.family for one in self.sockets]
        known: List[bytes] = []
        try:
            if nodes:
                name = os.uname().nodename if nodes == OWN_NAME else nodes
                known = _numbers_of(name)
                self.display = "%s:%d.0" % (name, self.number)
                folder = _shared_folder() or folder
            elif socket.AF_UNIX in families:
                self._unix = _socket_file(self.sockets, self.number)
                self.display = ":%d.0" % self.number
            else:
                self.display = "%s:%d.0" % (_loopback_name(families, hosts), self.number)
            self.authority = authority_path(folder, self.number)
            self._mark = write_authority(self.authority, self.number, self._cookie, known)
        except BaseException:
            for one in self.sockets:
                one.close()
            raise

    def admits(self, greeting: Greeting) -> Optional[str]:
        """None for a program that shows the cookie, else the sentence to refuse it with (ASCII)."""
        if not greeting.name and not greeting.data:
            return "x11fwd: no cookie shown; XAUTHORITY must be as x11fwd set it for this session"
        if greeting.name != COOKIE_NAME:
            return "x11fwd: this display takes MIT-MAGIC-COOKIE-1 only"
        if not _compare_digest(greeting.data, self._cookie):
            return "x11fwd: wrong cookie; XAUTHORITY must be as x11fwd set it for this session"
        return None

    def announce(self, token: str) -> bool:
        """Tell the session that waits with `token`; it may come to read later than this.

        False where that cannot be: no token (hostile bytes), or no FIFO of ours.
        """
        for path in [path for path in self._waiting if not os.path.exists(path)]:
            os.close(self._waiting.pop(path))  # that session has read it
        if len(token) not in _TOKEN_SIZES or not _HEX.issuperset(token):
            return False
        path = self._folder + "/" + token
        found = _write_fifo(path, "ready %s %s\n" % (self.display, self.authority))
        if found < 0:
            return False
        self._waiting[path] = found
        return True

    def close(self) -> None:
        """Remove what was made, as far as it is still ours."""
        # the files first: whoever gets the number once the sockets are closed makes his own under their names
        if self._unix:
            remove_file(self._unix)
        remove_authority(self.authority, self._mark)
        for one in self.sockets:
            one.close()
        for path, descriptor in self._waiting.items():
            os.close(descriptor)
            remove_file(path)  # whoever has not read it by now would wait for ever
        self._waiting = {}


# Display number and sockets.


def _listening(preferred: int, wide: "_Addresses" = ()) -> "Tuple[List[socket.socket], int]":
    """The sockets of the first free number, and the number; `wide`: where other computers come in."""
    numbers = list(range(FIRST_NUMBER, LAST_NUMBER))
    if 0 < preferred <= 65535 - X11_PORT:
        numbers.insert(0, preferred)
    no_tcp = False
    for number in numbers:
        if _has_unix_server(number):
            continue
        found = None if no_tcp else _listen_tcp(number, wide or _LOOPBACK)
        if found is None and wide:
            raise OSError(errno.EADDRNOTAVAIL, "other computers cannot come in: no TCP on this address")
        if found is None:
            no_tcp = True
            found = _listen_abstract(number)
        if found:
            return found, number
    raise OSError(errno.EADDRINUSE, "no display number below %d is free" % LAST_NUMBER)


def _addresses(nodes: str) -> "_Addresses":
    """Where to listen for other computers: everywhere, or at the one address that they use."""
    try:
        socket.inet_pton(socket.AF_INET, nodes)
    except OSError:
        return ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104  asked for, with a cookie
    return ((socket.AF_INET, nodes),)


def _numbers_of(name: str) -> "List[bytes]":
    """The IPv4 addresses of a name of this computer, as programs here that use DISPLAY find them."""
    try:
        found = socket.getaddrinfo(os.fsencode(name), None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return [socket.inet_aton(str(address[0])) for _, _, _, _, address in found]


def _shared_folder() -> str:
    """The folder for authority files in the home, which a cluster's computers share; empty if none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.environ.get("HOME", "") + "/.cache"
    folder = base + "/x11fwd"
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.stat(folder)
        if not base.startswith("/") or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return ""
    except OSError:
        return ""
    return folder if os.access(folder, os.W_OK) else ""


def _listen_tcp(number: int, addresses: "_Addresses" = _LOOPBACK) -> "Optional[List[socket.socket]]":
    """Sockets on all these addresses there are; [] when somebody has one, None when TCP is not to be had.

    A number of which somebody else has one address is as bad as taken: who connects to `localhost` would show
    him the cookie.
    """
    made: List[socket.socket] = []
    for family, address in addresses:
        try:
            one = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6, or no network at all
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, X11_PORT + number))
            one.listen(BACKLOG)  # this also fails with EADDRINUSE, because of SO_REUSEADDR
            one.setblocking(False)
        except OSError as error:
            one.close()
            if error.errno == errno.EADDRINUSE:
                for other in made:
                    other.close()
                return []
            continue
        made.append(one)
    return made or None


def _listen_abstract(number: int) -> "List[socket.socket]":
    """A socket without a file, where libxcb looks first (xcb_util.c, _xcb_open_unix); [] if taken."""
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.bind("\0%s/X%d" % (SOCKET_FOLDER, number))
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRINUSE:
            return []
        raise
    return [one]


def _socket_file(sockets: "List[socket.socket]", number: int) -> str:
    """The same with a file, for programs that look there only; its path, empty where it cannot be."""
    path = "%s/X%d" % (SOCKET_FOLDER, number)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.bind(path)
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError:
        one.close()
        return ""
    sockets.append(one)
    return path


def _has_unix_server(number: int) -> bool:
    """An X server of this number listens: `:N` and `localhost:N` must not be two displays."""
    for prefix in ("\0", ""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
            one.setblocking(False)
            try:
                one.connect("%s%s/X%d" % (prefix, SOCKET_FOLDER, number))
            except OSError as error:
                # a full backlog, or a server that is not for us, is one as well
                if error.errno not in (errno.EAGAIN, errno.EINPROGRESS, errno.EACCES, errno.EPERM):
                    continue
            return True
    return False


def _loopback_name(families: "Sequence[int]", hosts: str) -> str:
    """`localhost`, as sshd has it, or the address where that name does not lead to our sockets.

    It is looked up in /etc/hosts only: a host that lacks it there would ask the network, for seconds.
    """
    own = [address for family, address in _LOOPBACK if family in families]
    try:
        with open(hosts, "rb") as file:
            lines = file.read(1 << 16).decode("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    for line in lines:
        words = line.partition("#")[0].split()
        if "localhost" in words[1:] and words[0] in own:
            return "localhost"
    return own[0] if ":" not in own[0] else "[%s]" % own[0]


# The session that waits (bootstrap/rendezvous.sh).


def _write_fifo(path: str, line: str) -> int:
    """Leave a line in the FIFO for whoever comes to read it; the descriptor that keeps it, -1 for none."""
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        pass
    except OSError:
        return -1
    try:
        # for reading, too: so neither of us has to come first, and the line stays
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return -1
    status = os.fstat(descriptor)
    try:
        if stat.S_ISFIFO(status.st_mode) and status.st_uid == os.geteuid():
            os.write(descriptor, os.fsencode(line))
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return -1
