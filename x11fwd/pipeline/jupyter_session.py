"""The far half of `jupyter` on one login, and what it says, taken apart; pipeline/jupyter.py imports it."""

from __future__ import annotations

import contextlib
import queue
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ConnectionLost, ProbeError, X11fwdError
from x11fwd.notebook.line import Line
from x11fwd.pipeline.run_start import open_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from x11fwd.target import Target
    from x11fwd.transports.base import ByteStream, Prompter, Transport
    from x11fwd.transports.choose import Preference

__all__ = ["FarJupyter", "NotebookServer", "Ready", "far_text"]

# In the order in which they become one program.
_PARTS = ("wire", "relay", "servers", "starting", "installing", "agent")
_OURS = re.compile(r"^from x11fwd\..*\n", re.MULTILINE)
_LONGEST = 500  # characters of a sentence from over there
_PAGE = re.compile(r"/[!-~]{0,4000}")
_TOKEN = re.compile(r"[!-~]{0,500}")


@dataclass(frozen=True)
class NotebookServer:
    """A Jupyter server over there.

    Attributes:
        ticks: with the pid this names its process for good.
        kind: `JupyterLab`, `Notebook` or `Jupyter`.
        state: `open`, `password` (it asks for one) or `unguarded` (it asks for nothing).
        since, active: when it started and was last used, ISO 8601.
        ours: x11fwd started it.
        socket: it listens on a unix socket, else at `port`.
    """

    pid: int
    ticks: int
    kind: str
    root: str
    state: str
    kernels: int
    since: str
    active: str
    version: str
    ours: bool
    socket: bool
    port: int


@dataclass(frozen=True)
class Ready:
    """A server that lets the browser in.

    Attributes:
        host: what the machine calls itself.
        page: path of the page to open.
        token: `""` where it takes a password.
        started: just now, by us.
        warning: a sentence, or `""`.
    """

    server: NotebookServer
    host: str
    page: str
    token: str = field(repr=False)
    secure: bool
    password: bool
    started: bool
    warning: str

    def address(self, port: int) -> str:
        """Of the page, through a port of this machine; it holds the token."""
        scheme = "https" if self.secure else "http"
        query = f"?token={_quoted(self.token)}" if self.token else ""
        return f"{scheme}://127.0.0.1:{port}{self.page}{query}"


class FarJupyter:
    """A login with the far half running; a context manager that ends both.

    Args:
        python: the interpreter over there, `""` for the login shell's.
        silence: seconds without a word after which the line is dead.

    Raises:
        ConnectError and its children: nobody could log in.
    """

    def __init__(
        self, target: Target, prompter: Prompter, *, choice: Preference, python: str, silence: float
    ) -> None:
        from x11fwd.transports.choose import connect

        self._host, self._python = target.host, python
        self.transport: Transport = connect(target, prompter=prompter, choice=choice, timeout=30.0)
        try:
            self._stream: ByteStream = open_python(self.transport, far_text(), python)
        except BaseException:
            self.transport.close()
            raise
        self.line = Line(self._stream, self._early, silence=silence)

    def __enter__(self) -> FarJupyter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.line.close()
        self.transport.close()

    def servers(self, progress: Callable[[str], None]) -> tuple[NotebookServer, ...]:
        """What runs over there. Raises ProbeError, ConnectionLost."""
        self.line.order({"do": "list"})
        found = self._answer("servers", progress)["servers"]
        return tuple(_server(one) for one in found) if isinstance(found, list) else ()

    def stop(self, which: Sequence[NotebookServer], progress: Callable[[str], None]) -> tuple[int, ...]:
        """End them. Returns the pids of those that did not end. Raises as `servers`."""
        self.line.order({"do": "stop", "which": [{"pid": one.pid, "ticks": one.ticks} for one in which]})
        left = self._answer("left", progress)["left"]
        return tuple(one for one in left if isinstance(one, int)) if isinstance(left, list) else ()

    def open(
        self,
        progress: Callable[[str], None],
        *,
        folder: str = "",
        install: bool = False,
        again: NotebookServer | None = None,
    ) -> Ready | None:
        """Find or start a server, and let connections in.

        Args:
            folder: what its page shall show; `""` for anything.
            again: only this one will do; None comes back where it has ended.

        Raises:
            ChangeError: it could not be installed.
            ProbeError: there is none, or it does not start.
            ConnectionLost: the line went dead.
        """
        self.line.order(
            {
                "do": "open",
                "folder": folder,
                "install": install,
                "only": bool(self._python),
                "again": {"pid": again.pid, "ticks": again.ticks} if again else None,
            }
        )
        answer = self._answer("ready", progress, or_else="gone")
        return None if "gone" in answer else _ready(answer["ready"])

    def gone(self) -> bool:
        """Whether the far half has said that the server has ended."""
        with contextlib.suppress(queue.Empty):
            while "gone" not in self.line.messages.get_nowait():
                pass
            return True
        return False

    def _answer(self, name: str, progress: Callable[[str], None], or_else: str = "") -> Mapping[str, object]:
        while True:
            try:
                about = self.line.messages.get(timeout=0.2)
            except queue.Empty:
                if self.line.ended.is_set() and self.line.messages.empty():
                    raise self.line.problem or ConnectionLost("the connection has ended") from None
                continue
            if "doing" in about:
                progress(f"{_words(about['doing'])} on {self._host}")
            elif "problem" in about:
                kind = ChangeError if about.get("change") else ProbeError
                raise kind(f"{self._host}: {_words(about['problem'])}", hint=_words(about.get("hint")))
            elif name in about or (or_else and or_else in about):
                return about

    def _early(self) -> X11fwdError:
        """Why the stream ended before the far half spoke."""
        try:
            status = self._stream.wait(5.0)
        except (TimeoutError, X11fwdError):
            status = -1
        if status == 127:
            return ProbeError(
                f"there is no {self._python or 'python3'} on {self._host}",
                hint="`--python PATH` names one; `x11fwd doctor` lists what is there",
            )
        if status == 3:
            return ProbeError(
                f"{self._python or 'Python'} on {self._host} is older than 3.6",
                hint="`--python PATH` names another one",
            )
        lines = self._stream.stderr().decode("utf-8", "replace").strip().splitlines()
        return ConnectionLost(
            f"the far half on {self._host} ended (status {status}){f': {lines[-1][:300]}' if lines else ''}"
        )


def far_text() -> str:
    """The program for the other side."""
    text = "".join(_resource("x11fwd.notebook", f"far/{name}.py") for name in _PARTS)
    return _OURS.sub("", text) + "\nos._exit(main())\n"


def _ready(about: object) -> Ready:
    if not isinstance(about, dict):
        raise _strange(about)
    page, token = about.get("page"), about.get("token")
    if not (isinstance(page, str) and _PAGE.fullmatch(page) and isinstance(token, str)):
        raise _strange("a page that is none")
    if not _TOKEN.fullmatch(token):
        raise _strange("a token that is none")
    return Ready(
        _server(about),
        _words(about.get("host")),
        page,
        token,
        secure=about.get("secure") is True,
        password=about.get("password") is True,
        started=about.get("started") is True,
        warning=_words(about.get("warning")),
    )


def _server(about: object) -> NotebookServer:
    if not isinstance(about, dict):
        raise _strange(about)

    def number(name: str) -> int:
        value = about.get(name)
        if not isinstance(value, int) or not 0 <= value < 1 << 62:
            raise _strange(f"{name} is {value!r}")
        return value

    return NotebookServer(
        pid=number("pid"),
        ticks=number("ticks"),
        kind=_words(about.get("kind")),
        root=_words(about.get("root")),
        state=_words(about.get("state")),
        kernels=number("kernels"),
        since=_words(about.get("since")),
        active=_words(about.get("active")),
        version=_words(about.get("version")),
        ours=about.get("ours") is True,
        socket=about.get("socket") is True,
        port=number("port"),
    )


def _words(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _strange(value: object) -> ProbeError:
    return ProbeError("the far half said something that cannot be understood", said=repr(value)[:200])


def _quoted(text: str) -> str:
    import urllib.parse

    return urllib.parse.quote(text, safe="")


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
