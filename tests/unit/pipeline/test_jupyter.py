"""A notebook kept open: its line, its address, its end; with a JupyterLab of cardboard on this machine."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.unit.notebook.conftest import here, home
from tests.unit.notebook.test_far import GPU, Nobody
from x11fwd.errors import AuthError, ConnectError, UsageError
from x11fwd.notebook.forward import listen_on
from x11fwd.pipeline import jupyter
from x11fwd.pipeline.jupyter import JupyterOptions, list_servers, open_notebook, stop_servers
from x11fwd.pipeline.jupyter_ports import recall, remember

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.notebook.conftest import HereTransport
    from x11fwd.pipeline.jupyter_session import NotebookServer, Ready

__all__ = ["here", "home"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jupyter, "_BACK_OFF", (0.05,))


class Shown:
    """Writes down what it is told; `at` says what happens then."""

    def __init__(self, **at: Callable[[], None]) -> None:
        self.at = at
        self.told: list[str] = []
        self.opened: Ready | None = None
        self.port = 0
        self.agrees = False

    def tell(self, what: str) -> None:
        self.told.append(what)
        self.at.get(what, lambda: None)()

    def progress(self, text: str) -> None: ...

    def ready(self, ready: Ready, port: int) -> None:
        self.opened, self.port = ready, port
        self.tell("ready")

    def line_down(self, why: str) -> None:
        self.tell("down")

    def line_back(self) -> None:
        self.tell("back")

    def may_stop(self, server: NotebookServer) -> bool:
        self.tell("may stop")
        return self.agrees

    def status(self) -> int:
        """What the page answers at its address."""
        assert self.opened is not None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/lab")
        request.add_header("Authorization", f"token {self.opened.token}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)


def ctrl_c() -> None:
    raise KeyboardInterrupt


def stop() -> None:
    stop_servers(GPU, JupyterOptions(), Nobody(), Shown())


def test_a_cut_line_comes_back_at_the_same_address_and_ctrl_c_leaves_the_server(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    logins = here()

    def works_then_cut() -> None:
        assert shown.status() == 200
        logins[0].streams[0].close()

    def works_then_done() -> None:
        assert shown.status() == 200
        ctrl_c()

    shown = Shown(ready=works_then_cut, back=works_then_done)
    result = open_notebook(GPU, JupyterOptions(), Nobody(), shown, os.environ)
    assert (shown.told, result.by_person, result.exit_code) == (["ready", "down", "back"], True, 0)
    (server,) = list_servers(GPU, JupyterOptions(), Nobody(), lambda _text: None)
    assert server.pid == result.ready.server.pid
    # the next time it has the same port
    again = Shown(ready=ctrl_c)
    open_notebook(GPU, JupyterOptions(), Nobody(), again, os.environ)
    assert again.port == shown.port
    stop()
    with pytest.raises(urllib.error.URLError):
        shown.status()


def test_the_end_of_the_server_is_the_end_of_the_forwarding(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    here()
    result = open_notebook(GPU, JupyterOptions(), Nobody(), Shown(ready=stop), os.environ)
    assert (result.by_person, result.exit_code) == (False, 1)


def test_a_login_that_needs_the_person_again_says_so(
    here: Callable[..., list[HereTransport]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = here()
    tries: list[int] = []

    def refuse(*_args: object, **_more: object) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectError("no route to host")
        raise AuthError("gpu1 does not let you in")

    def cut() -> None:
        monkeypatch.setattr("x11fwd.transports.choose.connect", refuse)
        logins[0].streams[0].close()

    with pytest.raises(AuthError, match="logging in again needs you: gpu1 does not let you in") as caught:
        open_notebook(GPU, JupyterOptions(), Nobody(), Shown(ready=cut), os.environ)
    assert "`x11fwd jupyter gpu1` once more" in caught.value.hint
    here()
    stop()


def test_servers_of_others_are_stopped_only_where_the_person_agrees(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    here()
    open_notebook(GPU, JupyterOptions(), Nobody(), Shown(ready=ctrl_c), os.environ)
    for record in (home / ".local/state/x11fwd/jupyter").glob("*.json"):
        record.unlink()
    shown = Shown()
    result = stop_servers(GPU, JupyterOptions(), Nobody(), shown)
    assert (shown.told, len(result.kept), result.exit_code) == (["may stop"], 1, 1)
    shown.agrees = True
    result = stop_servers(GPU, JupyterOptions(), Nobody(), shown)
    assert (len(result.stopped), result.exit_code) == (1, 0)


def test_a_taken_port_is_found_out_before_anybody_logs_in(
    here: Callable[..., list[HereTransport]], home: Path
) -> None:
    logins = here()
    with listen_on(0, exactly=True) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="is taken"):
            open_notebook(GPU, JupyterOptions(port=port), Nobody(), Shown(), os.environ)
    assert logins == []


def test_ports_are_remembered_and_a_broken_memory_is_none(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert recall("gpu1", environ) == 0
    remember("gpu1", 4711, environ)
    remember("gpu2", 4712, environ)
    assert (recall("gpu1", environ), recall("gpu2", environ)) == (4711, 4712)
    file = tmp_path / "x11fwd/jupyter.json"
    assert file.stat().st_mode & 0o777 == 0o600
    for text in ("", "[]", '{"ports": {"gpu1": "x"}}', '{"ports": {"gpu1": 70000}}'):
        file.write_text(text)
        assert recall("gpu1", environ) == 0
    remember("gpu1", 4713, {"HOME": "/nowhere/that/is"})
