"""A notebook server over there in the browser here, until the person has enough; imported by the cli.

The server outlives the connection and this program. A thread keeps the line: when it drops, it connects again
for as long as it takes, and the local address stays.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import AuthError, ConnectError, HostKeyError, ProbeError, X11fwdError
from x11fwd.notebook.forward import Forwarder, listen_on
from x11fwd.pipeline.jupyter_ports import recall, remember
from x11fwd.pipeline.jupyter_session import FarJupyter, NotebookServer, Ready
from x11fwd.pipeline.unattended import Unattended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter
    from x11fwd.transports.choose import Preference

__all__ = [
    "JupyterOptions",
    "JupyterShown",
    "Opened",
    "Stopped",
    "list_servers",
    "open_notebook",
    "stop_servers",
]

_SILENT = 20.0  # seconds; the far half is asked every 4, and its machine may be busy
_BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True)
class JupyterOptions:
    """What is asked.

    Attributes:
        folder: what the page shall show, over there; `""` for anything.
        python: whose Jupyter; `""` for any that is found.
        install: put one there where x11fwd has not yet.
        port: of this machine; 0 for the last one or a free one.
    """

    folder: str = ""
    python: str = ""
    install: bool = False
    port: int = 0
    transport: Preference = "auto"


@dataclass(frozen=True)
class Opened:
    """How a forwarding ended: by the person (Ctrl-C), or because the server did."""

    ready: Ready
    port: int
    by_person: bool

    @property
    def exit_code(self) -> int:
        return 0 if self.by_person else 1


@dataclass(frozen=True)
class Stopped:
    """Attributes: stopped, kept (the person wanted that), left (it did not end)."""

    stopped: tuple[NotebookServer, ...]
    kept: tuple[NotebookServer, ...]
    left: tuple[NotebookServer, ...]

    @property
    def exit_code(self) -> int:
        return 1 if self.kept or self.left else 0


class JupyterShown(Protocol):
    """Whoever shows it; called from the main thread."""

    def progress(self, text: str) -> None: ...

    def ready(self, ready: Ready, port: int) -> None: ...

    def line_down(self, why: str) -> None: ...

    def line_back(self) -> None: ...

    def may_stop(self, server: NotebookServer) -> bool:
        """Whether a server that we did not start may be ended."""
        ...


def list_servers(
    target: Target, options: JupyterOptions, prompter: Prompter, progress: Callable[[str], None]
) -> tuple[NotebookServer, ...]:
    """What of this user's runs over there.

    Raises:
        ConnectError and its children, ProbeError.
    """
    progress(f"connecting to {target.typed}")
    with _far(target, options, prompter) as far:
        progress(f"looking on {target.host}")
        return far.servers(progress)


def stop_servers(target: Target, options: JupyterOptions, prompter: Prompter, shown: JupyterShown) -> Stopped:
    """End what we started over there, and of the rest what the person agrees to.

    Raises:
        ConnectError and its children, ProbeError.
    """
    shown.progress(f"connecting to {target.typed}")
    with _far(target, options, prompter) as far:
        found = far.servers(shown.progress)
        ours = [one for one in found if one.ours]
        # where some are ours, those are meant
        wanted = ours or [one for one in found if shown.may_stop(one)]
        left = set(far.stop(wanted, shown.progress)) if wanted else set()
    return Stopped(
        tuple(one for one in wanted if one.pid not in left),
        tuple(one for one in found if not ours and one not in wanted),
        tuple(one for one in wanted if one.pid in left),
    )


def open_notebook(
    target: Target,
    options: JupyterOptions,
    prompter: Prompter,
    shown: JupyterShown,
    environ: Mapping[str, str],
) -> Opened:
    """Find or start a server, serve it at a port of this machine, and return when that is over.

    Raises:
        UsageError: the port is taken.
        ConnectError and its children: nobody could log in, or not again after the line dropped.
        ProbeError, ChangeError: there is no server to be had.
    """
    with contextlib.ExitStack() as stack:
        listener = listen_on(options.port, exactly=True) if options.port else None
        if listener is not None:
            stack.callback(listener.close)
        shown.progress(f"connecting to {target.typed}")
        far = stack.enter_context(_far(target, options, prompter))
        shown.progress(f"looking for Jupyter on {target.host}")
        ready = far.open(shown.progress, folder=options.folder, install=options.install)
        if ready is None:
            raise ProbeError(f"the Jupyter server on {target.host} ended while it was looked at")
        config = far.transport.config
        name = f"{config.user}@{config.hostname}:{config.port} {ready.server.root}"
        if listener is None:
            listener = listen_on(recall(name, environ), exactly=False)
        forwarder = Forwarder(listener)
        stack.callback(forwarder.close)
        remember(name, forwarder.port, environ)
        forwarder.attach(far.line)
        keeper = _Keeper(target, options, far, ready.server, forwarder)
        stack.callback(keeper.close)
        try:
            shown.ready(ready, forwarder.port)
            while True:
                # in steps: Python hears of Ctrl-C only between them
                with contextlib.suppress(queue.Empty):
                    news = keeper.news.get(timeout=0.2)
                    if isinstance(news, X11fwdError):
                        raise news
                    if news is None:
                        return Opened(ready, forwarder.port, by_person=False)
                    if news:
                        shown.line_down(news)
                    else:
                        shown.line_back()
        except KeyboardInterrupt:
            return Opened(ready, forwarder.port, by_person=True)


def _far(target: Target, options: JupyterOptions, prompter: Prompter) -> FarJupyter:
    return FarJupyter(target, prompter, choice=options.transport, python=options.python, silence=_SILENT)


class _Keeper:
    """Watches the line in a thread, and makes a new one when it drops.

    Attributes:
        news: a sentence when the line went down, `""` when it is back, None when the server has ended, an
            error where nobody can log in any more without the person.
    """

    def __init__(
        self,
        target: Target,
        options: JupyterOptions,
        far: FarJupyter,
        server: NotebookServer,
        forwarder: Forwarder,
    ) -> None:
        self._target, self._options, self._server = target, options, server
        self._far: FarJupyter | None = far
        self._forwarder = forwarder
        self._stop = threading.Event()
        self.news: queue.SimpleQueue[str | X11fwdError | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="x11fwd-jupyter", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._far is None or self._far.gone():
                    self.news.put(None)
                    return
                if not self._far.line.ended.wait(0.2):
                    continue
                problem = self._far.line.problem
                self._forwarder.detach()
                self.news.put(problem.message if problem else "the line is down")
                self._far.close()
                self._far = self._again()
                if self._far is not None:
                    self.news.put("")
        except X11fwdError as error:
            self.news.put(error)
        except Exception as error:  # noqa: BLE001  a thread's bug must reach the person, not vanish
            self.news.put(X11fwdError(f"jupyter itself failed: {error!r}"))
        finally:
            if self._far is not None:
                self._far.close()

    def _again(self) -> FarJupyter | None:
        """A new line to the same server; None where that has ended, or nobody wants it any more."""
        tries, far = 0, None
        while not self._stop.wait(_BACK_OFF[min(tries, len(_BACK_OFF) - 1)]):
            tries += 1
            far = None
            try:
                far = _far(self._target, self._options, Unattended())
                ready = far.open(lambda _: None, again=self._server)
                if ready is None:
                    break
                self._forwarder.attach(far.line)
            except (AuthError, HostKeyError) as error:
                raise type(error)(
                    f"the line came back, and logging in again needs you: {error.message}",
                    hint=f"`x11fwd jupyter {self._target.typed}` once more; the server goes on",
                ) from error
            except ConnectError:
                if far is not None:
                    far.close()
            else:
                return far
        if far is not None:
            far.close()
        return None
