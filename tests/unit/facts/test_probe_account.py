"""The probe's questions about start files and programs of earlier logins, under every shell that is here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.facts.test_probe_shells import SHELLS, ask, shell
from x11fwd.facts.parse import parse_remote
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from x11fwd.facts.model import RemoteFacts

NUMBER = os.getpid() % 900 + 100  # of a display that this test alone speaks of
DISPLAY = f"localhost:{NUMBER}.0"


def facts(name: str, home: Path, **more: str) -> RemoteFacts:
    return parse_remote(ask(shell(name), home, **more), x11=X11Outcome())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".bashrc").write_text("# export DISPLAY=:1\n\nexport DISPLAY=:0 TOKEN=secret\n")
    (tmp_path / ".profile").write_text('echo $DISPLAY\n[ -z "$TMUX" ] && exec tmux\n')
    (tmp_path / ".config/fish").mkdir(parents=True)
    (tmp_path / ".config/fish/config.fish").write_text("set -gx MPLBACKEND Agg\n")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/environment").write_text("XAUTHORITY=/run/x\n")
    return tmp_path


@pytest.mark.parametrize("name", SHELLS)
def test_lines_of_start_files_are_named_with_file_and_line(name: str, home: Path) -> None:
    # the machine's own files are not ours
    lines = facts(name, home).account.start_lines
    assert isinstance(lines, tuple)
    assert {str(line) for line in lines if line.file.startswith(str(home))} == {
        f"{home}/.bashrc:3: export DISPLAY=:0",
        f"{home}/.profile:2: exec tmux",
        f"{home}/.config/fish/config.fish:1: set -gx MPLBACKEND Agg",
        f"{home}/.ssh/environment:1: XAUTHORITY=/run/x",
    }
    assert "secret" not in repr(lines)


def test_a_variable_that_a_start_file_takes_away_is_gone(tmp_path: Path) -> None:
    (tmp_path / ".bash_profile").write_text("unset DISPLAY\n")
    seen = facts("dash", tmp_path, DISPLAY="nowhere:99")
    assert isinstance(seen.login_environment, dict)
    assert "DISPLAY" not in seen.login_environment


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """What a test starts, it ends."""
    with ExitStack() as stack:
        yield stack


def run_as(stack: ExitStack, name: str) -> int:
    """A process that is called like a program of an earlier login; its id."""
    bash = shutil.which("bash")
    if bash is None or not Path("/proc/self/environ").exists():
        pytest.skip("this machine has no bash or no /proc")
    process = subprocess.Popen(
        [bash, "-c", f"exec -a {name} sleep 600"], env={"DISPLAY": DISPLAY, "PATH": "/usr/bin:/bin"}
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    # until bash has become it
    command = Path(f"/proc/{process.pid}/cmdline")
    limit = time.monotonic() + 90
    while not command.read_bytes().startswith(name.encode()):
        assert process.poll() is None
        assert time.monotonic() < limit
    return process.pid


@pytest.mark.parametrize("name", SHELLS)
def test_programs_of_earlier_logins_are_found_with_their_display(
    name: str, tmp_path: Path, started: ExitStack
) -> None:
    ide = run_as(started, "/home/ana/.vscode-server/bin/1/node")
    kernel = run_as(started, "ipykernel_launcher")
    found = {(one.kind, one.pid) for one in facts(name, tmp_path).account.lasting if one.display == DISPLAY}
    assert found == {("ide", ide), ("jupyter", kernel)}


@pytest.mark.parametrize("name", SHELLS)
def test_panes_of_tmux_are_found_with_their_place(name: str, tmp_path: Path, started: ExitStack) -> None:
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("this machine has no tmux")
    environment = {"PATH": "/usr/bin:/bin", "DISPLAY": DISPLAY, "TMUX_TMPDIR": str(tmp_path)}
    words = [tmux, "-L", "work", "-f", "/dev/null"]
    started.callback(subprocess.run, [*words, "kill-server"], env=environment, check=False)
    subprocess.run([*words, "new-session", "-d", "-s", "main", "sleep 600"], env=environment, check=True)
    found = facts(name, tmp_path, TMUX_TMPDIR=str(tmp_path)).account.lasting
    assert [(one.kind, one.place) for one in found if one.display == DISPLAY] == [("tmux", "work main:0.0")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", SHELLS)
def test_a_socket_that_somebody_else_has_put_there_is_left_alone(
    name: str, tmp_path: Path, started: ExitStack
) -> None:
    """The server behind it could have its client run commands (tmux(1), detach-client -E)."""
    folder = tmp_path / "tmux-0"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(folder / "default"))
        trap.listen()
        trap.setblocking(False)
        os.chown(folder / "default", 65534, 65534)
        facts(name, tmp_path, TMUX_TMPDIR=str(tmp_path))
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_asking_starts_no_server_of_tmux(tmp_path: Path) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("this machine has no tmux")
    folder = tmp_path / f"tmux-{os.geteuid()}"
    folder.mkdir(mode=0o700)
    (folder / "no-socket").write_text("")
    facts("dash", tmp_path, TMUX_TMPDIR=str(tmp_path))
    assert sorted(path.name for path in folder.iterdir()) == ["no-socket"]


@pytest.mark.parametrize("name", ["busybox"])
def test_the_tools_of_busybox_alone_are_enough(name: str, home: Path, tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("this machine has no busybox")
    tools = tmp_path / "bin"
    tools.mkdir()
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        (tools / applet).symlink_to(busybox)
    (tools / "busybox").unlink(missing_ok=True)
    (tools / "busybox").symlink_to(busybox)
    answers = ask((str(tools / "sh"),), home, PATH=str(tools))
    account = parse_remote(answers, x11=X11Outcome()).account
    assert any(line.name == "DISPLAY" and line.line == 3 for line in account.setting("DISPLAY"))


def test_inside_a_session_the_environment_is_the_one_at_hand(tmp_path: Path) -> None:
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.facts.remote import gather_here
    from x11fwd.transports.local import LocalTransport

    (tmp_path / ".bashrc").write_text("export MPLBACKEND=Agg\n")
    place = PlaceFacts(in_session=True)
    seen = gather_here(LocalTransport(), place)
    assert seen.place is place
    assert isinstance(seen.login_environment, dict)
    assert seen.login_environment.get("HOME") == os.environ.get("HOME")
    assert seen.login_environment.get("MPLBACKEND") == os.environ.get("MPLBACKEND")
    assert seen.x11.granted is None
