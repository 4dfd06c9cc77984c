"""Both halves of `run` on this machine, with every Python from 3.6 that is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from x11fwd.errors import ProbeError
from x11fwd.pipeline.run_session import RunSession, agent_text, exit_status
from x11fwd.project.manifest import read_manifest
from x11fwd.transports.local import LocalTransport


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
            "backend": "",
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
        session.start({"words": ["s.py"], "folder": "", "environment": {}, "backend": "", "fetch": []})
        assert b"".join(piece for kind, piece in session.frames() if kind == b"O") == data
