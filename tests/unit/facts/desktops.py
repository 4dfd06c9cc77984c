"""Machines of every make, put together from captured answers, files, processes and an X server that answers.

A `Desktop` becomes `LocalFacts` by the program's own `gather_local`; shell and handshake are fake.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts import display as display_module
from x11fwd.facts import local as local_module
from x11fwd.facts.local import gather_local
from x11fwd.transports.base import CommandResult
from x11fwd.transports.fake import Answer, Call, FakeTransport
from x11fwd.x11.client import Attempt, Handshake, HandshakeStatus
from x11fwd.x11.requests import AccessControl
from x11fwd.x11.wire import ByteOrder, Setup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from x11fwd.facts.model import LocalFacts
    from x11fwd.x11.authority import Cookie
    from x11fwd.x11.display import DisplayName

CAPTURES = Path(__file__).parent / "captures"
COOKIE = bytes(range(16))
USER = "ana"
ON = AccessControl(enabled=True)


@dataclass(frozen=True)
class Server:
    """An X server that a handshake meets.

    Attributes:
        cookie: it wants one.
        status: another answer than yes, whatever is shown to it.
        tcp: it answers on TCP though DISPLAY asked for a socket.
        access: its access control; without a cookie it lets in who stands there.
        owner: the process that opened its socket.
    """

    vendor: str = "The X.Org Foundation"
    extensions: tuple[str, ...] = ("SECURITY",)
    cookie: bool = True
    status: HandshakeStatus = HandshakeStatus.OK
    reason: str = ""
    tcp: bool = False
    access: AccessControl | None = ON
    owner: int | None = None

    def answer(self, name: DisplayName, cookie: Cookie | None) -> Handshake:
        addresses = name.addresses(abstract=False)
        address = addresses[-1] if self.tcp or not name.is_unix else addresses[0]
        known = self.access is not None and f"SI:localuser:{USER}" in self.access.hosts
        if self.status is not HandshakeStatus.OK:
            there = self.status in {HandshakeStatus.WRONG_COOKIE, HandshakeStatus.NO_COOKIE}
            frozen = self.status is HandshakeStatus.TIMEOUT and self.reason.startswith("it took")
            attempt = Attempt(address, "" if there or frozen else self.reason)
            return Handshake(self.status, self.reason, 0.1, address if there or frozen else None, (attempt,))
        if self.cookie and cookie is None and not known:
            words = "Authorization required, but no authorization protocol specified"
            return Handshake(HandshakeStatus.NO_COOKIE, words, 0.01, address, (Attempt(address),))
        if self.cookie and cookie is not None and cookie.data != COOKIE:
            words = "Invalid MIT-MAGIC-COOKIE-1 key"
            return Handshake(HandshakeStatus.WRONG_COOKIE, words, 0.01, address, (Attempt(address),))
        setup = Setup(self.vendor, 12101008, 0, 0, 65535, ByteOrder.LITTLE, 32, 8, 255, (), ())
        found = frozenset(self.extensions)
        return Handshake(
            HandshakeStatus.OK, "", 0.002, address, (Attempt(address),), setup, found, self.access
        )


@dataclass(frozen=True)
class Desktop:
    """One machine. In texts, `{home}` is the home directory, `{root}` the root and `{uid}` our user id.

    Attributes:
        capture: what the local probe answered, below captures/.
        replaced: parts of that answer that are otherwise here.
        environ: its environment, HOME apart.
        sockets, folders, files, links, cookies: what lies below the root; cookies: file -> display number.
        processes: number -> (comm, command line).
        servers: DISPLAY -> who answers there; anybody else is not there.
    """

    capture: str
    platform: str = "linux"
    environ: Mapping[str, str] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    sockets: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)

    def but(self, **changes: object) -> Desktop:
        """This one with other fields; of `environ`, `files` and `replaced` only what is named changes."""
        for name in ("environ", "files", "replaced", "servers"):
            if name in changes:
                changes[name] = {**getattr(self, name), **changes[name]}  # type: ignore[dict-item]
        return replace(self, **changes)  # type: ignore[arg-type]


def facts_of(desktop: Desktop, base: Path, monkeypatch: pytest.MonkeyPatch) -> LocalFacts:
    """Build the machine below `base` and look at it."""
    root, home = base / "root", base / "root/home" / USER
    home.mkdir(parents=True)

    def fill(text: str) -> str:
        return (
            text.replace("{home}", str(home)).replace("{root}", str(root)).replace("{uid}", str(os.getuid()))
        )

    def place(text: str) -> Path:
        path = fill(text)
        made = Path(path) if path.startswith(str(base)) else root / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        return made

    for name in desktop.folders:
        place(name).mkdir(parents=True, exist_ok=True)
    for name, target in desktop.links.items():
        place(name).symlink_to(fill(target))
    for name in desktop.sockets:
        path = place(name)
        monkeypatch.chdir(path.parent)  # a socket's path holds 107 bytes (unix(7))
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    monkeypatch.chdir(base)
    for name, content in desktop.files.items():
        place(name).write_text(fill(content), encoding="utf-8")
    for name, number in desktop.cookies.items():
        path = place(name)
        path.write_bytes(_record(number))
        path.chmod(0o600)
    for number, (comm, line) in desktop.processes.items():
        place(f"proc/{number}/comm").write_text(f"{comm}\n", encoding="utf-8")
        place(f"proc/{number}/cmdline").write_text(fill(line).replace(" ", "\0"), encoding="utf-8")
    _answering(desktop, monkeypatch)
    environ = {name: fill(value) for name, value in desktop.environ.items()}
    environ["USERPROFILE" if desktop.platform == "win32" else "HOME"] = str(home)
    return gather_local(_shell(desktop), environ=environ, platform=desktop.platform, root=root)


def _answering(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Server] = []

    def shake(
        name: DisplayName,
        cookie: Cookie | None,
        _limit: float,
        *,
        extensions: Sequence[str] = (),
        access: bool = False,
    ) -> Handshake:
        del extensions, access
        server = desktop.servers.get(name.text)
        if server is None:
            words, status = "No such file or directory", HandshakeStatus.NO_SOCKET
            if not name.is_unix:
                words, status = "Connection refused", HandshakeStatus.CONNECTION_REFUSED
            tried = Attempt(name.addresses(abstract=False)[0], words)
            return Handshake(status, words, 0.0, None, (tried,))
        met.append(server)
        return server.answer(name, cookie)

    def peer(verdict: Handshake | None) -> int | None:
        return met[-1].owner if met and verdict is not None and verdict.address is not None else None

    monkeypatch.setattr(display_module, "handshake", shake)
    monkeypatch.setattr(local_module, "_peer", peer)
    monkeypatch.setattr("x11fwd.facts.desktop._user", lambda _environ: USER)


def _record(number: int) -> bytes:
    fields = (socket.gethostname().encode(), str(number).encode(), b"MIT-MAGIC-COOKIE-1", COOKIE)
    return struct.pack(">H", 256) + b"".join(struct.pack(">H", len(one)) + one for one in fields)


def _shell(desktop: Desktop) -> FakeTransport:
    def text(name: str) -> str:
        found = (CAPTURES / name).read_text(encoding="utf-8")
        for old, new in desktop.replaced.items():
            assert old in found or desktop.platform == "win32", f"{name} has no {old!r}"
            found = found.replace(old, new)
        return found

    if desktop.platform == "win32":
        version = text(f"{desktop.capture}/local-ssh-version.txt").encode()
        settings = text(f"{desktop.capture}/local-ssh-g.txt").encode()
        return FakeTransport(
            [
                Answer(CommandResult(0, b"", version), ("ssh", "-V")),
                Answer(CommandResult(0, settings), ("ssh", "-G")),
            ]
        )

    def answer(call: Call) -> CommandResult:
        return CommandResult(0, text(desktop.capture).replace("NONCE", call.argv[2]).encode())

    return FakeTransport([Answer(answer, ("/bin/sh", "-s"))])
