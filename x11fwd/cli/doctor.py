"""`x11fwd doctor`: what is wrong, and the one command to type next."""

from __future__ import annotations

import json
import os
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
    Python,
    TransportName,
    Verbose,
    Yes,
    ssh_options,
    sure,
    target_of,
)

if TYPE_CHECKING:
    from x11fwd.pipeline.doctor import DoctorOptions
    from x11fwd.pipeline.fix import FixPlan
    from x11fwd.target import Target

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = """
\b
Examples:
  x11fwd doctor                          this machine, or this session of ssh
  x11fwd doctor ana@gpu1                 both ends, and the way between them
  x11fwd doctor -v ana@gpu1              with what was seen, and where
  x11fwd doctor --fix gpu1               cures what needs no root
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
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Cure what needs no root on either side; what will change is shown and asked first."
        ),
    ] = False,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: show what would change and change nothing.")
    ] = False,
    python: Python = None,
    transport: TransportName = "auto",
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Say why no window comes, and what to type next. Changes nothing without --fix.

    Looks at the display of this machine, logs in once, and looks at sshd, xauth, your home directory, Python
    and matplotlib over there. The first broken link is named as the cause; what merely follows from it says
    so.

    In a session of ssh, on the machine with the program, `x11fwd doctor` looks at that very session: its
    DISPLAY and cookie as they are after sudo, in tmux, in a container or in an editor's terminal.
    """

    def run() -> int:
        from x11fwd.errors import UsageError
        from x11fwd.pipeline.doctor import DoctorOptions, run_doctor
        from x11fwd.ui.console import answer_console
        from x11fwd.ui.progress import Waiting
        from x11fwd.ui.prompt import TerminalPrompter

        options = ssh_options(port, identity, jump, config, login, option)
        aim = None if target is None else target_of(target, options)
        wanted = DoctorOptions(transport=transport, python=python, only=tuple(only or ()))
        if (yes or dry_run) and not fix:
            raise UsageError("--yes and --dry-run go with --fix", hint="`x11fwd doctor --fix TARGET`")
        if aim is not None:  # else `x11fwd ssh`, the next thing to type, would be the first to say it
            from x11fwd.pipeline.run_way import configured_way

            configured_way(aim.host, "auto", os.environ)
        if fix:
            return _fix(aim, wanted, as_json=as_json, verbose=verbose, yes=yes, dry_run=dry_run)
        prompter = TerminalPrompter()
        with Waiting(prompter, quiet=as_json) as waiting:
            result = run_doctor(aim, wanted, prompter, waiting.now)
        if as_json:
            from x11fwd.checks.report import report_json

            print(json.dumps(report_json(result.report), indent=2))
            return result.report.exit_code
        from x11fwd.checks.check import Aim
        from x11fwd.ui.report import show_report

        console = answer_console()
        host = aim.host if aim else result.session_on
        words = Aim.of(aim, python) if aim else None
        show_report(
            result.report,
            console,
            host=host,
            aim=words,
            verbose=verbose or bool(only),
            session=bool(result.session_on),
            partial=bool(only),
        )
        return result.report.exit_code

    return Job(run)


def _fix(
    aim: Target | None, wanted: DoctorOptions, *, as_json: bool, verbose: bool, yes: bool, dry_run: bool
) -> int:
    """`--fix`: show, ask, change, look again."""
    from x11fwd.checks.check import Aim
    from x11fwd.pipeline.fix import FixStatus, admin_note, run_fix
    from x11fwd.ui.console import answer_console, message_console
    from x11fwd.ui.fix import show_fix, show_fix_plan
    from x11fwd.ui.plan import show_admin_note
    from x11fwd.ui.progress import Waiting
    from x11fwd.ui.prompt import TerminalPrompter
    from x11fwd.ui.report import show_report

    host = aim.host if aim else ""
    words = Aim.of(aim, wanted.python) if aim else None
    prompter, answers, messages = TerminalPrompter(), answer_console(), message_console()
    plans = messages if as_json else answers
    with Waiting(prompter, quiet=as_json) as waiting:

        def approve(plan: FixPlan) -> bool:
            if not (as_json and yes):
                waiting.aside(lambda: show_fix_plan(plan, plans, host=host))
            return yes or sure(prompter.confirm("Change this?"))

        report = run_fix(aim, wanted, prompter, approve, waiting.now, dry_run=dry_run)
    if as_json:
        from x11fwd.cli.documents import fix_document

        print(json.dumps(fix_document(report), indent=2))
        return report.exit_code
    host = host or report.session_on
    if dry_run:
        show_fix_plan(report.plan, answers, host=host)
    show_fix(report, answers, messages, host=host, aim=words)
    told = {FixStatus.PLANNED, FixStatus.DECLINED}  # the plan has begun with what is wrong
    if report.last.cause is not None and report.status not in told and not report.waits:
        answers.print()
        inside = bool(report.session_on)
        show_report(report.last, answers, host=host, aim=words, verbose=verbose, session=inside)
        note = admin_note(report.last, host or "this machine")
        if note:
            answers.print("\nThis needs an administrator. A note that is ready to be sent:")
            show_admin_note(note, answers)
    return report.exit_code
