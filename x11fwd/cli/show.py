"""`x11fwd show`: pictures, tables, arrays and pickled figures of any machine, refreshed when they change."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

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
    from collections.abc import Callable, Sequence

    from x11fwd.pipeline.show import Showing, ShowResult, Source
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["EXAMPLES", "show"]

EXAMPLES = """
\b
Examples:
  x11fwd show gpu1:runs/7/loss.png            live: refreshed when it changes
  x11fwd show 'gpu1:runs/*/*.png' local.pdf   many, as they come
  x11fwd show gpu1:fig.pickle                 zoom and hover in a saved figure
  x11fwd show --python ~/env/bin/python gpu1:fig.pickle
  x11fwd show gpu1:weights.npz gpu1:log.csv   arrays and tables
  x11fwd show --terminal --once gpu1:loss.png in the terminal, and done

\b
Shown are PNG, JPEG, GIF, WebP, SVG, PDF, HTML, CSV, TSV, .npy, .npz, figures
of plotly, bokeh and mpld3 as .json, and pickled figures (.pickle, .pkl). A
folder stands for all of these in it. Files up to 64 MB travel. A pickle is
opened on the machine where it is, by that machine's Python, and only what it
draws travels: nothing of a remote is unpickled here. Nothing is installed
there; a Python 3.6 or later is needed there.
"""


def show(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET:]PATH...",
            help="Files, folders or patterns, there or on this machine.",
            show_default=False,
        ),
    ],
    python: Annotated[
        str | None,
        typer.Option(
            "--python",
            metavar="PATH",
            help="The Python over there that opens pickles; else the login shell's.",
        ),
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Pictures in the terminal.")] = False,
    once: Annotated[
        bool, typer.Option("--once", help="With --terminal: show what is there, and end.")
    ] = False,
    viewer_port: Annotated[
        int, typer.Option("--viewer-port", metavar="PORT", min=0, max=65535, help="Port of the page here.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address instead.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Open pickles of this machine, too, without asking.")
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
    """Pictures, tables, arrays and saved figures of any machine, live.

    Opens a page in the browser; what changes there changes here. Ends with Ctrl-C.
    """

    def run() -> int:
        from x11fwd.inline.texts import figure_data_text
        from x11fwd.pipeline.show import ShowOptions, place_of, run_show
        from x11fwd.serialised.following import ENDINGS
        from x11fwd.ui.pictures import in_terminal
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.show import show_result

        if python is not None and (not python or python.startswith("-")):
            raise UsageError(f"{python!r} is no path of a Python interpreter")
        options = ssh_options(port, identity, jump, config, login, option)
        sources = [place_of(one, options) for one in paths]
        drawn_here = not as_json and in_terminal(terminal=terminal, browser=not no_browser)
        if once and not drawn_here and not as_json:
            raise UsageError(
                "`--once` goes with `--terminal`: a page would be gone before it is seen",
                hint="leave it out, and end with Ctrl-C",
            )
        prompter = TerminalPrompter()
        wanted = ShowOptions(
            python=python,
            once=once or as_json or (drawn_here and not sys.stdout.isatty()),
            unopened=_may_unpickle(sources, prompter, yes=yes),
            pixels=drawn_here,
            transport=transport,
        )
        with ExitStack() as stack:
            waiting = stack.enter_context(Waiting(prompter, quiet=as_json))
            hush = partial(waiting.__exit__, None, None, None)
            path = sources[0].path.lower()
            single = len(sources) == 1 and path.endswith(ENDINGS) and not set(path) & set("*?[")
            showing = _showing(stack, hush, quiet=as_json, drawn_here=drawn_here, single=single,
                               port=viewer_port, browser=not no_browser)  # fmt: skip
            result = run_show(
                sources, wanted, prompter, showing, drawing=figure_data_text(), progress=waiting.now
            )
        if as_json:
            print(json.dumps(_document(result), indent=2), flush=True)
            show_result(result)  # elsewhere it was said when it happened
        return result.exit_code

    return Job(run)


def _may_unpickle(sources: Sequence[Source], prompter: TerminalPrompter, *, yes: bool) -> str:
    """Why pickles of this machine stay closed; "" where the person wants them opened.

    One that was copied from elsewhere is another's program, and it would run here.
    """
    from x11fwd.serialised.following import PICKLED

    named = [one.path for one in sources if one.target is None and one.path.lower().endswith(PICKLED)]
    if yes:
        return ""
    closed = "is a pickle: opening it runs the program in it on this machine, and `--yes` does that"
    if not named:
        return closed
    question = (
        f"Opening {', '.join(named[:3])} runs the program in it, on this machine. Do you trust who made it?"
    )
    return "" if prompter.confirm(question) else closed


def _showing(
    stack: ExitStack,
    hush: Callable[[], None],
    *,
    quiet: bool,
    drawn_here: bool,
    single: bool,
    port: int,
    browser: bool,
) -> Showing:
    from x11fwd.ui.show import PageShow, QuietShow, TerminalShow

    if quiet:
        return QuietShow()
    if drawn_here:
        return stack.enter_context(TerminalShow(hush))
    from x11fwd.viewer.server import Viewer

    viewer = stack.enter_context(Viewer("x11fwd show", port))
    return PageShow(viewer, hush, browser=browser, single=single)


def _document(result: ShowResult) -> dict[str, object]:
    files = [
        {
            "typed": one.typed,
            "path": one.path,
            "state": one.state,
            "kind": one.kind,
            "bytes": one.size,
            "why": one.why,
        }
        for one in result.files
    ]
    return {
        "schema": "x11fwd.show/1",
        "ok": result.exit_code == 0,
        "exit_code": result.exit_code,
        "files": files,
    }
