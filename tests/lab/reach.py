"""What it takes to reach a host: a free port, the client's key, sshd's greeting; lab modules only."""

from __future__ import annotations

import fcntl
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.runs import LabError, cache_dir, call, current_run

if TYPE_CHECKING:
    from typing import TextIO


def banner(address: str, port: int, limit: float = 2) -> str:
    """The first line that a server says on a port, empty when nobody listens or nothing comes in time."""
    try:
        with socket.create_connection((address, port), timeout=limit) as link:
            return link.recv(256).decode("ascii", "replace").partition("\r\n")[0]
    except OSError:
        return ""


def claim_port() -> tuple[int, TextIO]:
    """A loopback TCP port that nobody listens on, below those that outgoing connections take.

    With the lock that keeps it from other tests while nobody listens there: before its daemon is up, and
    while that starts again. Close it when the port is not needed any more.
    """
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    for port in random.sample(range(20000, 30000), 200):
        lock = (folder / f"port-{port}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
        else:
            return port, lock
    raise LabError("no free loopback port between 20000 and 30000")


def client_key() -> Path:
    """The private ed25519 key that every account of every host of this run accepts."""
    path = current_run().dir / "id_ed25519"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            new = Path(folder) / "key"
            call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x11fwd-lab", "-f", str(new)])
            new.with_suffix(".pub").replace(path.with_suffix(".pub"))
            new.replace(path)
    return path


@dataclass(frozen=True)
class Link:
    """A veth pair to a host with a network of its own: our end's name, and the two addresses of a /30."""

    name: str
    here: str
    there: str

    @classmethod
    def free(cls) -> Link:
        """A pair that this machine does not have; 198.18.0.0/15 is for tests of networks (RFC 2544)."""
        for number in random.sample(range(0x7FFF), 200):
            name = f"x11lab{number:x}"
            high, low = divmod(number << 2, 256)
            base = f"198.{18 + high // 256}.{high % 256}"
            if not Path("/sys/class/net", name).exists():
                return cls(name, f"{base}.{low + 1}", f"{base}.{low + 2}")
        raise LabError("no free name for a veth pair")

    def is_up(self) -> bool:
        """Whether both ends are up (sysfs, net/NAME/operstate)."""
        state = Path("/sys/class/net", self.name, "operstate")
        return state.exists() and state.read_text(encoding="ascii").strip() == "up"
