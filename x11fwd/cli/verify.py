"""`x11fwd verify`: proof by a plot whose pixels arrived on this screen."""

from __future__ import annotations

import json
import os

from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Json,
    Jump,
    Keep,
    Login,
    Option,
    Port,
    Python,
    Screenshot,
    TargetName,
    TransportName,
    Verbose,
    Via,
    may_bridge,
    ssh_options,
    target_of,
)

__all__ = ["EXAMPLES", "verify"]

EXAMPLES = """
\b
Examples:
  x11fwd verify ana@gpu1                         draws there, looks here
  x11fwd verify --screenshot plot.png ana@gpu1   with a picture of the window
  x11fwd verify --keep ana@gpu1                  leaves the window open
  x11fwd verify --via bridge ana@gpu1            over the bridge
"""


def verify(
    target: TargetName,
    screenshot: Screenshot = None,
    keep: Keep = False,
    verbose: Verbose = False,
    as_json: Json = False,
    python: Python = None,
    transport: TransportName = "auto",
    via: Via = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Prove that it works: draw a plot there, see it here. Changes nothing.

    Logs in anew with X11, lets the remote's own matplotlib draw through the backend that a script of yours
    would get, and asks this machine's X server for the window, which takes the way that x11fwd ssh would
    choose. Succeeds only if the pixels are right; a silent fall-back to Agg is a failure that names its
    cause.
    """

    def run() -> int:
        from x11fwd.checks.check import Aim
        from x11fwd.cli.documents import verify_document
        from x11fwd.errors import UsageError
        from x11fwd.pipeline.run_way import configured_way
        from x11fwd.pipeline.verify import VerifyOptions, VerifyResult, run_verify
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.verify import show_verify

        aim = target_of(target, ssh_options(port, identity, jump, config, login, option))
        if screenshot is not None and not screenshot.absolute().parent.is_dir():
            raise UsageError(f"{screenshot.parent} is no folder")
        prompter, console = TerminalPrompter(), answer_console()
        wanted = VerifyOptions(
            transport=transport,
            python=python,
            screenshot=screenshot,
            keep=keep,
            via=configured_way(aim.host, via, os.environ),
            may_bridge=lambda: prompter.confirm(may_bridge(aim.host)) is True,
        )
        told: list[VerifyResult] = []

        with Waiting(prompter, quiet=as_json) as waiting:

            def show(result: VerifyResult) -> None:
                told.append(result)
                if as_json:
                    print(json.dumps(verify_document(result), indent=2), flush=True)
                    return
                picture = screenshot is not None and console.is_terminal
                waiting.aside(
                    lambda: show_verify(
                        result,
                        console,
                        host=aim.host,
                        aim=Aim.of(aim, python),
                        verbose=verbose,
                        as_picture=picture,
                    )
                )

            # with --keep the answer is there while the window is still open
            result = run_verify(aim, wanted, prompter, waiting.now, shown=show)
        if not told:
            show(result)
        return result.report.exit_code

    return Job(run)
