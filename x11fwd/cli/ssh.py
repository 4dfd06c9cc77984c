"""`x11fwd ssh` for the help and for completion; the door hands the real call on before typer is loaded."""

from __future__ import annotations

import typer

from x11fwd.cli.job import Job

__all__ = ["SETTINGS", "ssh"]

SETTINGS = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}


def ssh(context: typer.Context) -> Job:
    """Log in as ssh -X does, with a display that works.

    All words after it are ssh's own options, target and command.
    """
    words = list(context.args)

    def run() -> int:
        from x11fwd.pipeline.ssh_session import main

        return main(words)

    return Job(run)
