"""Who may be trusted with a token."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from x11fwd.notebook.far import servers, starting
from x11fwd.notebook.far.servers import Server


def test_a_port_that_became_somebody_elses_gets_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server("", {"pid": os.getpid(), "port": listener.getsockname()[1], "token": "secret"})
        server.connect().close()
        monkeypatch.setattr("x11fwd.notebook.far.servers.os.getuid", lambda: 54321)
        with pytest.raises(OSError, match="somebody else's"):
            server.connect()


def test_a_socket_that_became_somebody_elses_gets_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        server = Server("", {"pid": os.getpid(), "sock": str(path)})
        server.connect().close()
        monkeypatch.setattr("x11fwd.notebook.far.servers.os.getuid", lambda: 54321)
        with pytest.raises(OSError, match="somebody else's"):
            server.connect()
    path.unlink()
    path.write_text("")
    monkeypatch.undo()
    with pytest.raises(OSError, match="somebody else's"):
        server.connect()


def test_every_folder_in_which_servers_may_tell_of_themselves_is_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/r")
    monkeypatch.setenv("JUPYTER_DATA_DIR", "/d")
    monkeypatch.setenv("XDG_DATA_HOME", "/x")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setattr("sys.platform", "linux")
    assert servers.jupyter_folders() == ["/r", "/d/runtime", "/x/jupyter/runtime", "/run/user/7/jupyter"]
    monkeypatch.setattr("sys.platform", "darwin")
    assert f"{os.environ['HOME']}/Library/Jupyter/runtime" in servers.jupyter_folders()


def test_who_looks_while_a_server_is_noted_down_forgets_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--list` and `--stop` wait for nobody, so that one beside a start may come between any two bytes."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = Path(starting.state_folder())
    record = {"pid": os.getpid(), "ticks": servers.ticks(os.getpid()), "host": socket.gethostname()}
    record["path"] = str(folder / "here-7.json")
    seen: list[int] = []

    def dump(what: object, file: IO[str]) -> None:
        text = json.dumps(what)
        for at in range(len(text)):
            file.write(text[at])
            file.flush()
            seen.append(len(starting.records()))

    monkeypatch.setattr(starting, "json", SimpleNamespace(dump=dump, loads=json.loads))
    starting.note(record)
    assert sum(seen) == 0
    assert starting.records() == [record]
    assert [one.name for one in folder.iterdir()] == ["here-7.json"]


def test_only_what_its_root_holds_can_be_shown(tmp_path: Path) -> None:
    server = Server("", {"pid": 7, "root_dir": str(tmp_path / "a")})
    assert server.holds(str(tmp_path / "a" / "b"))
    assert server.holds(str(tmp_path / "a"))
    assert not server.holds(str(tmp_path / "ab"))
