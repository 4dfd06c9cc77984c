"""`x11fwd doctor`: what is wrong, and the one command to type next."""

from __future__ import annotations

import json
from typing import Annotated

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
    Python,
    TransportName,
    Verbose,
    ssh_options,
    target_of,
)

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = """
\b
Examples:
  x11fwd doctor                          this machine, or this session of ssh
  x11fwd doctor ana@gpu1                 both ends, and the way between them
  x11fwd doctor -v ana@gpu1              with what was seen, and where
  x11fwd doctor --json gpu1 | jq .cause  for scripts
  x11fwd doctor --python ~/env/bin/python gpu1
"""


def _ids() -> list[str]:
    from x11fwd.checks import CHECKS

    return [check.id for check in CHECKS]


def doctor(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="user@host, user@host:port, ssh://user@host:port or a Host of ssh_config; without one, "
            "only this machine is looked at, or the session of ssh in which this is typed.",
            show_default=False,
        ),
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", autocompletion=_ids, help="Only this finding; may be repeated."),
    ] = None,
    python: Python = None,
    transport: TransportName = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Say why no window comes, and what to type next. Changes nothing.

    Looks at the display of this machine, logs in once, and looks at sshd, xauth, your home directory, Python
    and matplotlib over there. The first broken link is named as the cause; what merely follows from it says
    so.

    In a session of ssh, on the machine with the program, `x11fwd doctor` looks at that very session: its
    DISPLAY and cookie as they are after sudo, in tmux, in a container or in an editor's terminal.
    """

    def run() -> int:
        from x11fwd.checks.check import Aim
        from x11fwd.pipeline.doctor import DoctorOptions, run_doctor
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter

        options = ssh_options(port, identity, jump, config, login, option)
        aim = None if target is None else target_of(target, options)
        wanted = DoctorOptions(transport=transport, python=python, only=tuple(only or ()))
        prompter = TerminalPrompter()
        with Waiting(prompter, quiet=as_json) as waiting:
            result = run_doctor(aim, wanted, prompter, waiting.now)
        if as_json:
            from x11fwd.checks.report import report_json

            print(json.dumps(report_json(result.report), indent=2))
            return result.report.exit_code
        from x11fwd.ui.report import show_report

        console = answer_console()
        host = aim.host if aim else result.session_on
        words = Aim.of(aim) if aim else None
        show_report(
            result.report,
            console,
            host=host,
            aim=words,
            verbose=verbose or bool(only),
            session=bool(result.session_on),
        )
        return result.report.exit_code

    return Job(run)
