"""`x11fwd render`: hundreds of figures in parallel, here or on a server's cores."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Json,
    Jump,
    Login,
    Port,
    TransportName,
    ssh_options,
    target_of,
)

__all__ = ["EXAMPLES", "render"]

EXAMPLES = """
\b
Examples:
  x11fwd render plots:draw runs.jsonl               one figure for each line
  x11fwd render plots.py:draw a.csv --name {city}   named by a column
  x11fwd render plots:draw - --format svg < runs.jsonl
  x11fwd render plots:draw runs.jsonl --on gpu1     drawn there, kept here
"""


def render(
    function: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FUNCTION", help="What draws; also FILE.py:FUNCTION.", show_default=False
        ),
    ],
    arguments: Annotated[
        str,
        typer.Argument(
            metavar="ARGS",
            help="JSON lines, or CSV by its ending; `-` reads JSON lines from stdin.",
            show_default=False,
        ),
    ],
    workers: Annotated[
        int | None,
        typer.Option(
            "-j", "--workers", metavar="N", min=1, max=1024, help="Processes; default: cores minus one."
        ),
    ] = None,
    folder: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where pictures go.")] = Path(
        "figures"
    ),
    on: Annotated[
        str | None, typer.Option("--on", metavar="TARGET", help="Draw on this server, with its Python.")
    ] = None,
    name: Annotated[
        str,
        typer.Option("--name", metavar="PATTERN", help="Of the files: {index} and the names of arguments."),
    ] = "{index:04d}",
    picture: Annotated[Literal["png", "svg", "pdf"], typer.Option("--format", help="Kind of file.")] = "png",
    dpi: Annotated[
        float | None,
        typer.Option("--dpi", min=1, max=4800, help="Dots per inch; default: matplotlib's setting."),
    ] = None,
    limit: Annotated[
        float | None, typer.Option("--limit", metavar="SECONDS", min=0.1, help="A figure may take this long.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Draw also what is there already.")] = False,
    view: Annotated[
        bool, typer.Option("--view", help="Show them in the browser as they finish; Ctrl-C ends.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser, or only print the address.")
    ] = True,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Show some in the terminal, as they finish.")
    ] = False,
    as_json: Json = False,
    python: Annotated[
        str | None, typer.Option("--python", metavar="PATH", help="The Python that draws.")
    ] = None,
    transport: TransportName = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
) -> Job:
    """Draw hundreds of figures in parallel, here or on a server.

    One figure for each set of arguments: a JSON object or CSV row becomes keywords of the function, a list
    positional arguments. The function may take `figure` (cleared and used again: fastest) or `ax`, may
    return a Figure or Axes, or draws with pyplot. Each worker imports its module, so what a script does when
    it is run belongs below `if __name__ == "__main__":`.

    A figure that fails is told with its arguments, and the others go on. What is in DIR already, from
    the same arguments and function, is not drawn again.
    """

    def run() -> int:
        from x11fwd.cli.documents_render import render_document
        from x11fwd.pipeline.render import RenderOptions, Workshop, read_arguments, run_render
        from x11fwd.render.model import Look
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.pictures import in_terminal
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.render import RenderProgress, TerminalGallery, show_render

        found = read_arguments(arguments, sys.stdin)
        prompter = TerminalPrompter()
        workshop = None
        if on is not None:
            aim = target_of(on, ssh_options(port, identity, jump, config, login, None))
            workshop = Workshop.at(aim, prompter, transport)
        options = RenderOptions(function, folder, name, Look(picture, dpi), workers, limit, force, python)
        with RenderProgress(prompter, quiet=as_json) as progress, ExitStack() as stack:
            viewer = None
            gallery = None
            if terminal or (view and in_terminal(terminal=False, browser=browser)):
                gallery = stack.enter_context(TerminalGallery(folder, progress))
            elif view:
                from x11fwd.viewer.browser import open_browser
                from x11fwd.viewer.server import Viewer

                viewer = stack.enter_context(Viewer(f"render {function}"))
                say = partial(progress.waiting, f"the pictures: {viewer.address}")
                if not (browser and open_browser(viewer.address, refused=say)):
                    say()
            summary = run_render(found, options, progress, workshop, gallery or viewer)
            progress.close()
            if gallery is not None:
                gallery.close()
            # where all is done and shown in a page, Ctrl-C only puts that away
            with suppress(*([] if viewer is None else [KeyboardInterrupt])):
                if as_json:
                    print(json.dumps(render_document(summary, on), indent=2), flush=True)
                else:
                    show_render(summary, str(folder), answer_console())
                if viewer is not None:
                    viewer.wait_closed()
        return 0 if summary.ok else 1

    return Job(run)
