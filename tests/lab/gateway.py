"""A stand-in for bastions that end the ssh session themselves: runs commands on a host and refuses X11."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from tests.lab.runs import current_run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from types import TracebackType

    from tests.lab.host import Host


class Gateway:
    """Listens on `port` of 127.0.0.1 and lets everybody in as ana; a context manager.

    Args:
        host: where commands run.
        banner: `SSH-2.0-…`, what it calls itself.
    """

    def __init__(self, host: Host, banner: str) -> None:
        self._host = host
        self._banner = banner
        self._key = paramiko.RSAKey.generate(2048)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        folder = current_run().claim("gateway")
        folder.chmod(0o755)
        self.known_hosts: Path = folder / "known_hosts"
        line = f"[127.0.0.1]:{self.port} {self._key.get_name()} {self._key.get_base64()}\n"
        self.known_hosts.write_text(line, encoding="ascii")
        self.known_hosts.chmod(0o644)
        self._links: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                transport = paramiko.Transport(link)
                transport.local_version = self._banner
                transport.add_server_key(self._key)
                self._links.append(transport)
                with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                    transport.start_server(event=threading.Event(), server=_Rules(self._host))

    def close(self) -> None:
        """Hang up."""
        self._listener.close()
        for link in self._links:
            link.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Rules(paramiko.ServerInterface):
    def __init__(self, host: Host) -> None:
        self._host = host

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, _username: str, _key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def check_channel_request(self, _kind: str, _number: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        process = self._host.popen(["sh", "-c", command.decode()], user="ana")
        threading.Thread(target=_carry, args=(channel, process), daemon=True).start()
        return True


def _carry(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin
    assert stdout
    assert stderr

    def feed() -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := channel.recv(65536):
                stdin.write(data)
                stdin.flush()
            stdin.close()

    def errors() -> None:
        with contextlib.suppress(OSError):
            while data := stderr.read1(65536):  # type: ignore[attr-defined]
                channel.sendall_stderr(data)

    for work in (feed, errors):
        threading.Thread(target=work, daemon=True).start()
    with contextlib.suppress(OSError, EOFError):  # who asked may have gone
        while data := stdout.read1(65536):  # type: ignore[attr-defined]
            channel.sendall(data)
        channel.send_exit_status(process.wait())
    channel.close()
