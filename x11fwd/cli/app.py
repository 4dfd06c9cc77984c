"""The commands and their order in the help; imported by the door."""

from __future__ import annotations

from typing import Annotated

import typer

from x11fwd.cli import (
    demo,
    doctor,
    explain,
    jupyter,
    playbook,
    render,
    run,
    setup,
    show,
    ssh,
    undo,
    verify,
    watch,
)

__all__ = ["app"]

app = typer.Typer(
    name="x11fwd",
    help="""
    A plot made on a machine you reach by ssh, seen on the screen in front of you.

    doctor says why no window comes, setup makes the remote ready, ssh takes you there. Nothing is changed
    before you have seen what, and undo takes it back.
    """,
    epilog="""
    \b
    Examples:
      x11fwd demo                   try it all on this machine, no server needed
      x11fwd doctor ana@gpu1        why does no window come from gpu1?
      x11fwd setup ana@gpu1         make gpu1 ready: shows the plan, then asks
      x11fwd ssh ana@gpu1           log in; plt.show() opens its window here
      x11fwd run ana@gpu1 plot.py   run a script of this machine there
      x11fwd show ana@gpu1:a.png    pictures, arrays and saved figures, live
      x11fwd undo ana@gpu1          take back what setup changed
      x11fwd explain - < plot.log   what do the messages in it mean?

    Exit codes: 0 all well, 1 problems found, 2 usage, 3 no connection, 4 a change failed and was undone,
    130 interrupted. x11fwd ssh returns what ssh returns, run what the script does.
    """,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _version(asked: bool) -> None:
    if asked:
        from x11fwd import __version__

        print(f"x11fwd {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error; works with every command.")
    ] = False,
) -> None:
    pass


app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("setup", epilog=setup.EXAMPLES)(setup.setup)
app.command("ssh", context_settings=ssh.SETTINGS, add_help_option=False)(ssh.ssh)
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
app.command("undo", epilog=undo.EXAMPLES)(undo.undo)
app.command("explain", cls=explain.ExplainCommand, epilog=explain.EXAMPLES)(explain.explain)
app.command("run", epilog=run.EXAMPLES, context_settings=run.SETTINGS)(run.run)
app.command("jupyter", epilog=jupyter.EXAMPLES)(jupyter.jupyter)
app.command("watch", epilog=watch.EXAMPLES)(watch.watch)
app.command("show", epilog=show.EXAMPLES)(show.show)
app.command("render", epilog=render.EXAMPLES)(render.render)
app.add_typer(playbook.playbook, name="playbook")
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
