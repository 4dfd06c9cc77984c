"""A throw-away sshd run by an ordinary person on loopback, as in OpenSSH's regress tests."""

from __future__ import annotations

import contextlib
from subprocess import DEVNULL, Popen
from typing import TYPE_CHECKING

from tests.lab import runs
from tests.lab.reach import banner, claim_port, client_key
from tests.lab.runs import LabError, call, current_run, wait_for
from tests.lab.setup import QUICK_KEX

if TYPE_CHECKING:
    from types import TracebackType

    from tests.lab.person import Person

# As root, with the person's account; this machine's own records of logins stay as they are.
AS_ROOT = """
for name in passwd group shadow; do mount --bind "$1/$name" "/etc/$name"; done
mount -t tmpfs x11fwd-lab /var/log
mount -t tmpfs x11fwd-lab /run
mkdir /run/sshd
shift
exec "$@"
"""


class SandboxSshd:
    """sshd as ``person``, who alone can log in: without root it can become nobody else."""

    def __init__(
        self, person: Person, lines: str = "", *, key_prefix: str = "", as_root: bool = False
    ) -> None:
        """Start it; ``lines`` come first in its sshd_config, where they win.

        ``as_root``: it is root's, since only root's sshd can give a session a terminal.

        sshd's xauth would write the person's ~/.Xauthority, with the screen's cookie: SetEnv names another.
        """
        self.person = person
        self.address, self.user = "127.0.0.1", person.name
        self.port, self._port_lock = claim_port()
        self.dir = current_run().claim("sshd")
        folder = person.home / self.dir.name
        self.config = folder / "sshd_config"
        self.log = folder / "log"
        key = self.dir / "host_key"
        call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
        person.write(f"{folder.name}/host_key", key.read_bytes(), mode=0o600)
        public = client_key().with_suffix(".pub").read_text(encoding="ascii")
        person.write(f"{folder.name}/authorized_keys", f"{key_prefix} {public}".lstrip(), mode=0o600)
        config = [
            lines,
            f"Port {self.port}",
            f"ListenAddress {self.address}",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            f"PidFile {folder}/pid",
            f"SetEnv XAUTHORITY={folder}/Xauthority",
            "StrictModes no",
            "UsePAM no",
            QUICK_KEX,
        ]
        person.write(f"{folder.name}/sshd_config", "\n".join(config) + "\n")
        self.host_key = " ".join(key.with_suffix(".pub").read_text(encoding="ascii").split()[:2])
        self.known_hosts_line = f"[{self.address}]:{self.port} {self.host_key}\n"
        command = ["/usr/sbin/sshd", "-D", "-f", str(self.config), "-E", str(self.log)]
        if as_root:
            enter = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", AS_ROOT, "sh"]
            self.process = Popen(
                [*enter, str(person.dir), *command],
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                start_new_session=True,
            )
            current_run().record(self.process.pid)
        else:
            self.process = person.popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        try:
            wait_for(self._answers, limit=60, what="the sandbox sshd")
        except LabError:
            self.stop()
            raise

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise LabError(f"sshd ended: {self.log.read_text() if self.log.exists() else '(no log)'}")
        return banner(self.address, self.port).startswith("SSH-")

    def stop(self) -> None:
        """End it and its sessions."""
        with contextlib.suppress(LabError):
            if self.process.poll() is None:
                runs.kill(runs.identity_of(self.process.pid))
        self.process.wait()
        self._port_lock.close()
        runs.remove(self.dir)

    def __enter__(self) -> SandboxSshd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
