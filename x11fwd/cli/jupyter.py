"""`x11fwd jupyter`: a notebook of that machine in the browser of this one."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
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
    TargetName,
    TransportName,
    Yes,
    ssh_options,
    target_of,
)
from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from x11fwd.pipeline.jupyter_session import Ready

__all__ = ["EXAMPLES", "jupyter"]

EXAMPLES = """
\b
Examples:
  x11fwd jupyter gpu1                 a notebook of gpu1 in the browser here
  x11fwd jupyter gpu1 --dir thesis    opens that folder, or that notebook
  x11fwd jupyter gpu1 --install       first puts JupyterLab there
  x11fwd jupyter n042 -J login1       on a compute node, through login1
  x11fwd jupyter --list gpu1
  x11fwd jupyter --stop gpu1

\b
A server of yours that runs there is taken, else one is started (JupyterLab,
else Notebook) that outlives this connection. One that x11fwd starts listens
on a unix socket that nobody else on that machine can connect to. Nothing is
asked of sshd but to run a command, so it works where TCP forwarding is off.

\b
When the line drops, it is taken up again for as long as it takes; kernels and
the address here stay. Ctrl-C ends the forwarding, never the server.
--install makes an environment in ~/.local/share/x11fwd/jupyter over there
(240 MB, from PyPI), whose notebooks see the packages of its Python, too.
On a cluster, ask for a job first: many nodes let you in only while it runs.
"""


def jupyter(
    target: TargetName,
    folder: Annotated[
        str,
        typer.Option(
            "--dir", metavar="DIR", help="Folder (or notebook) over there to open.", show_default=False
        ),
    ] = "",
    python: Annotated[
        str,
        typer.Option(
            "--python", metavar="PATH", help="Use the Jupyter of this Python over there.", show_default=False
        ),
    ] = "",
    install: Annotated[
        bool, typer.Option("--install", help="Put JupyterLab there, into an environment of its own.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="List your servers there, and end.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the server that x11fwd started; asks about others.")
    ] = False,
    local_port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Port of this machine; else the last one, or a free one.",
            show_default=False,
        ),
    ] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address instead.")] = False,
    as_json: Json = False,
    yes: Yes = False,
    transport: TransportName = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Open a notebook of the remote in the browser here.

    Finds your running Jupyter server or starts one, forwards a port of this machine to it, and keeps that up.
    """

    def run() -> int:
        from x11fwd.cli.jupyter_documents import list_document, open_document, stop_document
        from x11fwd.pipeline.jupyter import JupyterOptions, list_servers, open_notebook, stop_servers
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.jupyter import JupyterEnds, show_end, show_servers, show_stopped
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter

        if listing and stop:
            raise UsageError("`--list` and `--stop` are two commands", hint="type one of them")
        aim = target_of(target, ssh_options(port, identity, jump, config, login, option))
        options = JupyterOptions(folder, python, install, local_port, transport)
        prompter = TerminalPrompter()

        def opened(ready: Ready, at: int) -> bool:
            if as_json:
                print(json.dumps(open_document(ready, at), indent=2), flush=True)
            return _open(ready.address(at), browser=not no_browser, say=not as_json)

        with ExitStack() as stack:
            waiting = stack.enter_context(Waiting(prompter, quiet=as_json))
            ends = JupyterEnds(target, prompter, waiting, opened, yes=yes)
            if listing:
                servers = list_servers(aim, options, prompter, waiting.now)
            elif stop:
                stopped = stop_servers(aim, options, prompter, ends)
            else:
                result = open_notebook(aim, options, prompter, ends, os.environ)
        if listing:
            if as_json:
                print(json.dumps(list_document(servers), indent=2), flush=True)
            else:
                show_servers(servers, target, answer_console())
            return 0
        if stop:
            if as_json:
                print(json.dumps(stop_document(stopped), indent=2), flush=True)
            else:
                show_stopped(stopped, target)
            return stopped.exit_code
        show_end(result, target)
        return result.exit_code

    return Job(run)


def _open(address: str, *, browser: bool, say: bool) -> bool:
    """Whether a browser has it; else the address is printed, with the token that opening it takes."""
    from x11fwd.viewer.browser import open_browser

    def print_it() -> None:
        if say:
            print(address, file=sys.stderr, flush=True)

    if browser and open_browser(address, refused=print_it):
        return True
    print_it()
    return False
