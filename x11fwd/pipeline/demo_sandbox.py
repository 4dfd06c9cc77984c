"""The demo's own server and screen: a folder, an sshd for this user alone, an Xvfb; demo imports it.

Nothing of the user's own is read or written: keys, known_hosts, HOME of the logins, authority files and the
engine's journal all lie in the folder, which goes when the demo ends (demo_keeper.sh).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError
from x11fwd.target import SshOptions, Target, parse_target
from x11fwd.transports.local import LocalTransport
from x11fwd.x11.authority import local_record, write_authority

if TYPE_CHECKING:
    from x11fwd.transports.local import LocalStream

__all__ = ["ALIAS", "KEEPER_ENDS", "Sandbox"]

ALIAS = "x11fwd-demo"
KEEPER_ENDS = 60.0  # seconds for the keeper to clean up, on a machine that is busy
_START = 60.0  # seconds for sshd and Xvfb to answer, on a machine that is busy
_POLL = 0.05
_TRIES = 5  # ports: between the moment in which one is free and sshd's coming anybody may take it
_ALL_DISPLAYS = 64  # Xvfb chooses its number itself: the cookie is filed under all it may choose


class _PortTakenError(ProbeError):
    """Somebody was quicker than our sshd."""


class Sandbox:
    """A context manager: on the way in everything is started, on the way out nothing stays.

    Args:
        sshd: path of sshd.
        xvfb: path of Xvfb, None where this machine has a display.

    Attributes:
        folder: where everything lies.
        config: sshd's main file.
        display, authority: of the Xvfb; None without one.
    """

    def __init__(self, *, sshd: str, xvfb: str | None) -> None:
        self._sshd, self._xvfb = sshd, xvfb
        self._keeper: LocalStream | None = None
        self.display: str | None = None
        self.authority: str | None = None

    def __enter__(self) -> Sandbox:
        """Start.

        Raises:
            ProbeError: sshd or Xvfb did not start; the message has their last words.
        """
        for left in reversed(range(_TRIES)):
            # Short, because sockets are made in it; private, because keys are.
            self.folder = Path(tempfile.mkdtemp(prefix="x11fwd-demo-"))
            try:
                self._write()
                script = resources.files("x11fwd.pipeline").joinpath("demo_keeper.sh").read_text("ascii")
                words = ("sh", "-c", script, "x11fwd-demo", str(self.folder), self._sshd)
                screen = (self._xvfb,) if self._xvfb else ()
                self._keeper = LocalTransport().stream((*words, *screen), grace=KEEPER_ENDS)
                self._wait()
            except _PortTakenError:
                self.close()
                if not left:
                    raise
            except BaseException:
                self.close()
                raise
            else:
                break
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End it all; may be called twice."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.close_write()
            with contextlib.suppress(TimeoutError):
                keeper.wait(5.0)
            keeper.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def config(self) -> Path:
        return self.folder / "sshd_config"

    @property
    def ssh_config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def target(self) -> Target:
        """The sandbox as our other commands would be given it."""
        return parse_target(ALIAS, SshOptions(config_file=str(self.ssh_config)))

    @property
    def home(self) -> Path:
        """HOME of every login."""
        return self.folder / "home"

    def shorten(self, text: str) -> str:
        """A sentence with the sandbox's paths as a person would have them on a real server."""
        return text.replace(str(self.home), "~").replace(f"{self.folder}/", "")

    # --- what lies in it

    def _write(self) -> None:
        folder = self.folder
        self.home.mkdir(mode=0o700)
        for key in ("host_key", "user_key"):
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", ALIAS, "-f", str(folder / key))
            made = LocalTransport().run(words)
            if not made.ok:
                raise ProbeError(f"ssh-keygen made no key: {made.error_text.strip()}")
        shutil.copyfile(folder / "user_key.pub", folder / "authorized_keys")
        port = _free_port()
        host_key = " ".join((folder / "host_key.pub").read_text("ascii").split()[:2])
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n", "ascii")
        self.config.write_text("".join(f"{line}\n" for line in self._server_lines(port)), "utf-8")
        self.ssh_config.write_text("".join(f"{line}\n" for line in self._client_lines(port)), "utf-8")
        if self._xvfb:
            cookie = secrets.token_bytes(16)
            here = socket.gethostname()
            records = [local_record(here, number, cookie) for number in range(_ALL_DISPLAYS)]
            self.authority = str(folder / "screen-authority")
            write_authority(self.authority, records)

    def _server_lines(self, port: int) -> list[str]:
        folder = self.folder
        return [
            "# x11fwd demo: a server for this user alone, gone when the demo ends",
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            f"PidFile {folder}/pid",
            # one line: of SetEnv, too, sshd takes the first only (sshd_config(5))
            f"SetEnv HOME={self.home} XAUTHORITY={folder}/authority X11FWD_STATE={folder}/state",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "StrictModes no",
            # PAM needs root; for a root whose password is locked it is what lets a key in
            f"UsePAM {'yes' if _is_locked_root() else 'no'}",
            "PrintMotd no",
            "X11Forwarding no",
        ]

    def _client_lines(self, port: int) -> list[str]:
        folder = self.folder
        return [
            f"Host {ALIAS}",
            "    HostName 127.0.0.1",
            f"    Port {port}",
            f"    User {pwd.getpwuid(os.getuid()).pw_name}",
            f"    IdentityFile {folder}/user_key",
            "    IdentitiesOnly yes",
            "    IdentityAgent none",
            f"    UserKnownHostsFile {folder}/known_hosts",
            "    GlobalKnownHostsFile /dev/null",
            "    UpdateHostKeys no",
            "    StrictHostKeyChecking yes",
        ]

    # --- waiting

    def _wait(self) -> None:
        end = time.monotonic() + _START
        while True:
            number = self._display_number() if self._xvfb else ""
            log = self._log()
            if "Cannot bind any address" in log:
                raise _PortTakenError(f"the demo's server did not start: {self._last_words()}")
            # by its own word it listens: at a port that was taken meanwhile another server would answer
            if "Server listening on" in log and self._answers() and number is not None:
                self.display = f":{number}" if self._xvfb else None
                return
            if time.monotonic() > end:
                raise ProbeError(f"the demo's server did not start: {self._last_words()}")
            time.sleep(_POLL)

    def _log(self) -> str:
        """What sshd has said so far."""
        try:
            return (self.folder / "log").read_text("utf-8", "replace")
        except OSError:
            return ""

    def _answers(self) -> bool:
        port = int(self.config.read_text("utf-8").split("Port ")[1].split()[0])
        try:
            # each connection is a process of its own, which a busy machine has to start first
            with socket.create_connection(("127.0.0.1", port), timeout=_START) as link:
                return link.recv(4) == b"SSH-"
        except OSError:
            return False

    def _display_number(self) -> str | None:
        try:
            text = (self.folder / "display").read_text("ascii")
        except OSError:
            return None
        return text.strip() if text.endswith("\n") else None  # Xvfb writes the number, then the line's end

    def _last_words(self) -> str:
        for name in ("log", "screen-log"):
            with contextlib.suppress(OSError):
                lines = (self.folder / name).read_text("utf-8", "replace").strip().splitlines()
                if lines:
                    return lines[-1]
        return "it said nothing"


def _free_port() -> int:
    """A port that nobody has now; sshd knows no port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_locked_root() -> bool:
    """True for root with `!` before the password hash, whom sshd refuses without PAM (auth.c)."""
    if os.getuid() != 0:
        return False
    try:
        lines = Path("/etc/shadow").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("root:!") for line in lines)
