"""`x11fwd watch`: curves out of training logs, here or there, while they grow."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Json,
    Jump,
    Login,
    Option,
    Port,
    TransportName,
    ssh_options,
)
from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from x11fwd.pipeline.watch import Watching, WatchOptions, WatchResult

__all__ = ["EXAMPLES", "watch"]

EXAMPLES = """
\b
Examples:
  x11fwd watch gpu1:runs/7/train.log            curves in the browser, live
  x11fwd watch gpu1:a.log gpu2:b.log local.csv  several runs in one page
  x11fwd watch --terminal train.log             in the terminal
  x11fwd watch --png curves.png train.log       a picture, and done
  x11fwd watch --alert nan --alert silence gpu1:train.log
  x11fwd watch --try train.log                  what is recognised in it?
  x11fwd watch --pattern 'it (?P<step>\\d+) err (?P<err>\\S+)' train.log

\b
Recognised: JSON lines, CSV, key=value, key: value, Python dictionaries
(Hugging Face), bars of tqdm, Keras and Lightning, Ultralytics, nanoGPT,
Megatron-LM, XGBoost, LightGBM, CatBoost. The format may change within a log.
Followed through truncation, rotation, a restarted job and a line that drops.
Nothing is installed there; not even a Python is needed there.
"""


def watch(
    logs: Annotated[
        list[str],
        typer.Argument(metavar="[TARGET:]LOG...", help="Logs, there or on this machine.", show_default=False),
    ],
    x: Annotated[
        Literal["auto", "step", "epoch", "time", "line"],
        typer.Option(
            "--x", help="What x is; auto takes step, else epoch, else the line.", show_default=False
        ),
    ] = "auto",
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern",
            metavar="REGEX",
            help="Named groups are series; step, epoch, time are x. May be repeated.",
        ),
    ] = None,
    trial: Annotated[
        bool, typer.Option("--try", help="Say what is recognised in the logs, and end.")
    ] = False,
    terminal: Annotated[bool, typer.Option("--terminal", help="Charts in the terminal.")] = False,
    png: Annotated[
        Path | None,
        typer.Option(
            "--png", metavar="FILE.png", dir_okay=False, help="At the end, save all charts as a picture."
        ),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Logarithmic y.")] = False,
    smoothing: Annotated[
        float,
        typer.Option(
            "--smooth", metavar="0..0.99", min=0, max=0.99, help="Smoothing in terminal and picture."
        ),
    ] = 0.0,
    once: Annotated[bool, typer.Option("--once", help="Read what is there, and end.")] = False,
    alert: Annotated[
        list[str] | None,
        typer.Option(
            "--alert",
            metavar="nan|plateau|silence",
            help="End with exit code 1 when it happens; may be repeated.",
            show_default=False,
        ),
    ] = None,
    patience: Annotated[
        int, typer.Option("--patience", metavar="N", min=2, help="So many points of a loss make a plateau.")
    ] = 200,
    silence: Annotated[
        float, typer.Option("--silence", metavar="SECONDS", min=0.1, help="So long without a row is silence.")
    ] = 600.0,
    viewer_port: Annotated[
        int, typer.Option("--viewer-port", metavar="PORT", min=0, max=65535, help="Port of the page here.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address instead.")
    ] = False,
    as_json: Json = False,
    transport: TransportName = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Training curves out of log files, live, from any machine.

    Opens a page of charts in the browser: train and validation of one metric together, several runs and
    hosts side by side. Ends with Ctrl-C.
    """

    def run() -> int:
        from x11fwd.cli.watch_documents import watch_document
        from x11fwd.logs.alerts import Alert
        from x11fwd.logs.rows import Axis
        from x11fwd.pipeline.watch import WatchOptions, run_watch, source_of
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.watch import check_png, save_png, show_watch

        options = ssh_options(port, identity, jump, config, login, option)
        sources = [source_of(one, options) for one in logs]
        if png is not None:
            check_png(png)
        try:
            alerts = frozenset(Alert(word) for one in alert or () for word in one.split(","))
        except ValueError:
            raise UsageError("--alert takes nan, plateau or silence") from None
        wanted = WatchOptions(
            axis=None if x == "auto" else Axis(x),
            patterns=tuple(pattern or ()),
            # a document or a picture is of the end; with an alert that is the alert
            once=once or trial or ((as_json or png is not None) and not alerts and not terminal),
            alerts=alerts,
            patience=patience,
            silence=silence,
            transport=transport,
        )
        prompter = TerminalPrompter()
        with ExitStack() as stack:
            waiting = stack.enter_context(Waiting(prompter, quiet=as_json))
            paged = not (terminal or wanted.once or as_json)
            watching = _shown(stack, wanted, paged=paged, terminal=terminal, log=log, weight=smoothing,
                              port=viewer_port, browser=not no_browser, title=_title(logs))  # fmt: skip
            result: WatchResult = run_watch(sources, wanted, prompter, watching, waiting.now)
        if png is not None and result.board.runs:
            save_png(result, png, log=log, weight=smoothing)
        if as_json:
            print(json.dumps(watch_document(result), indent=2), flush=True)
        else:
            show_watch(result, answer_console(), charts=terminal, log=log, weight=smoothing)
            if trial:
                _tell_trial(result)
        return result.exit_code

    return Job(run)


def _title(logs: list[str]) -> str:
    """Of the page, so that the tabs of two watches can be told apart."""
    return logs[0] if len(logs) == 1 else f"{logs[0]} and {len(logs) - 1} more"


def _shown(
    stack: ExitStack,
    wanted: WatchOptions,
    *,
    paged: bool,
    terminal: bool,
    log: bool,
    weight: float,
    port: int,
    browser: bool,
    title: str,
) -> Watching:
    from x11fwd.ui.console import answer_console
    from x11fwd.ui.watch import QuietWatch, TerminalWatch

    if terminal and not wanted.once:
        return stack.enter_context(TerminalWatch(answer_console(), log=log, weight=weight))
    if not paged:
        return QuietWatch()
    from x11fwd.pipeline.watch_page import WatchPage
    from x11fwd.viewer.browser import open_browser
    from x11fwd.viewer.server import Viewer

    viewer = stack.enter_context(Viewer(title, port))
    say = partial(print, viewer.address, file=sys.stderr, flush=True)
    if not browser or not open_browser(viewer.address, refused=say):
        say()
    elif sys.stderr.isatty():
        print("the curves are in the browser; Ctrl-C ends it", file=sys.stderr, flush=True)
    return WatchPage(viewer, log=log)


def _tell_trial(result: WatchResult) -> None:
    for log in result.logs:
        formats = ", ".join(f"{name} ({rows} rows)" for name, rows in log.formats.items()) or "no format"
        print(f"{log.source.typed}: {formats}; {log.unread} other lines")
