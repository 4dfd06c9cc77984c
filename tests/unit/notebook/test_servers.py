"""Who may be trusted with a token."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from x11fwd.notebook.far import servers
from x11fwd.notebook.far.servers import Server

if TYPE_CHECKING:
    from pathlib import Path


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


def test_only_what_its_root_holds_can_be_shown(tmp_path: Path) -> None:
    server = Server("", {"pid": 7, "root_dir": str(tmp_path / "a")})
    assert server.holds(str(tmp_path / "a" / "b"))
    assert server.holds(str(tmp_path / "a"))
    assert not server.holds(str(tmp_path / "ab"))
