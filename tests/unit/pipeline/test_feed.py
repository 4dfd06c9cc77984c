"""News from a machine that is slow, and from one that is silent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from x11fwd.pipeline import feed
from x11fwd.pipeline.feed import Feed

if TYPE_CHECKING:
    import pytest

    from x11fwd.errors import X11fwdError
    from x11fwd.transports.base import ByteStream, Prompter


class _Timed(Feed):
    """Each wait takes as long as it may, by a clock of its own; `quiet`: how long nothing comes, in turn."""

    def __init__(self, *quiet: float) -> None:
        super().__init__(None, ("true",), name="test", transport="auto", once=False)
        self.now, self.quiet = 0.0, list(quiet)
        self.until = self.quiet.pop(0)
        self.heard: list[str] = []
        self.over = threading.Event()

    def monotonic(self) -> float:
        return self.now

    def take(self, timeout: float) -> None:
        self.now += timeout
        if self.now < self.until:
            raise TimeoutError
        self.tell("taken")
        if self.quiet:
            self.until = self.now + self.quiet.pop(0)
        else:
            self.tell("over")

    def tell(self, what: str) -> None:
        self.heard.append(what)
        if what in {"over", "down"}:
            self.over.set()
            self._stop.set()

    def _connect(self, prompter: Prompter) -> None:
        pass

    def attach(self, stream: ByteStream) -> None: ...

    def detach(self) -> None: ...

    def dropped(self) -> None:
        self.tell("down")

    def resumed(self) -> None: ...

    def failed(self, error: X11fwdError) -> None:
        self.tell(f"failed: {error.message}")
        self.over.set()


def _heard(made: _Timed, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(feed, "time", made)
    made._thread.start()
    assert made.over.wait(60)
    return made.heard


def test_a_login_shell_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _heard(_Timed(60.0, 1.0), monkeypatch) == ["taken", "taken", "over"]


def test_a_machine_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _heard(_Timed(1.0, feed.SILENT + 5.0), monkeypatch) == ["taken", "down"]


def test_who_was_stopped_for_an_hour_has_heard_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z and fg: the clock has gone on, and what has come is read a moment later."""

    class Stopped(_Timed):
        def take(self, timeout: float) -> None:
            if not self.now and self.heard:
                self.now = 3600.0
                raise TimeoutError
            self.tell("over" if self.heard else "taken")

    assert _heard(Stopped(0.0), monkeypatch) == ["taken", "over"]
