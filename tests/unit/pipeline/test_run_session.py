"""Both halves of `run` on this machine, with every Python from 3.6 that is found."""

from __future__ import annotations

import json
import os
import queue
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ProbeError
from x11fwd.pipeline.run_session import RunSession, agent_text, drawn, exit_status
from x11fwd.project.manifest import read_manifest
from x11fwd.transports.local import LocalStream, LocalTransport
from x11fwd.viewer.png import size_of_png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pythons() -> list[str]:
    """Python 3.6 and later: under pyenv's versions, and the one that runs the tests."""
    folders = [Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")), Path.home() / ".pyenv"]
    found = {str(path) for folder in folders for path in folder.glob("versions/3.*/bin/python3")}
    return sorted(found | {sys.executable})


def played(python: str, folder: Path, text: str, given: bytes = b"") -> tuple[int, bytes, bytes, list[str]]:
    """Status, output, errors and what had to be sent."""
    script = folder / "s.py"
    script.write_text(text)
    manifest = read_manifest(folder, ["s.py"])
    pieces = [given] if given else []
    with RunSession(LocalTransport(), python=python, x11=False) as session:
        session.offer(manifest, "test", keep=False)
        session.hello()
        needed = session.needed()
        session.send(manifest.chunks(needed), lambda _count: None)
        words = {
            "words": ["s.py", "a b"],
            "folder": "",
            "environment": {"OURS": "x"},
            "modules": {},
            "terminal": None,
            "fetch": [],
        }
        session.start(words)
        session.feed(lambda _limit: pieces.pop() if pieces else b"")
        streams = {b"O": b"", b"E": b""}
        status = -1
        for kind, data in session.frames():
            if kind == b"X":
                status = exit_status(data)
            else:
                streams[kind] += data
    return status, streams[b"O"], streams[b"E"], needed


@pytest.fixture(autouse=True)
def plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")


@pytest.mark.parametrize("python", pythons())
def test_a_script_runs_and_nothing_of_it_stays(python: str, tmp_path: Path, clean_environment: Path) -> None:
    text = (
        "import os, sys\n"
        "print(sys.argv, os.environ['OURS'], sys.stdin.read())\n"
        "sys.stderr.write('err'); sys.exit(9)\n"
    )
    status, out, err, needed = played(python, tmp_path, text, b"input")
    assert (status, out, err) == (9, b"['s.py', 'a b'] x input\n", b"err")
    assert len(needed) == 1
    cache = clean_environment / ".cache/x11fwd"
    assert list((cache / "runs").iterdir()) == []
    assert played(python, tmp_path, text, b"input")[3] == []


def test_an_old_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 3\n")
    old.chmod(0o755)
    with pytest.raises(ProbeError, match=r"older than 3\.6"):
        played(str(old), tmp_path, "")


@pytest.mark.parametrize("written", [0, 1])
def test_a_python_that_has_ended_before_it_was_told_anything_is_named(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does so at once, and on a busy machine, or where much is to be said, before we come to say it."""
    write, left = LocalStream.write, [written]

    def late(self: LocalStream, data: bytes) -> None:
        if not left[0]:
            self._process.wait(90)
        left[0] = max(0, left[0] - 1)
        write(self, data)

    monkeypatch.setattr(LocalStream, "write", late)
    with pytest.raises(ProbeError, match="there is no /nowhere/python"):
        played("/nowhere/python", tmp_path, "")


def test_what_is_sent_imports_nothing_of_ours() -> None:
    assert "from x11fwd" not in agent_text()
    code = "import sys; compile(sys.stdin.read(), 'agent', 'exec')"
    subprocess.run([sys.executable, "-c", code], input=agent_text(), text=True, check=True)


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_files_of_any_size_arrive_whole(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "s.py").write_text("import sys; sys.stdout.buffer.write(open('data', 'rb').read())")
    manifest = read_manifest(tmp_path, ["s.py", "data"])
    with RunSession(LocalTransport(), python=sys.executable, x11=False) as session:
        session.offer(manifest, "test", keep=False)
        session.hello()
        session.send(manifest.chunks(session.needed()), lambda _count: None)
        session.start(
            {"words": ["s.py"], "folder": "", "environment": {}, "modules": {}, "terminal": None, "fetch": []}
        )
        assert b"".join(piece for kind, piece in session.frames() if kind == b"O") == data


def settings(**more: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "words": ["s.py"],
        "folder": "",
        "environment": {},
        "modules": {},
        "terminal": None,
        "fetch": [],
    }
    return {**plain, **more}


def begun(session: RunSession, folder: Path, text: str, **more: object) -> None:
    """The script of this text, started."""
    (folder / "s.py").write_text(text)
    manifest = read_manifest(folder, ["s.py"])
    session.offer(manifest, "test", keep=False)
    session.hello()
    session.send(manifest.chunks(session.needed()), lambda _count: None)
    session.start(settings(**more))


@contextmanager
def limited(session: RunSession) -> Iterator[None]:
    """A script that waits for what never comes ends."""
    timer = threading.Timer(240, session.end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


TERMINAL = {"rows": 30, "columns": 100, "kind": "xterm-256color", "errors": True}


@pytest.mark.parametrize("python", pythons())
def test_a_terminal_has_its_size_its_keys_and_ctrl_c(python: str, tmp_path: Path) -> None:
    text = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print('now', tuple(os.get_terminal_size())))\n"
        "print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), os.environ['TERM'])\n"
        "print(tuple(os.get_terminal_size()))\n"
        "word = sys.stdin.readline()\n"
        "try:\n    print('said', word); time.sleep(600)\n"
        "except KeyboardInterrupt:\n    print('bye'); sys.exit(7)\n"
    )
    said, status = b"", -1
    steps: list[tuple[bytes, Callable[[], None]]] = []
    with RunSession(LocalTransport(), python=python, x11=False) as session, limited(session):
        begun(session, tmp_path, text, terminal=TERMINAL)
        keys: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        session.feed(lambda _limit: keys.get())
        # what comes, and what is done then
        steps = [
            (b"(100, 30)", lambda: session.resize(40, 120)),
            (b"now (120, 40)", lambda: keys.put(b"hello\r")),
            (b"said hello", lambda: keys.put(b"\x03")),
        ]
        for kind, data in session.frames():
            if kind == b"X":
                status = exit_status(data)
            else:
                assert kind == b"O"
                said += data
                if steps and steps[0][0] in said:
                    steps.pop(0)[1]()
        keys.put(b"")
    assert said.startswith(b"True True True xterm-256color\r\n")
    assert (status, steps) == (7, [])


def test_errors_that_go_elsewhere_are_kept_apart_from_the_terminal(tmp_path: Path) -> None:
    text = "import sys\nprint('out'); print('err', file=sys.stderr)\n"
    found = {b"O": b"", b"E": b"", b"X": b""}
    with RunSession(LocalTransport(), python=sys.executable, x11=False) as session:
        begun(session, tmp_path, text, terminal={**TERMINAL, "errors": False})
        for kind, data in session.frames():
            found[kind] += data
    assert (found[b"O"], found[b"E"]) == (b"out\r\n", b"err\n")


def test_leaving_ends_a_script_that_listens_to_nothing(tmp_path: Path) -> None:
    text = (
        "import signal, time\n"
        "for number in (2, 15): signal.signal(number, signal.SIG_IGN)\n"
        "print('up'); time.sleep(600)\n"
    )
    status = -1
    with RunSession(LocalTransport(), python=sys.executable, x11=False) as session, limited(session):
        begun(session, tmp_path, text, terminal=TERMINAL)
        for kind, data in session.frames():
            if kind == b"O" and b"up" in data:
                session.end()
            elif kind == b"X":
                status = exit_status(data)
    assert status == 137


# Hands over many states of a figure as the backend does, at once, and is killed.
STATES = """
import json, os, socket, struct
peer = socket.socket(socket.AF_UNIX); peer.connect(os.environ["X11FWD_INLINE"])
for number in range(200):
    about = {"id": "f", "kind": "rgba", "across": 3, "down": 2, "frame": number, "label": str(number)}
    words = json.dumps(about).encode()
    peer.sendall(struct.pack("!II", len(words), 24) + words + bytes([number, 0, 0, 255] * 6))
os.kill(os.getpid(), 9)
"""


def test_of_many_states_few_travel_and_the_last_one_always_does(tmp_path: Path) -> None:
    seen = []
    with RunSession(LocalTransport(), python=sys.executable, x11=False) as session:
        begun(session, tmp_path, STATES, modules={"x11fwd_inline.py": ""})
        for kind, data in session.frames():
            if kind == b"P" and (one := drawn(data)):
                seen.append(one)
    assert 1 <= len(seen) < 100
    assert (seen[-1].label, seen[-1].kind, seen[-1].frame) == ("199", "png", 199)
    assert seen[-1].dropped + len(seen) == 200
    assert size_of_png(seen[-1].data) == (3, 2)


def test_numbers_are_taken_off_the_picture_and_bounded() -> None:
    def frame(data: bytes, **more: object) -> bytes:
        words = json.dumps({"id": "f", "kind": "png", **more}).encode()
        return struct.pack("!I", len(words)) + words + data

    packed = zlib.compress(b'{"data": []}')
    one = drawn(frame(b"picture" + packed, numbers=len(packed)))
    assert one is not None
    assert (one.data, one.figure) == (b"picture", b'{"data": []}')
    bomb = zlib.compress(bytes(64 << 20))
    one = drawn(frame(b"picture" + bomb, numbers=len(bomb)))
    assert one is not None
    assert (one.data, one.figure) == (b"picture", b"")
    one = drawn(frame(b"picture", numbers=3))
    assert one is not None
    assert (one.data, one.figure) == (b"pict", b"")
    assert drawn(b"") is drawn(frame(b"", kind="exe")) is drawn(b"\0\0\0\x05nojso") is None
