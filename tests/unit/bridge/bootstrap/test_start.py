"""The command really run: by every shell, with every Python, with folders that take nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.bridge.test_everywhere import interpreters
from x11fwd.bridge.assembly.assemble import Assembled, assembled
from x11fwd.bridge.bootstrap.starter import NOBODY, Fed, Reason, Starter, shell_text

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "0123456789abcdef"
# Says hello, then what it was given and what comes on standard input.
STUB = assembled(
    b"""import os, sys
def main(argv, early=b''):
 os.write(1, b'\\nX11FWD-BRIDGE-HELLO\\n')
 os.write(1, repr((argv, sys.version_info[:2], sys.path)).encode() + b'|' + early)
 while True:
  data = os.read(0, 100)
  if not data: return 0
  if data == b'break': raise ValueError('on purpose')
  os.write(1, data)
"""
)
# Tells the session, and stays until it has read that.
TELLER = assembled(
    b"""import os, time
def main(argv, early=b''):
 path = argv[0] + '/' + argv[2]
 try: os.mkfifo(path)
 except OSError: pass
 end = os.open(path, os.O_RDWR)
 os.write(end, b'ready localhost:7.0 /a  b/c\\n')
 while os.path.exists(path): time.sleep(0.01)
 return 0
"""
)
PLAIN_SHELLS = ["dash", "bash", "busybox", "ksh", "mksh"]  # that are somebody's /bin/sh
SHELLS = [*PLAIN_SHELLS, "zsh", "fish", "tcsh"]


def words_of(shell: str) -> list[str]:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    return [path, *(["sh"] if shell == "busybox" else []), "-c"]


class Server:
    """A home, a runtime folder and a PATH for commands."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path / "home"
        self.runtime = tmp_path / "run"
        self.bin = tmp_path / "bin"
        for folder in (self.home, self.runtime, self.bin):
            folder.mkdir(mode=0o700)
        self.environ = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PATH": f"{self.bin}:/usr/bin:/bin",
        }
        self.stderr = b""
        self.status = -1

    def start(
        self,
        kept: bool,
        then: bytes = b"after",
        program: Assembled = STUB,
        token: str = NOBODY,
        shell: str = "dash",
        before: str = "",
    ) -> tuple[Starter, bytes]:
        """Run the command as sshd would; the starter, and what the link got."""
        start = Starter(program, kept=kept, token=token, preferred=12)
        words = [*words_of(shell), before + start.command]
        process = subprocess.Popen(words, stdin=-1, stdout=-1, stderr=-1, env=self.environ, cwd=self.home)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(start.first + b"before")
        process.stdin.flush()
        link = b""
        ended = False
        while data := os.read(process.stdout.fileno(), 65536):
            fed: Fed = start.feed(data)
            if fed.send:
                process.stdin.write(fed.send)
                process.stdin.flush()
            link += fed.link
            if start.started and not ended and b"|before" in link:
                process.stdin.write(then)
                process.stdin.close()
                ended = True
        if not ended:
            process.stdin.close()
        self.stderr = process.stderr.read()
        self.status = process.wait(180)
        process.stdout.close()
        process.stderr.close()
        return start, link

    def halves(self) -> list[str]:
        return sorted(path.name for path in (self.home / ".cache" / "x11fwd").glob("*"))

    def only(self, name: str, text: str) -> None:
        """A PATH with the few programs that a start needs, and `name`."""
        for program in ("id", "mkdir", "chmod", "rm", "mkfifo", "sleep", "sh"):
            (self.bin / program).symlink_to(shutil.which(program) or "/")
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)
        self.environ["PATH"] = str(self.bin)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_it_starts_sends_once_and_is_kept(server: Server) -> None:
    start, link = server.start(kept=False)
    assert (start.started, start.kept, server.status, server.stderr) == (True, True, 0, b"")
    assert link.endswith(b"|beforeafter")
    assert f"'{server.runtime}/x11fwd-{os.getuid()}', '12', '-'".encode() in link
    [half] = server.halves()
    folder = server.home / ".cache" / "x11fwd" / half
    assert (folder / "x11fwd_half.py").read_bytes() == STUB.source
    assert list(folder.glob("__pycache__/*.pyc"))
    assert folder.stat().st_mode & 0o777 == 0o700
    start, link = server.start(kept=True)
    assert (start.started, start.kept) == (True, True)
    assert str(folder).encode() in link
    assert link.endswith(b"|beforeafter")  # early, or read by itself: in order


def test_a_program_that_is_not_there_is_asked_for_and_what_came_before_it_is_not_lost(server: Server) -> None:
    start, link = server.start(kept=True)
    assert (start.started, start.kept) == (True, True)
    assert link.endswith(b"|beforeafter")


def test_it_is_sent_although_it_is_there(server: Server) -> None:
    server.start(kept=False)
    start, link = server.start(kept=False)
    assert (start.started, start.kept) == (True, True)
    assert link.endswith(b"|beforeafter")


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "shared"])
def test_a_kept_program_that_is_not_the_same_is_not_run(damage: str, server: Server) -> None:
    server.start(kept=False)
    [path] = (server.home / ".cache" / "x11fwd").glob("*/x11fwd_half.py")
    if damage == "cut":
        path.write_bytes(STUB.source[:-3])
    elif damage == "changed":
        path.write_bytes(b"import nothing_like_this\n" + STUB.source)
    elif damage == "gone":
        path.unlink()
    else:
        path.parent.chmod(0o777)
    start, _ = server.start(kept=True)
    assert (start.started, start.kept) == (True, True)
    assert path.read_bytes() == STUB.source
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_program_that_arrives_damaged_is_refused(server: Server) -> None:
    other = assembled(b"import nothing_like_this\n")
    start, _ = server.start(kept=False, program=STUB._replace(source=other.source))
    assert start.refused is not None
    assert start.refused.reason is Reason.DAMAGED
    assert server.halves() == []


def test_a_program_that_cannot_begin_says_why(server: Server) -> None:
    start, _ = server.start(kept=False, program=assembled(b"import nothing_like_this\n"))
    assert start.refused is not None
    assert start.refused.reason is Reason.FAILED
    assert "nothing_like_this" in start.refused.sentence


def test_a_program_that_breaks_leaves_a_sentence(server: Server) -> None:
    start, _ = server.start(kept=False, then=b"break")
    assert start.started
    assert server.stderr == b"x11fwd: the remote half broke in main, line 8: ValueError: on purpose\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_every_login_shell_runs_it(shell: str, server: Server) -> None:
    start, link = server.start(kept=False, shell=shell)
    assert (start.started, start.kept) == (True, True)
    assert link.endswith(b"|beforeafter")


def test_login_files_that_talk_are_harmless(server: Server) -> None:
    start, link = server.start(kept=False, before="echo Welcome; printf 'no line end'; ")
    assert (start.started, start.kept) == (True, True)
    assert link.endswith(b"|beforeafter")


def test_a_home_that_takes_nothing_leaves_the_runtime_folder(server: Server) -> None:
    server.environ["HOME"] = "/proc/1"
    start, link = server.start(kept=False)
    assert (start.started, start.kept) == (True, True)
    start, link = server.start(kept=True)
    assert (start.started, start.kept) == (True, True)
    assert f"{server.runtime}/x11fwd-{os.getuid()}/half-".encode() in link


def test_old_programs_do_not_pile_up(server: Server) -> None:
    for number in range(7):
        _, link = server.start(kept=False, program=assembled(STUB.source + b"# %d\n" % number))
        assert link
    assert len(server.halves()) == 4


def run_there(server: Server, token: str = NOBODY) -> Starter:
    """As on a server that has no other programs than those of its PATH."""
    start = Starter(STUB, kept=False, token=token)
    command = start.command.replace(":/usr/local/bin:/usr/bin:/bin", "")
    command = command.replace("/usr/bin/python3", "/none").replace("/usr/local/bin/python3", "/none")
    done = subprocess.run(
        ["/bin/sh", "-c", command], input=start.first, capture_output=True, env=server.environ, check=False
    )
    assert done.stderr == b""
    start.feed(done.stdout)
    return start


@pytest.mark.parametrize("python", interpreters())
def test_every_python_runs_it(python: str, server: Server) -> None:
    server.only("python3", f'exec {python} "$@"')
    start = run_there(server)
    assert (start.started, start.kept) == (True, True)


def test_no_python_says_so(server: Server) -> None:
    server.only("other", "exit 0")
    start = run_there(server)
    assert start.refused is not None
    assert start.refused.reason is Reason.NO_PYTHON


@pytest.mark.parametrize("text", ["exit 127", "exit 126", "exit 1", "exit 134"])
def test_a_python_that_cannot_begin_is_passed_over(text: str, server: Server) -> None:
    server.only("python3", text)
    start = run_there(server)
    assert start.refused is not None
    assert start.refused.reason is Reason.NO_PYTHON
    (server.bin / "python3.8").symlink_to("/usr/bin/python3")
    assert run_there(server).started


def test_an_old_python_says_so_and_a_newer_one_is_found(server: Server) -> None:
    server.only("python3", "exit 93")
    start = run_there(server)
    assert start.refused is not None
    assert start.refused.reason is Reason.OLD_PYTHON
    conda = server.home / "miniconda3" / "bin"
    conda.mkdir(parents=True)
    (conda / "python").symlink_to("/usr/bin/python3")
    assert run_there(server).started


def test_python_2_takes_the_stub_and_says_that_it_is_old(tmp_path: Path) -> None:
    from x11fwd.bridge.bootstrap.starter import _STUB

    found = [*Path("/root/.pyenv/versions").glob("2*/bin/python2"), *Path("/usr/bin").glob("python2")]
    if not found:
        pytest.skip("no Python 2 here")
    done = subprocess.run([found[0], "-E", "-s", "-S", "-c", _STUB, "x"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (93, b"", b"")


# Where the session waits.


def waiting(server: Server, shell: str = "dash", limit: int = 90) -> subprocess.Popen[bytes]:
    script = (
        shell_text("rendezvous.sh")
        + f'\nx_runtime_folder && x_meet {TOKEN} && x_wait {limit}; echo "$?|$x_word|$x_display|$x_authority"'
    )
    return subprocess.Popen([*words_of(shell), script], stdout=-1, stderr=-1, env=server.environ)


@pytest.mark.parametrize("shell", PLAIN_SHELLS)
@pytest.mark.parametrize("session_first", [True, False])
def test_the_session_is_told_its_display(shell: str, session_first: bool, server: Server) -> None:
    session = waiting(server, shell) if session_first else None
    start = Starter(TELLER, kept=False, token=TOKEN)
    if session is not None:
        until(lambda: bool(list(server.runtime.glob(f"*/{TOKEN}"))))
    process = subprocess.Popen(["/bin/sh", "-c", start.command], stdin=-1, stdout=-1, env=server.environ)
    with process:
        assert process.stdin
        process.stdin.write(start.first)
        process.stdin.flush()
        until(lambda: bool(list(server.runtime.glob(f"*/{TOKEN}"))))
        out, _ = (session or waiting(server, shell)).communicate(timeout=120)
        assert process.wait(120) == 0
    assert out.decode() == "0|ready|localhost:7.0|/a  b/c\n"
    assert list(server.runtime.glob("*/*")) == []


def until(condition: Callable[[], bool], limit: float = 90.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_session_is_told_when_there_is_no_python(server: Server) -> None:
    server.only("cat", "exec /bin/cat")
    session = waiting(server)
    start = run_there(server, TOKEN)
    assert start.refused is not None
    out, _ = session.communicate(timeout=120)
    assert out == b"1|none|no-python|\n"


def test_a_session_is_told_when_the_remote_half_ends_before_it_has_a_display(server: Server) -> None:
    session = waiting(server)
    until(lambda: bool(list(server.runtime.glob(f"*/{TOKEN}"))))
    server.start(kept=False, program=assembled(b"def main(argv, early=b''):\n return 0\n"), token=TOKEN)
    out, _ = session.communicate(timeout=120)
    assert out == b"1|none|ended|\n"
    session = waiting(server)
    until(lambda: bool(list(server.runtime.glob(f"*/{TOKEN}"))))
    server.start(kept=False, program=assembled(b"import nothing_like_this\n"), token=TOKEN)
    out, _ = session.communicate(timeout=120)
    assert out == b"1|none|failed|\n"


def test_a_session_to_which_nobody_comes_goes_on(server: Server) -> None:
    out, _ = waiting(server, limit=1).communicate(timeout=120)
    assert out == b"1|none|late|\n"
    assert list(server.runtime.glob("*/*")) == []


@pytest.mark.parametrize("shell", PLAIN_SHELLS)
@pytest.mark.parametrize("trap", ["symlink", "file", "newline", "relative", "none"])
def test_a_runtime_folder_that_is_not_ours_is_passed_over(shell: str, trap: str, server: Server) -> None:
    folder = server.runtime / f"x11fwd-{os.getuid()}"
    elsewhere = server.home / "elsewhere"
    elsewhere.mkdir()
    if trap == "symlink":
        folder.symlink_to(elsewhere)
    elif trap == "file":
        folder.write_text("")
    elif trap == "newline":
        server.environ["XDG_RUNTIME_DIR"] = f"{server.runtime}/a\nb"
        Path(server.environ["XDG_RUNTIME_DIR"]).mkdir()
    elif trap == "relative":
        server.environ["XDG_RUNTIME_DIR"] = "elsewhere"
    else:
        server.environ["XDG_RUNTIME_DIR"] = str(server.runtime / "none")
    script = (
        shell_text("rendezvous.sh").replace("/dev/shm", str(server.home))
        + '\nx_runtime_folder; echo "$x_folder"'
    )
    done = subprocess.run(
        [*words_of(shell), script], capture_output=True, env=server.environ, check=False, cwd=server.home
    )
    assert (done.stdout.decode(), done.stderr) == (f"{server.home}/x11fwd-{os.getuid()}\n", b"")
    assert (server.home / f"x11fwd-{os.getuid()}").stat().st_mode & 0o777 == 0o700
    assert list(elsewhere.iterdir()) == []
