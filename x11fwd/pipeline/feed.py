"""One machine's news, read in a thread of its own through dropped lines; the base of `watch` and `show`."""

from __future__ import annotations

import queue
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from x11fwd.errors import ConnectError, X11fwdError
from x11fwd.pipeline.unattended import Unattended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.target import Target
    from x11fwd.transports.base import ByteStream, Prompter, Transport
    from x11fwd.transports.choose import Preference

__all__ = ["Feed"]

SILENT = 20.0  # seconds; the far half speaks every 3, and its machine may be busy
BEGIN = 6  # times as long for the login shell and Python over there to start
LOGIN = 30.0  # seconds
BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two tries to connect again
_STEP = 0.25  # seconds after which a waiting thread sees that it is to stop

_News = TypeVar("_News")


class Feed(ABC):
    """What is followed on one machine.

    Args:
        target: None for this machine.
        command: what to start there.
        name: of the command that a person typed, for sentences.
        once: a line that stays down is told as an error in the end, instead of being tried for ever.
    """

    def __init__(
        self, target: Target | None, command: Sequence[str], *, name: str, transport: Preference, once: bool
    ) -> None:
        self._target, self._command, self._choice = target, command, transport
        self._name, self._once = name, once
        self._transport: Transport | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"x11fwd-{name}", daemon=True)

    def start(self, prompter: Prompter) -> None:
        """Connect, in this thread, where somebody can be asked; then go on in another.

        Raises:
            ConnectError and its children: the machine could not be reached.
        """
        self._connect(prompter)
        self._thread.start()

    def close(self) -> None:
        """End it; a step at a time, so that Ctrl-C is heard meanwhile."""
        self._stop.set()
        if self._thread.ident is None:  # Ctrl-C came before it began
            self._leave()
            return
        end = time.monotonic() + 5.0
        while self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(0.2)

    # --- what a kind of feed does -----------------------------------------------------------------------

    @abstractmethod
    def attach(self, stream: ByteStream) -> None:
        """Go on over a new stream, from where the last one ended."""

    @abstractmethod
    def detach(self) -> None:
        """Close the stream; what is known stays."""

    @abstractmethod
    def take(self, timeout: float) -> None:
        """Tell what has come. Raises TimeoutError: nothing came within `timeout` seconds; ConnectionLost."""

    @abstractmethod
    def failed(self, error: X11fwdError) -> None:
        """It is over, and this is why."""

    @abstractmethod
    def dropped(self) -> None:
        """The line is down, and will be tried again."""

    @abstractmethod
    def resumed(self) -> None:
        """The line is up again."""

    def put(self, news: queue.Queue[_News], one: _News) -> None:
        """Hand something to the main thread, which may be behind, unless it has gone."""
        while not self._stop.is_set():
            try:
                news.put(one, timeout=_STEP)
                return
            except queue.Full:  # noqa: PERF203  each turn is a wait
                continue

    # --- the thread -------------------------------------------------------------------------------------

    def _connect(self, prompter: Prompter) -> None:
        if self._target is None:
            from x11fwd.transports.local import LocalTransport

            self._transport = LocalTransport()
        else:
            from x11fwd.transports.choose import connect

            self._transport = connect(self._target, prompter=prompter, choice=self._choice, timeout=LOGIN)
        self.attach(self._transport.stream(self._command))

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                if self._transport is None:
                    self._connect(Unattended())
                self._take(BEGIN * SILENT)
                if tries:
                    self.resumed()
                tries = 0
                while not self._stop.is_set():
                    self._take(SILENT)
            except (ConnectError, TimeoutError) as error:  # noqa: PERF203  each turn is a connection
                self._leave()
                if self._once and tries >= len(BACK_OFF):
                    self.failed(self._sentence(error))
                    return
                if not tries:
                    self.dropped()
                self._stop.wait(BACK_OFF[min(tries, len(BACK_OFF) - 1)])
                tries += 1
            except X11fwdError as error:
                self.failed(error)
                break
            except Exception as error:  # noqa: BLE001  a thread's bug must reach the person, not vanish
                self.failed(X11fwdError(f"{self._name} itself failed: {error!r}"))
                break
        self._leave()

    def _take(self, patience: float) -> None:
        # Counted, not by the clock: when this process was stopped for a while, what came may not be read yet.
        left = patience
        while not self._stop.is_set():
            try:
                self.take(_STEP)
                return
            except TimeoutError:  # noqa: PERF203  each turn is a wait
                left -= _STEP
                if left < 0:
                    raise

    def _leave(self) -> None:
        self.detach()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _sentence(self, error: BaseException) -> X11fwdError:
        if isinstance(error, X11fwdError):
            return error
        host = self._target.host if self._target else "this machine"
        return ConnectError(f"{host} does not answer any more")
