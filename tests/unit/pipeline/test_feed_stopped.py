"""A feed that Ctrl-C meets before its thread has begun leaves nothing that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.pipeline.feed import Feed
from x11fwd.pipeline.show import ShowOptions, run_show
from x11fwd.pipeline.show_board import Source
from x11fwd.pipeline.unattended import Unattended
from x11fwd.transports.local import LocalStream, LocalTransport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from x11fwd.transports.base import Prompter


class Nothing:
    """Shows nothing."""

    def put(self, item: object) -> None: ...

    def remove(self, item_id: str) -> None: ...

    def pulse(self) -> bool:
        return True


def test_what_was_started_on_the_machine_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[LocalStream] = []
    stream = LocalTransport.stream

    def noted(self: LocalTransport, argv: Sequence[str], *, x11: bool = False) -> LocalStream:
        started.append(stream(self, argv, x11=x11))
        return started[-1]

    def start(self: Feed, prompter: Prompter) -> None:
        self._connect(prompter)
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalTransport, "stream", noted)
    monkeypatch.setattr(Feed, "start", start)
    sources = [Source("a.png", None, str(tmp_path / "a.png"))]
    with pytest.raises(KeyboardInterrupt):
        run_show(sources, ShowOptions(), Unattended(), Nothing(), drawing="")
    (one,) = started
    assert one._process.poll() is not None
