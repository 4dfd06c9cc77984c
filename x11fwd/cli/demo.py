"""`x11fwd demo`: the whole line on this machine alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x11fwd.cli.job import Job
from x11fwd.cli.options import Json, Verbose, Yes

if TYPE_CHECKING:
    from x11fwd.pipeline.demo_needs import Missing

__all__ = ["EXAMPLES", "demo"]

EXAMPLES = """
\b
Examples:
  x11fwd demo                          asks before it installs anything
  x11fwd demo --yes                    installs what is missing without asking
  x11fwd demo --screenshot plot.png    saves the picture there
"""


def demo(
    yes: Yes = False,
    screenshot: Annotated[
        Path,
        typer.Option("--screenshot", metavar="FILE.png", dir_okay=False, help="Where to save the picture."),
    ] = Path("x11fwd-demo.png"),
    verbose: Verbose = False,
    as_json: Json = False,
) -> Job:
    """Try it all on this machine; no server needed.

    Starts an sshd of your own on loopback, with X11 switched off, then finds out why no window comes, sets it
    up, logs in, and draws a plot that travels through ssh to your screen, or to an unseen one where you have
    none. Needs no root, and leaves nothing behind but the picture.
    """

    def run() -> int:
        from x11fwd.cli.documents import demo_document
        from x11fwd.pipeline.demo import DemoOptions, run_demo
        from x11fwd.ui.console import answer_console, message_console
        from x11fwd.ui.demo import DemoWatch, show_demo, show_missing
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter

        prompter, console, messages = TerminalPrompter(), answer_console(), message_console()
        with Waiting(prompter, messages, quiet=as_json) as waiting:

            def approve(missing: Missing) -> bool:
                waiting.aside(lambda: show_missing(missing, messages))
                # nobody to ask is a no: the command that installs it is on the screen
                return yes or prompter.confirm("Install it now?") is True

            watch = DemoWatch.on(waiting, messages if as_json else console, verbose=verbose)
            if as_json:
                watch = DemoWatch(waiting, lambda _step: None)
            result = run_demo(DemoOptions(screenshot), prompter, watch, approve)
        if as_json:
            print(json.dumps(demo_document(result), indent=2))
        else:
            show_demo(result, console)
        return result.exit_code

    return Job(run)
