"""This machine's display: found, opened with the right cookie, and said to be unusable where it is."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.x11.fake_server import acceptance, read_setup, refusal, serving
from x11fwd.errors import ConnectionLost
from x11fwd.facts.display import find_display, find_sockets
from x11fwd.facts.local import gather_local
from x11fwd.facts.model import Unknown, known
from x11fwd.target import SshConfig
from x11fwd.transports.base import CommandResult
from x11fwd.transports.fake import Answer, Call, FakeTransport
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CAPTURES = Path(__file__).parent / "captures"
COOKIE = bytes(range(16))


def record(display: str = "0", family: int = 256, address: str | None = None) -> bytes:
    host = socket.gethostname() if address is None else address
    fields = (host.encode(), display.encode(), b"MIT-MAGIC-COOKIE-1", COOKIE)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(one)) + one for one in fields)


def machine(name: str = "debian-12/local-desktop.txt") -> FakeTransport:
    """A machine whose programs answer as captured."""

    def answer(call: Call) -> CommandResult:
        text = (CAPTURES / name).read_text(encoding="utf-8")
        return CommandResult(0, text.replace("NONCE", call.argv[2]).encode())

    return FakeTransport([Answer(answer, ("/bin/sh", "-s"))])


class Screens:
    """X servers in threads, each on a socket of its own below a root directory."""

    def __init__(self, stack: ExitStack, root: Path) -> None:
        self._stack = stack
        self.root = root
        self.cookies: list[bytes] = []

    def start(self, name: str, answer: bytes | None = None) -> str:
        """Returns the DISPLAY that names the socket."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)

        def script(connection: socket.socket) -> None:
            _, _, data = read_setup(connection)
            self.cookies.append(data)
            connection.sendall(answer if answer is not None else acceptance("<"))

        return str(self._stack.enter_context(serving(path, script)))


@pytest.fixture
def screens() -> Iterator[Screens]:
    # a socket's path holds 107 bytes (unix(7)), pytest's folders have longer names
    with ExitStack() as stack:
        yield Screens(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))


def environ(home: Path, **more: str) -> Mapping[str, str]:
    return {"HOME": str(home), **more}


def test_a_display_that_answers_is_used_with_the_cookie_of_the_home(screens: Screens, tmp_path: Path) -> None:
    display = screens.start("launchd/org.xquartz:0")
    (tmp_path / ".Xauthority").write_bytes(record())
    facts = gather_local(
        machine(), environ=environ(tmp_path, DISPLAY=display), platform="linux", root=tmp_path
    )
    assert facts.display == facts.display_used == display
    assert facts.handshake is not None
    assert facts.handshake.ok
    assert facts.has_cookie is True
    assert screens.cookies == [COOKIE]
    assert facts.authority is not None
    assert (facts.authority.path, facts.authority.from_variable) == (str(tmp_path / ".Xauthority"), False)
    assert facts.authority.entries == (f"{socket.gethostname()}/unix:0",)


def test_the_facts_hold_no_cookie(screens: Screens, tmp_path: Path) -> None:
    display = screens.start("X")
    (tmp_path / ".Xauthority").write_bytes(record())
    facts = gather_local(
        machine(), environ=environ(tmp_path, DISPLAY=display), platform="linux", root=tmp_path
    )
    assert COOKIE.hex() not in repr(facts)
    assert repr(COOKIE) not in repr(facts)


def test_xauthority_names_the_file_even_where_it_is_missing(screens: Screens, tmp_path: Path) -> None:
    display = screens.start(
        "X", refusal("<", "Authorization required, but no authorization protocol specified")
    )
    gone = str(tmp_path / "gone")
    facts = gather_local(
        machine(),
        environ=environ(tmp_path, DISPLAY=display, XAUTHORITY=gone),
        platform="linux",
        root=tmp_path,
    )
    assert facts.authority is not None
    assert (facts.authority.path, facts.authority.from_variable, facts.authority.exists) == (
        gone,
        True,
        False,
    )
    assert facts.has_cookie is False
    assert facts.handshake is not None
    assert facts.handshake.status is HandshakeStatus.NO_COOKIE


def test_the_desktops_own_authority_file_is_found_where_the_shell_lost_it(
    screens: Screens, tmp_path: Path
) -> None:
    """F08: GNOME gives Xwayland's file a random name under /run/user."""
    display = screens.start("X")
    folder = tmp_path / f"run/user/{os.getuid()}"
    folder.mkdir(parents=True)
    path = folder / ".mutter-Xwaylandauth.4Q2ZB3"
    path.write_bytes(record())
    facts = gather_local(
        machine(), environ=environ(tmp_path, DISPLAY=display), platform="linux", root=tmp_path
    )
    assert facts.authority is not None
    assert facts.authority.path == str(path)
    assert screens.cookies == [COOKIE]


def test_no_authority_file_of_somebody_else_is_taken_from_tmp(screens: Screens, tmp_path: Path) -> None:
    display = screens.start("X")
    folder = tmp_path / "tmp"
    folder.mkdir()
    (folder / "xauth_abc").write_bytes(record())
    found = find_display(environ(tmp_path, DISPLAY=display), "linux", root=tmp_path, uid=os.getuid() + 1)
    assert found.opened is not None
    assert found.opened.cookie is None


def test_a_lost_display_is_found_again_by_its_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sockets are looked for in the tree, the handshake goes to the display of that number."""
    from x11fwd.facts import display as module
    from x11fwd.x11.client import Handshake

    for number in (1, 0):
        path = tmp_path / f"tmp/.X11-unix/X{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    (tmp_path / "tmp/.X11-unix/X7").write_text("no socket")
    tried: list[str] = []

    def answers(name: object, *_: object, **__: object) -> Handshake:
        tried.append(str(name))
        return Handshake(HandshakeStatus.OK if str(name) == ":1" else HandshakeStatus.NO_COOKIE)

    monkeypatch.setattr(module, "handshake", answers)
    assert find_sockets(tmp_path) == [0, 1]
    found = find_display(environ(tmp_path), "linux", root=tmp_path)
    assert (found.display, found.source, found.candidates) == (":1", "socket", (":0", ":1"))
    assert tried == [":0", ":1"]
    far = find_display(environ(tmp_path, SSH_CONNECTION="a 1 b 2"), "linux", root=tmp_path)
    assert (far.display, far.candidates) == (None, (":0", ":1"))


def test_a_server_of_another_user_is_not_taken_though_it_lets_us_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from x11fwd.facts import display as module
    from x11fwd.x11.client import Handshake

    path = tmp_path / "tmp/.X11-unix/X3"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    if os.getuid() == 0:
        os.chown(path, 4711, 4711)
    monkeypatch.setattr(module, "handshake", lambda *_, **__: Handshake(HandshakeStatus.OK))
    assert find_display(environ(tmp_path), "linux", root=tmp_path, uid=os.getuid() + 1).display is None


def test_wslgs_socket_counts_where_tmp_has_lost_it(tmp_path: Path) -> None:
    path = tmp_path / "mnt/wslg/.X11-unix/X0"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    assert find_sockets(tmp_path) == [0]


@pytest.mark.parametrize("value", ["nonsense", "[::1]:0", "host name:0", "localhost:ten"])
def test_a_display_that_cannot_be_meant_says_why_and_is_not_used(value: str, tmp_path: Path) -> None:
    facts = gather_local(machine(), environ=environ(tmp_path, DISPLAY=value), platform="linux", root=tmp_path)
    assert facts.display == value
    assert facts.display_problem
    assert facts.display_used is None
    assert facts.handshake is None
    assert facts.server_kind is None


def test_without_any_display_nothing_is_guessed(tmp_path: Path) -> None:
    facts = gather_local(machine(), environ=environ(tmp_path), platform="linux", root=tmp_path)
    assert facts.display is None
    assert facts.display_used is None
    assert facts.display_candidates == ()
    assert isinstance(facts.security_extension, Unknown)
    assert isinstance(facts.has_cookie, Unknown)


def test_an_empty_display_is_none(tmp_path: Path) -> None:
    facts = gather_local(machine(), environ=environ(tmp_path, DISPLAY=""), platform="linux", root=tmp_path)
    assert facts.display is None


def test_programs_and_system_are_those_that_the_probe_names(tmp_path: Path) -> None:
    config = SshConfig({"xauthlocation": ("/usr/bin/xauth",)})
    facts = gather_local(machine(), environ=environ(tmp_path), platform="linux", root=tmp_path, config=config)
    assert (facts.system.os_id, facts.system.version_id, facts.system.init) == ("debian", "12", "systemd")
    assert facts.xauth.path == "/usr/bin/xauth"
    assert facts.xauth.version == "1.1.2"
    assert facts.ssh_path == "/usr/bin/ssh"
    assert known(facts.ssh_version) == "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026"
    assert facts.xauth_location == "/usr/bin/xauth"


def test_one_question_is_enough(tmp_path: Path) -> None:
    local = machine()
    gather_local(local, environ=environ(tmp_path), platform="linux", root=tmp_path)
    assert local.round_trips == 1


def test_a_machine_that_runs_no_shell_is_unknown_and_not_empty(tmp_path: Path) -> None:
    local = FakeTransport([Answer(ConnectionLost("`/bin/sh` on this machine had not ended after 30 s"))])
    facts = gather_local(local, environ=environ(tmp_path), platform="linux", root=tmp_path)
    assert isinstance(facts.xauth.version, Unknown)
    assert "had not ended" in facts.xauth.version.reason
    assert isinstance(facts.ssh_version, Unknown)


@pytest.mark.parametrize(
    ("variables", "session"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland"}, "wayland"),
        ({"XDG_SESSION_TYPE": "x11"}, "x11"),
        ({"XDG_SESSION_TYPE": "tty"}, "tty"),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "wsl"),
        ({}, ""),
    ],
)
def test_the_kind_of_session_is_told(variables: dict[str, str], session: str, tmp_path: Path) -> None:
    facts = gather_local(machine(), environ=environ(tmp_path, **variables), platform="linux", root=tmp_path)
    assert facts.session == session
    assert dict(facts.environment) == variables


# --- macOS: XQuartz, by what its people wrote down (XQuartz#20, #177, #228, #502)


def test_xquartz_is_found_through_launchd_where_the_shell_lost_display(
    screens: Screens, tmp_path: Path
) -> None:
    display = screens.start("private/tmp/com.apple.launchd.UFeDJu0S1Q/org.xquartz:0")
    text = (CAPTURES / "macos-14/local-xquartz.txt").read_text(encoding="utf-8")
    answer = text.replace("/private/tmp/com.apple.launchd.UFeDJu0S1Q/org.xquartz:0", display)
    local = FakeTransport(
        [Answer(lambda call: CommandResult(0, answer.replace("NONCE", call.argv[2]).encode()))]
    )
    facts = gather_local(local, environ=environ(tmp_path), platform="darwin", root=tmp_path)
    assert facts.display is None
    assert facts.display_used == display
    assert facts.server_kind == "xquartz"
    assert facts.session == "aqua"
    assert (facts.system.os_id, facts.system.version_id, facts.system.init) == ("macos", "14.7.1", "launchd")
    assert facts.xauth.path == "/opt/X11/bin/xauth"


def test_an_xquartz_that_was_never_logged_in_with_has_no_display(tmp_path: Path) -> None:
    """F10: the launchd agent that owns DISPLAY is loaded at login only."""
    local = machine("macos-14/local-no-logout.txt")
    facts = gather_local(local, environ=environ(tmp_path), platform="darwin", root=tmp_path)
    assert facts.display_used is None
    assert facts.display_candidates == ()
    assert facts.xauth.path == "/opt/X11/bin/xauth"


def test_windows_has_no_shell_to_ask_and_a_tcp_display(tmp_path: Path) -> None:
    version = CommandResult(0, b"", b"OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2\r\n")
    local = FakeTransport([Answer(version, ("ssh", "-V"))])
    facts = gather_local(
        local, environ=environ(tmp_path, DISPLAY="127.0.0.1:49999"), platform="win32", root=tmp_path
    )
    assert facts.system.kernel == "Windows"
    assert facts.session == "windows"
    assert facts.display_candidates == ("127.0.0.1:0.0",)
    assert known(facts.ssh_version) == "OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2"
    assert facts.handshake is not None
    assert not facts.handshake.ok


def test_the_displays_of_other_users_are_no_candidates(tmp_path: Path) -> None:
    folder = tmp_path / "tmp/.X11-unix"
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "X4"))
    if os.getuid() == 0:
        os.chown(folder / "X4", 4711, 4711)
    found = find_display(environ(tmp_path, DISPLAY="nonsense"), "linux", root=tmp_path, uid=os.getuid() + 1)
    assert found.candidates == ()
