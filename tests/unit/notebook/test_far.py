"""The far half as it is sent, under every Python there is, with a JupyterLab of cardboard."""

from __future__ import annotations

import ast
import http.client
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ProbeError
from x11fwd.notebook.forward import Forwarder, listen_on
from x11fwd.pipeline.jupyter_session import FarJupyter, Ready, far_text
from x11fwd.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.notebook.conftest import HereTransport

GPU = Target("gpu1", "gpu1")


def interpreters() -> list[str]:
    """The one that runs the tests, and of pyenv's the oldest from 3.6 on and the newest."""
    folders = {Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")), Path.home() / ".pyenv"}
    paths = {path for folder in folders for path in folder.glob("versions/3.*/bin/python3")}
    found = [str(path) for path in sorted(paths, key=lambda path: int(path.parts[-3].split(".")[1]))]
    return list(dict.fromkeys([sys.executable, *found[:1], *found[-1:]]))


def quiet(_text: str) -> None: ...


class Nobody:
    def accept_host_key(self, question: object) -> bool:
        return False

    def secret(self, prompt: str) -> str | None:
        return None

    visible = secret

    def notice(self, text: str) -> None: ...


def login(python: str = "") -> FarJupyter:
    return FarJupyter(GPU, Nobody(), choice="auto", python=python, silence=30)


def asked(
    ready: Ready, far: FarJupyter, path: str, data: bytes | None = None, token: str = ""
) -> tuple[int, bytes]:
    """Status and body of one request through the forwarding."""
    forwarder = Forwarder(listen_on(0, exactly=True))
    try:
        forwarder.attach(far.line)
        connection = http.client.HTTPConnection("127.0.0.1", forwarder.port, timeout=90)
        headers = {"Authorization": f"token {token}"} if token else {}
        connection.request("GET" if data is None else "POST", path, body=data, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        forwarder.close()


def test_the_parts_of_the_program_define_no_name_twice() -> None:
    defined = [
        node.name for node in ast.parse(far_text()).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    assert sorted(defined) == sorted(set(defined))


@pytest.mark.parametrize("python", interpreters())
def test_a_server_is_started_reached_listed_and_stopped(
    here: Callable[..., list[HereTransport]], home: Path, python: str
) -> None:
    here(python)
    (home / "über" / "a b").mkdir(parents=True)
    with login() as far:
        assert far.servers(quiet) == ()
        ready = far.open(quiet, folder="über/a b")
        assert ready is not None
        assert (ready.started, ready.server.kind, ready.server.kernels) == (True, "JupyterLab", 2)
        assert (ready.server.ours, ready.server.socket, ready.server.root) == (True, True, str(home))
        assert ready.page == "/lab/tree/%C3%BCber/a%20b"
        assert ready.token not in repr(ready)
        assert ready.address(1234) == f"http://127.0.0.1:1234{ready.page}?token={ready.token}"
        assert asked(ready, far, "/api/status")[0] == 403
        assert asked(ready, far, "/lab", token=ready.token)[0] == 200
        data = os.urandom(1 << 20)
        assert asked(ready, far, "/echo", data) == (200, data)
    # it outlives the login; what led to its token is gone
    state = home / ".local/state/x11fwd/jupyter"
    assert not list(state.glob("token-*"))
    assert state.stat().st_mode & 0o777 == 0o700
    assert not [one for one in state.iterdir() if ready.token in one.read_text()]
    with login() as far:
        again = far.open(quiet)
        assert again is not None
        assert (again.started, again.server.pid, again.token) == (False, ready.server.pid, ready.token)
        (server,) = far.servers(quiet)
        assert far.stop([server], quiet) == ()
        assert far.servers(quiet) == ()
    assert [one.name for one in state.iterdir()] == ["lock"]


def test_a_server_that_has_ended_is_not_replaced_behind_the_pages_back(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    here()
    with login() as far:
        ready = far.open(quiet)
        assert ready is not None
        assert far.stop([ready.server], quiet) == ()
    with login() as far:
        assert far.open(quiet, again=ready.server) is None


def test_where_no_socket_can_be_had_it_listens_on_this_machine_alone(
    here: Callable[..., list[HereTransport]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here()
    monkeypatch.setenv("FAKE_LAB", "no sockets")
    with login() as far:
        ready = far.open(quiet)
        assert ready is not None
        assert (ready.server.socket, ready.server.port > 0) == (False, True)
        assert asked(ready, far, "/lab", token=ready.token)[0] == 200
        far.stop([ready.server], quiet)


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(
    here: Callable[..., list[HereTransport]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here()
    monkeypatch.setenv("FAKE_LAB", "broken")
    with (
        login() as far,
        pytest.raises(ProbeError, match="does not start: ImportError: no module named 'tornado'"),
    ):
        far.open(quiet)
    assert [one.name for one in (home / ".local/state/x11fwd/jupyter").iterdir()] == ["lock"]


def test_one_that_asks_for_nothing_is_not_opened_to_this_machine(
    here: Callable[..., list[HereTransport]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here()
    monkeypatch.setenv("FAKE_LAB", "unguarded")
    with login() as far:
        with pytest.raises(ProbeError, match="neither token nor password"):
            far.open(quiet)
        (server,) = far.servers(quiet)
        assert server.state == "unguarded"
        far.stop([server], quiet)


def test_without_a_jupyter_the_way_to_one_is_said(
    here: Callable[..., list[HereTransport]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here("/usr/bin/python3" if not Path(sys.executable).is_relative_to("/usr") else sys.executable)
    monkeypatch.setenv("PYTHONPATH", "")
    with login() as far, pytest.raises(ProbeError, match="no JupyterLab and no Notebook") as caught:
        far.open(quiet)
    assert "`--install`" in caught.value.hint


def test_a_folder_that_is_not_there_is_named(here: Callable[..., list[HereTransport]], home: Path) -> None:
    here()
    with login() as far, pytest.raises(ProbeError, match="there is no thesis"):
        far.open(quiet, folder="thesis")


def test_a_file_about_a_dead_or_foreign_server_is_passed_over(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    here()
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    for pid, text in (
        (4_000_000, json.dumps({"pid": 4_000_000, "port": 8888, "token": "x"})),
        # a process of ours, and a port at which it does not listen
        (os.getpid(), json.dumps({"pid": os.getpid(), "port": 1, "token": "x"})),
        (1, "no json"),
        (2, "[]"),
    ):
        (runtime / f"jpserver-{pid}.json").write_text(text)
    with login() as far:
        assert far.servers(quiet) == ()
