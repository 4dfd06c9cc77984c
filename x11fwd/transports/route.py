"""How the bytes reach the server: TCP or the user's ProxyCommand; for the paramiko transport.

Jump hosts are connections of their own and therefore the transport's business.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import queue
import socket
import subprocess  # noqa: TID251  transports are where processes are run
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectError
from x11fwd.transports.local import kill_group
from x11fwd.transports.scratch import started
from x11fwd.transports.tokens import expand_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.target import SshConfig

__all__ = ["Route", "connect_tcp", "open_route", "start_proxy"]

_Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_LAST_WORDS = 3.0  # seconds for a ProxyCommand that has failed
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


@dataclass(frozen=True)
class Route:
    """A connected socket and what has to be ended with it.

    Attributes:
        loopback: the server's address is this machine's own.
        close: ends the helper process, if there is one.
        said: what the helper process has written to standard error.
    """

    socket: socket.socket
    loopback: bool
    close: Callable[[], None]
    said: Callable[[], str] = str


def open_route(config: SshConfig, known: Mapping[str, str], timeout: float) -> Route:
    """The way to a host that no jump host stands in front of.

    Args:
        known: the %-tokens of its configuration.
        timeout: seconds for each address.

    Raises:
        ConnectError: there is none.
    """
    command = config.proxy_command
    return start_proxy(expand_percent(command, known)) if command else connect_tcp(config, timeout)


def connect_tcp(config: SshConfig, timeout: float) -> Route:
    """Try every address of the host in the resolver's order, as ssh does.

    Args:
        timeout: seconds for each address (`ConnectTimeout`); resolving the name counts as one.

    Raises:
        ConnectError: none answered.
    """
    host, port = config.hostname, config.port
    family = _FAMILIES.get(config.first("addressfamily") or "", socket.AF_UNSPEC)
    problem = "it has no address"
    for address_family, address in _resolve(host, port, family, timeout):
        made = socket.socket(address_family, socket.SOCK_STREAM)
        try:
            made.settimeout(timeout)
            bind = config.named("bindaddress")
            if bind:
                made.bind((bind, 0))
            made.connect(address)
            # ssh sets it too: a question is a small packet, and Nagle would hold it back
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except TimeoutError:
            made.close()
            problem = f"no answer within {timeout:g} s"
        except OSError as error:
            made.close()
            problem = (error.strerror or str(error)).lower()
        except BaseException:
            made.close()
            raise
        else:
            return Route(made, _is_loopback(str(address[0])), lambda: None)
    raise ConnectError(
        f"{host} port {port} cannot be reached: {problem}",
        hint="is the host up, and is this the port of its sshd?" if "refused" in problem else "",
    )


def _resolve(host: str, port: int, family: int, timeout: float) -> list[tuple[int, _Address]]:
    # getaddrinfo() has no time-out of its own; on a dead resolver the thread is left behind
    answers: queue.SimpleQueue[list[tuple[int, _Address]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            answers.put([(one[0], one[4]) for one in found])
        except UnicodeError:
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
        except OSError as error:
            answers.put(error)

    with contextlib.suppress(ValueError):  # an address needs no resolver, and so no thread
        ipaddress.ip_address(host.partition("%")[0])
        ask()
        timeout = 0.0 if not answers.empty() else timeout
    if answers.empty():
        threading.Thread(target=ask, name="x11fwd-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout) if answers.empty() else answers.get_nowait()
    except queue.Empty:
        raise ConnectError(f"the name {host} was not resolved within {timeout:g} s") from None
    if isinstance(answer, OSError):
        raise ConnectError(
            f"the name {host} cannot be resolved: {(answer.strerror or str(answer)).lower()}",
            hint="check the spelling; a VPN may have to be up",
        )
    return answer


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def start_proxy(command: str) -> Route:
    """Run a ProxyCommand as ssh does: by the user's shell, with `exec` in front (sshconnect.c).

    Args:
        command: with its %-tokens expanded.

    Raises:
        ConnectError: the shell cannot be started.
    """
    ours, theirs = socket.socketpair()
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        process = started(
            lambda: subprocess.Popen(
                [shell, "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            ),
            kill_group,
        )
    except OSError as error:
        ours.close()
        raise ConnectError(f"the ProxyCommand cannot be started: {error.strerror}") from error
    finally:
        theirs.close()

    errors = bytearray()

    def drain() -> None:
        with contextlib.suppress(OSError, ValueError):
            while process.stderr is not None and (data := os.read(process.stderr.fileno(), 4096)):
                errors[:] = (errors + data)[-4096:]

    reader = threading.Thread(target=drain, name="x11fwd-proxy", daemon=True)
    reader.start()

    def said() -> str:
        # its last words may come after the end of its streams, or be read late on a busy machine
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS)
        reader.join(0.2 if process.poll() is None else _LAST_WORDS)
        return errors.decode("utf-8", "replace").strip()

    def close() -> None:
        with contextlib.suppress(OSError):
            ours.close()
        deadline = time.monotonic() + 0.3
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)  # most end by themselves once their standard input has ended
        kill_group(process)
        reader.join(1.0)

    return Route(ours, loopback=False, close=close, said=said)
