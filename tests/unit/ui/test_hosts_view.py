"""Lines of many hosts while a question about one of them stands on the screen."""

from __future__ import annotations

import io

from x11fwd.ui.console import answer_console
from x11fwd.ui.fleet import Ended, FleetView
from x11fwd.ui.prompt import TerminalPrompter


def test_a_host_that_ends_does_not_write_into_a_question() -> None:
    out = io.StringIO()
    console = answer_console(out)
    prompter = TerminalPrompter(console)
    view = FleetView(["gpu1", "gpu2"], prompter, console, console)
    with view:
        assert prompter.suspend is not None
        assert prompter.resume is not None
        prompter.suspend()
        out.write("Change gpu1 like this? [y/N/all] ")
        view.ended(Ended("gpu2", "ok", "ready", "already"))
        assert out.getvalue().endswith("[y/N/all] ")
        out.write("n\n")
        prompter.resume()
        assert [line.split()[1:3] for line in out.getvalue().splitlines()[1:]] == [["gpu2", "ready"]]


def test_what_waited_for_an_answer_is_shown_though_none_came() -> None:
    out = io.StringIO()
    console = answer_console(out)
    prompter = TerminalPrompter(console)
    view = FleetView(["gpu1", "gpu2"], prompter, console, console)
    with view:
        assert prompter.suspend is not None
        prompter.suspend()
        view.ended(Ended("gpu2", "ok", "ready", "already"))
    assert "gpu2 ready" in out.getvalue()
