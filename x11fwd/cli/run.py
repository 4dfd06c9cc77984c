"""`x11fwd run`: a script of this machine, run on that one."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Jump,
    Login,
    Option,
    Port,
    TargetName,
    TransportName,
    Via,
    Yes,
    may_bridge,
    ssh_options,
    target_of,
)

__all__ = ["EXAMPLES", "SETTINGS", "run"]

# what follows the script is the script's
SETTINGS = {"allow_interspersed_args": False, "ignore_unknown_options": False}

EXAMPLES = """
\b
Examples:
  x11fwd run gpu1 plot.py                      windows open here
  x11fwd run --inline gpu1 plot.py             pictures in the browser
  x11fwd run --sync . gpu1 train.py 3          with all of this folder
  x11fwd run --fetch 'out/*.png' gpu1 plot.py  bring back what it made
  x11fwd run --python ~/env/bin/python gpu1 plot.py

\b
Sent are the files of the project that holds the script, by git's rules for
.gitignore; without a mark of one (.git, pyproject.toml, requirements.txt …)
the script and the .py files beside it. It runs in a folder that goes away at
the end. What was sent stays there in ~/.cache/x11fwd/files (500 MB at most,
30 days), so that the next run sends only what changed.

\b
The exit status is the script's. Ctrl-C interrupts it, and ends it where it
does not end within 10 s. In a terminal every key is the script's, as with
`ssh -t`; `~.` at the start of a line ends it whatever it does. When the
connection is cut it is ended there in the same way: at once where the line
is closed, after 45 s where it is silent.
"""


def run(
    target: TargetName,
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A Python file of this machine.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGS", help="For the script.", show_default=False)
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            "--python", metavar="PATH", help="The Python over there, instead of the one that doctor names."
        ),
    ] = None,
    sync: Annotated[
        Path | None, typer.Option("--sync", metavar="DIR", help="Send this folder instead of the project.")
    ] = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Show figures as pictures in the browser instead of windows.")
    ] = False,
    fetch: Annotated[
        list[str] | None,
        typer.Option("--fetch", metavar="GLOB", help="Bring these files back at the end; may be repeated."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder over there as it is.")] = False,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="With --inline: write the pictures to this folder."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="With --inline: print the address instead.")
    ] = False,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Show figures as pictures in the terminal.")
    ] = False,
    tty: Annotated[
        bool | None,
        typer.Option(
            "--tty/--no-tty",
            "-t/-T",
            help="Give the script a terminal. Default: where this side has one.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
    transport: TransportName = "auto",
    via: Via = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Run a script of this machine on the remote; its plots show here.

    Output, input, Ctrl-C and the exit status are as if it ran here. Nothing needs to be installed there but
    Python 3.6 or later and what the script imports.
    """

    def work() -> int:
        from x11fwd.pipeline.run import RunOptions, run_script
        from x11fwd.ui.pictures import in_terminal
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.run import RunEnds, show_run

        aim = target_of(target, ssh_options(port, identity, jump, config, login, option))
        file, rest = script, tuple(arguments or ())
        if script.name == "--" and rest:  # `run TARGET -- SCRIPT`: what follows a target is left as it is
            file, rest = Path(rest[0]), rest[1:]
        prompter = TerminalPrompter()
        inlined = inline or terminal or pictures is not None
        drawn_here = inlined and pictures is None and in_terminal(terminal=terminal, browser=not no_browser)
        options = RunOptions(
            file,
            rest,
            python=python,
            sync=sync,
            inline=inlined,
            pixels=drawn_here,
            numbers=pictures is None,
            fetch=tuple(fetch or ()),
            keep=keep,
            yes=yes,
            transport=transport,
            via=via,
            here=Path.cwd(),
        )
        with ExitStack() as stack:
            waiting = stack.enter_context(Waiting(prompter))
            sink = None
            if options.inline:
                from x11fwd.ui.run_pictures import PictureSink

                sink = stack.enter_context(
                    PictureSink(
                        f"{file.name} on {aim.host}",
                        folder=pictures,
                        browser=not no_browser,
                        terminal=drawn_here,
                    )
                )
            ends = RunEnds(prompter, may_bridge(aim.host), waiting, sink, terminal=tty)
            result = run_script(aim, options, ends, prompter, environ=os.environ, progress=ends.progress)
            # the script has ended: Ctrl-C only puts its pictures away
            with suppress(KeyboardInterrupt):
                show_run(result)
                if sink is not None and not result.killed:
                    sink.linger()
        sys.stdout.flush()
        return result.exit_status

    return Job(work)
