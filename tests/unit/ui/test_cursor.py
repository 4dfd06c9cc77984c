"""A moving line that Ctrl-C meets at the wrong moment leaves the terminal with a cursor."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from x11fwd.render.model import Outcome, Status
from x11fwd.ui.hosts import HostsView
from x11fwd.ui.progress import Waiting
from x11fwd.ui.prompt import TerminalPrompter
from x11fwd.ui.render import RenderProgress

if TYPE_CHECKING:
    from collections.abc import Callable

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


def waiting(console: Console) -> None:
    with Waiting(TerminalPrompter(console), console) as line:
        line.now("connecting")


def rendering(console: Console) -> None:
    with RenderProgress(TerminalPrompter(console), console) as progress:
        progress.ended(Outcome(0, "0.png", Status.DRAWN), 1, 2)


def hosts(console: Console) -> None:
    with HostsView(["gpu1"], TerminalPrompter(console), console) as view:
        view.state("gpu1", "connecting")


@pytest.mark.parametrize("work", [waiting, rendering, hosts])
@pytest.mark.parametrize("moment", ["push_render_hook", "clear_live"], ids=["drawn", "put away"])
def test_ctrl_c_leaves_the_cursor(
    work: Callable[[Console], None], moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    goes_on = getattr(Console, moment)

    def interrupted(self: Console, *words: object) -> None:
        monkeypatch.setattr(Console, moment, goes_on)
        goes_on(self, *words)
        raise KeyboardInterrupt

    monkeypatch.setattr(Console, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        work(console)
    assert 0 <= out.getvalue().rfind(HIDE) < out.getvalue().rfind(SHOW)
