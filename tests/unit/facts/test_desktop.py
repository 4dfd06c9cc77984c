"""The desktop's own files, processes and answers: what is read, what is left alone, what is unknown."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.facts.desktops import CAPTURES
from tests.unit.facts.desktops_healthy import HEALTHY
from tests.unit.facts.test_probe_shells import FACTS, SHELLS, shell
from x11fwd.facts.answers import Answers, parse_answers
from x11fwd.facts.desktop_files import find_start_lines, is_exposed
from x11fwd.facts.desktop_linux import (
    ServerProcess,
    find_server,
    find_wsl,
    name_desktop,
    server_authorities,
    session_environment,
)
from x11fwd.facts.desktop_mac import MacFacts, find_mac
from x11fwd.facts.display import find_display, open_display
from x11fwd.facts.unknown import Unknown
from x11fwd.x11.authority import Cookie, dump_authority, local_record
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = Answers({}, {}, {})


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def process(root: Path, number: int, comm: str, *words: str) -> None:
    write(root, {f"proc/{number}/comm": f"{comm}\n", f"proc/{number}/cmdline": "\0".join(words) + "\0"})


# --- start files


@pytest.mark.parametrize(
    ("file", "line", "value"),
    [
        (".bashrc", "export DISPLAY=:0", ":0"),
        (".bashrc", '  [ -n "$SSH_TTY" ] || export DISPLAY="localhost:0.0"', "localhost:0.0"),
        (".zprofile", "DISPLAY=:0; export DISPLAY", ":0"),
        (".profile", "export LIBGL=1 DISPLAY=:7", ":7"),
        (".cshrc", "setenv DISPLAY :0", ":0"),
        (".config/fish/config.fish", "set -gx DISPLAY :0", ":0"),
        (".bashrc", "export DISPLAY=$(awk '/nameserver/ {print $2}' /etc/resolv.conf):0", None),
    ],
)
def test_a_line_that_sets_display_is_found(file: str, line: str, value: str | None, tmp_path: Path) -> None:
    write(tmp_path, {f"home/{file}": f"# a comment\n{line}\n"})
    found = find_start_lines(str(tmp_path / "home"), tmp_path)
    assert [(one.line, one.name) for one in found] == [(2, "DISPLAY")]
    assert found[0].file == str(tmp_path / "home" / file)
    assert value is None or found[0].value == value


@pytest.mark.parametrize(
    "line",
    ["# export DISPLAY=:0", "echo $DISPLAY", "MY_DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0", "unset DISPLAY"],
)
def test_a_line_that_sets_no_display_is_left_alone(line: str, tmp_path: Path) -> None:
    write(tmp_path, {"home/.bashrc": f"{line}\n"})
    assert find_start_lines(str(tmp_path / "home"), tmp_path) == ()


def test_folders_of_start_files_are_read_too_and_huge_files_are_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "etc/profile.d/x.sh": "export DISPLAY=:3\n",
            "home/.bashrc": "DISPLAY=:0\n" + "#" * 300_000,
            "home/.zshrc/not-a-file": "",
        },
    )
    assert [str(one) for one in find_start_lines(str(tmp_path / "home"), tmp_path)] == [
        "/etc/profile.d/x.sh:1: DISPLAY=:3"
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("xhost +", True),
        ("[ -n x ] && xhost + >/dev/null", True),
        ("xhost +local:docker", False),
        ("xhost +si:localuser:root", False),
        ("xhost -", False),
        ("# xhost +", False),
    ],
)
def test_a_line_that_lets_everybody_in_is_found(line: str, found: bool, tmp_path: Path) -> None:
    write(tmp_path, {"home/.xprofile": f"{line}\n"})
    lines = find_start_lines(str(tmp_path / "home"), tmp_path)
    assert [str(one) for one in lines] == ([f"{tmp_path}/home/.xprofile:1: xhost +"] if found else [])


def test_without_a_home_only_the_systems_files_count(tmp_path: Path) -> None:
    write(tmp_path, {"etc/environment": "DISPLAY=:1\n"})
    assert [one.value for one in find_start_lines(None, tmp_path)] == [":1"]


# --- who can read the cookie


@pytest.mark.parametrize(
    ("file", "folder", "exposed"),
    [(0o600, 0o755, False), (0o644, 0o755, True), (0o644, 0o700, False), (0o640, 0o755, False)],
)
def test_a_cookie_is_exposed_where_its_folder_is_open_too(
    file: int, folder: int, exposed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "home/.Xauthority"
    write(tmp_path, {"home/.Xauthority": ""})
    path.chmod(file)
    path.parent.chmod(folder)
    above = all(one.stat().st_mode & 0o001 for one in tmp_path.parents) and tmp_path.stat().st_mode & 0o001
    assert is_exposed(str(path)) is (exposed and bool(above))


def test_a_cookie_in_a_folder_open_to_all_is_exposed(tmp_path: Path) -> None:
    # pytest's own folders are private
    path = Path("/tmp") / f"x11fwd-test-{os.getpid()}-{tmp_path.name}"
    path.write_bytes(b"")
    try:
        path.chmod(0o644)
        assert is_exposed(str(path)) is True
        path.chmod(0o600)
        assert is_exposed(str(path)) is False
    finally:
        path.unlink()


def test_a_missing_file_is_not_exposed_and_none_is_unknown(tmp_path: Path) -> None:
    assert is_exposed(str(tmp_path / "gone")) is False
    assert isinstance(is_exposed(None), Unknown)


# --- processes


def test_the_server_of_a_display_is_found_by_its_number_or_by_its_socket(tmp_path: Path) -> None:
    process(tmp_path, 10, "bash", "bash", ":0", "-auth", "/no")
    process(tmp_path, 20, "Xorg", "/usr/lib/xorg/Xorg", ":0", "-auth", "/var/run/lightdm/root/:0")
    process(tmp_path, 30, "Xwayland", "Xwayland", ":1", "-rootless")
    process(tmp_path, 40, "Xvfb", "Xvfb", "-displayfd", "7", "-auth", "/a")
    assert find_server(tmp_path, ":0.0", None) == ServerProcess(20, "Xorg", ":0", "/var/run/lightdm/root/:0")
    assert find_server(tmp_path, ":1", 5) == ServerProcess(30, "Xwayland", ":1")
    assert find_server(tmp_path, ":9", 40) == ServerProcess(40, "Xvfb", "", "/a")
    for display in (":9", "localhost:0", "nonsense", None):
        assert find_server(tmp_path, display, None) is None
    process(tmp_path, 50, "Xorg", "Xorg", ":3", "-ac")
    server = find_server(tmp_path, ":3", None)
    assert server is not None
    assert server.open
    assert list(server_authorities(tmp_path, 0)) == ["/var/run/lightdm/root/:0", "/a"]


def test_a_process_that_ends_while_it_is_looked_at_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, {"proc/7/comm": "Xorg\n"})
    assert find_server(tmp_path, ":0", 7) is None
    assert find_server(tmp_path / "nowhere", ":0", 7) is None


def test_a_cookie_file_of_somebody_else_is_not_taken_from_a_command_line(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "cookie"})
    process(tmp_path, 20, "Xorg", "Xorg", ":0", "-auth", "/secret")
    found = find_display({"DISPLAY": ":0"}, "linux", root=tmp_path, uid=os.getuid() + 1)
    assert found.opened is not None
    assert found.opened.cookie is None


def test_a_cookie_that_is_refused_is_followed_by_the_sessions_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that an Xorg session of yesterday left its cookie in, and an Xwayland of today."""
    from x11fwd.facts import display as module
    from x11fwd.x11.client import Handshake

    folder = tmp_path / f"run/user/{os.getuid()}"
    folder.mkdir(parents=True)
    files = {tmp_path / ".Xauthority": b"old", folder / "xauth_abc": b"old", folder / "xauth_bcd": b"new"}
    for path, data in files.items():
        path.write_bytes(dump_authority([local_record(socket.gethostname(), 0, data)]))
    shown: list[bytes] = []

    def answers(_name: object, cookie: Cookie, *_: object, **__: object) -> Handshake:
        shown.append(cookie.data)
        good = cookie.data == right
        return Handshake(HandshakeStatus.OK if good else HandshakeStatus.WRONG_COOKIE)

    monkeypatch.setattr(module, "handshake", answers)
    right = b"new"
    opened = open_display(":0", {"HOME": str(tmp_path)}, "linux", root=tmp_path)
    assert (opened.handshake.ok, opened.authority) == (True, str(folder / "xauth_bcd"))
    assert shown == [b"old", b"new"]
    right = b"none of them"
    opened = open_display(":0", {"HOME": str(tmp_path)}, "linux", root=tmp_path)
    assert (opened.handshake.ok, opened.authority) == (False, str(tmp_path / ".Xauthority"))


# --- which desktop, which session


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("ubuntu:GNOME", "gnome"),
        ("GNOME-Classic:GNOME", "gnome"),
        ("KDE", "kde"),
        ("sway", "sway"),
        ("labwc", "labwc"),
        ("", ""),
    ],
)
def test_the_desktop_is_named(value: str, name: str, tmp_path: Path) -> None:
    assert name_desktop({"XDG_CURRENT_DESKTOP": value}, tmp_path) == name


def test_the_sessions_variables_lose_systemds_quotes() -> None:
    lines = ("DISPLAY=:1", "XAUTHORITY=$'/run/user/1000/xauth_a b'", "WAYLAND_DISPLAY=")
    found = session_environment(Answers({"session.environment": lines}, {}, {}))
    assert dict(found) == {"DISPLAY": ":1", "XAUTHORITY": "/run/user/1000/xauth_a b"}
    assert dict(session_environment(NONE)) == {}


def test_a_display_that_only_systemd_knows_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from x11fwd.facts import display as module
    from x11fwd.x11.client import Handshake, HandshakeStatus

    tried: list[str] = []

    def answers(name: object, *_: object, **__: object) -> Handshake:
        tried.append(str(name))
        return Handshake(HandshakeStatus.OK)

    monkeypatch.setattr(module, "handshake", answers)
    found = find_display({}, "linux", session={"DISPLAY": ":5"}, root=tmp_path)
    assert (found.display, found.source, tried) == (":5", "session", [":5"])


def test_on_windows_a_socket_is_not_tried_over_tcp_which_ssh_would_not_do_either(tmp_path: Path) -> None:
    opened = open_display(":0", {"USERPROFILE": str(tmp_path)}, "win32", root=tmp_path)
    assert opened.handshake.status is HandshakeStatus.NO_SOCKET
    assert opened.authority == f"{tmp_path}/.Xauthority"
    found = find_display({"DISPLAY": ":1.0"}, "win32", root=tmp_path)
    assert (found.display, found.candidates) == (None, ("127.0.0.1:1.0",))
    assert found.problem is not None


@pytest.mark.parametrize(
    ("release", "version"),
    [("4.4.0-19041-Microsoft", 1), ("5.15.133.1-microsoft-standard-WSL2", 2), ("6.1.0-28-amd64", None)],
)
def test_wsl_is_told_by_its_kernel(release: str, version: int | None, tmp_path: Path) -> None:
    found = find_wsl({}, release, None, tmp_path)
    assert (found.version if found else None) == version


def test_wslgs_sockets_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mnt/wslg/.X11-unix"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("X2")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp/.X11-unix").symlink_to("/nowhere")
    found = find_wsl({"WSL_DISTRO_NAME": "Ubuntu"}, "", ":2", tmp_path)
    assert found is not None
    assert (found.wslg, found.wslg_socket, found.tmp_socket, found.number) == (True, True, "loop", 2)


# --- macOS


def mac(name: str) -> MacFacts:
    return find_mac(parse_answers((CAPTURES / "macos-xquartz" / name).read_bytes(), "NONCE"), "/Users/ana")


def test_xquartzs_answers_are_read() -> None:
    facts = mac("local-healthy.txt")
    assert facts.installed
    assert facts.running
    assert facts.launchd_socket
    assert (facts.agent, facts.helper, facts.disabled) == (True, True, ())
    assert facts.settings["nolisten_tcp"] == "1"
    assert facts.settings["app_to_run"] == "/opt/X11/bin/xterm"
    assert facts.log_file == "~/Library/Logs/X11/org.xquartz.log"
    assert facts.arguments[:2] == ("/opt/X11/bin/Xquartz", ":0")
    assert "-iglx" in facts.arguments
    assert facts.complaint == ""


def test_xquartzs_log_says_why_it_does_not_start() -> None:
    facts = mac("local-helper-off.txt")
    assert facts.disabled == ("org.xquartz.privileged_startx",)
    assert facts.complaint.endswith("ERROR: euid != 0,directory /tmp/.X11-unix will not be created.")
    assert not facts.socket_folder


def test_a_mac_that_was_not_asked_is_unknown() -> None:
    facts = find_mac(NONE, None)
    assert isinstance(facts.agent, Unknown)
    assert isinstance(facts.helper, Unknown)
    assert facts.display_there is None


# --- the local probe itself


PROGRAMS = {
    "launchctl": """case "$*" in
'getenv DISPLAY') echo "$LAUNCHD" ;;
'print gui/'*) exit 0 ;;
'print system/'*) exit 113 ;;
'print-disabled gui/'*) printf '\\t"org.xquartz.startx" => enabled\\n' ;;
'print-disabled system') printf '\\t"org.xquartz.privileged_startx" => disabled\\n\\t"x" => enabled\\n' ;;
esac""",
    "sw_vers": "echo 14.7.1",
    "defaults": """case "$2" in
org.xquartz.X11) printf '{\\n    "nolisten_tcp" = 0;\\n}\\n' ;;
*) printf '{\\n    "enable_iglx" = 1;\\n}\\n' ;;
esac""",
    "ps": "printf '/sbin/launchd\\n/opt/X11/bin/Xquartz\\n'",
}


@pytest.mark.parametrize("name", SHELLS)
def test_the_local_probe_asks_a_mac_in_every_shell(name: str, tmp_path: Path) -> None:
    """The programs are stand-ins; the questions, their quoting and the parsing are real."""
    words = shell(name)
    for program, text in PROGRAMS.items():
        path = tmp_path / "bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
    write(
        tmp_path,
        {
            "Library/Logs/X11/org.xquartz.log": "one\n\targv[0] = Xquartz",
            "Library/Preferences/org.macosforge.xquartz.X11.plist": "",
        },
    )
    done = subprocess.run(
        [*words, "-s", "END"],
        input=(FACTS / "local_probe.sh").read_bytes(),
        env={
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "DISPLAY": "/private/tmp/gone:0",
            "XAUTHORITY": "x",
            "LAUNCHD": "/private/tmp/com.apple.launchd.U/org.xquartz:0",
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == b""
    answers = parse_answers(done.stdout, "END")
    facts = find_mac(answers, str(tmp_path))
    assert facts.launchd_display == "/private/tmp/com.apple.launchd.U/org.xquartz:0"
    assert (facts.launchd_socket, facts.display_there) == (False, False)
    assert (facts.agent, facts.helper) == (True, False)
    assert facts.disabled == ("org.xquartz.privileged_startx",)
    assert facts.running or name == "busybox"  # which has a ps of its own
    assert dict(facts.settings) == {"nolisten_tcp": "0"}
    assert dict(facts.old_settings) == {"enable_iglx": "1"}
    assert not facts.old_written_since  # nothing was installed here
    assert facts.log_file == "~/Library/Logs/X11/org.xquartz.log"
    assert facts.log == ("one", "\targv[0] = Xquartz")
    assert answers.first("system.macos") == "14.7.1"


def test_the_local_probe_asks_ssh_for_the_target(tmp_path: Path) -> None:
    path = tmp_path / "ssh"
    path.write_text('#!/bin/sh\nif [ $1 = -G ]; then echo "xauthlocation /x/$*"; fi\n', encoding="utf-8")
    path.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-s", "END", "-p", "22 2", "--", "gpu1"],
        input=(FACTS / "local_probe.sh").read_bytes(),
        env={"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert parse_answers(done.stdout, "END").first("ssh.xauth_location") == "/x/-G -p 22 2 -- gpu1"


def test_every_healthy_desktop_has_its_capture() -> None:
    assert len(HEALTHY) >= 12
    for desktop in HEALTHY.values():
        assert (CAPTURES / desktop.capture).exists()
