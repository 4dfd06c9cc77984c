"""`x11fwd undo`: takes back what setup changed, from the journal on the remote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from x11fwd.cli.fleet import AskBecome, InventoryFile, Jobs, JsonLines, Limit, Resume, crew_of, typed_again
from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Jump,
    Login,
    Option,
    Port,
    TransportName,
    Verbose,
    Yes,
    ssh_options,
    sure,
)

if TYPE_CHECKING:
    from x11fwd.pipeline.undo import UndoAnswer, UndoPlan
    from x11fwd.target import Target

__all__ = ["EXAMPLES", "undo"]

UndoTargets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="user@host, user@host:port, ssh://user@host:port or a Host of ssh_config; without one, what "
        "`x11fwd doctor --fix` has changed on this machine.",
        show_default=False,
    ),
]

EXAMPLES = """
\b
Examples:
  x11fwd undo ana@gpu1                   shows what would go back, and asks
  x11fwd undo --dry-run ana@gpu1         shows it only
  x11fwd undo --keep-packages ana@gpu1   files go back, packages stay
  x11fwd undo --inventory hosts.ini --limit rack2
  x11fwd undo                            what doctor --fix changed here
"""


def undo(
    targets: UndoTargets = None,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be taken back and change nothing.")
    ] = False,
    keep_packages: Annotated[
        bool, typer.Option("--keep-packages", help="Leave what setup installed; take back all else.")
    ] = False,
    verbose: Verbose = False,
    as_json: JsonLines = False,
    transport: TransportName = "auto",
    inventory: InventoryFile = None,
    limit: Limit = None,
    jobs: Jobs = None,
    resume: Resume = False,
    ask_become_pass: AskBecome = False,
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Take back exactly what setup and doctor --fix changed.

    Files get their old content back byte for byte, and the packages that setup installed are removed if you
    agree. A file that somebody else has changed since is left alone and named, with the difference.
    """

    def run() -> int:
        from x11fwd.pipeline.undo import HERE, UndoAnswer, UndoOptions, run_undo
        from x11fwd.ui.console import answer_console, message_console
        from x11fwd.ui.hosts import HostsView
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.undo import UndoWatch, show_undo, show_undo_plan

        options = ssh_options(port, identity, jump, config, login, option)
        wanted = UndoOptions(transport=transport, keep_packages=keep_packages, dry_run=dry_run)
        prompter, answers, messages = TerminalPrompter(), answer_console(), message_console()
        aim: Target | None = None  # this machine, whose journal `doctor --fix` writes
        if targets or inventory or limit or resume:
            crew = crew_of(targets or (), inventory, limit, options)
            if crew.many or resume:
                from x11fwd.cli.undo_fleet import FleetUndo, take_back
                from x11fwd.pipeline.fleet import JOBS

                words = [
                    ("--inventory", str(inventory) if inventory else None),
                    ("--limit", limit),
                    ("--keep-packages", keep_packages),
                    ("--transport", None if transport == "auto" else transport),
                    ("--jobs", str(jobs) if jobs else None),
                    ("--ask-become-pass", ask_become_pass),
                    ("--yes", yes),
                ]
                asked = FleetUndo(
                    crew,
                    wanted,
                    jobs or JOBS,
                    yes=yes,
                    resume=resume,
                    ask_become=ask_become_pass,
                    as_json=as_json,
                    verbose=verbose,
                    again=typed_again("undo", words, (*options.argv(), *(targets or ()))),
                )
                return take_back(asked, prompter)
            aim = crew.members[0].target
        plans = messages if as_json else answers
        name = aim.typed if aim else HERE
        with HostsView([name], prompter, messages, quiet=as_json) as view:

            def approve(target: str, plan: UndoPlan) -> UndoAnswer:
                if not (as_json and yes):
                    view.aside(lambda: show_undo_plan(plan, plans, host=target))
                if yes:
                    return UndoAnswer(go=True)
                if not sure(prompter.confirm(f"Take this back on {target}?")):
                    return UndoAnswer(go=False)
                if not plan.packages or keep_packages:
                    return UndoAnswer(go=True)
                return UndoAnswer(
                    go=True,
                    remove_packages=sure(prompter.confirm("Remove the packages too?", default=True)),
                )

            report = run_undo(aim, wanted, prompter, UndoWatch(view, name), approve)
        if as_json:
            from x11fwd.cli.documents import undo_document

            print(json.dumps(undo_document((report,), report.exit_code), indent=2))
            return report.exit_code
        if dry_run:
            show_undo_plan(report.plan, answers, host=name)
        show_undo(report, answers, messages, verbose=verbose)
        return report.exit_code

    return Job(run)
