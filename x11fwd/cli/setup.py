"""`x11fwd setup`: makes remotes ready, after showing what that means."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from x11fwd.cli.fleet import (
    AskBecome,
    Engine,
    InventoryFile,
    Jobs,
    JsonLines,
    Limit,
    Resume,
    VaultFile,
    crew_of,
    typed_again,
)
from x11fwd.cli.job import Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Jump,
    Keep,
    Login,
    Option,
    Port,
    Python,
    Screenshot,
    TargetNames,
    TransportName,
    Verbose,
    Yes,
    may_bridge,
    ssh_options,
    sure,
)
from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from x11fwd.checks.report import Report
    from x11fwd.pipeline.setup import Events
    from x11fwd.pipeline.verify import VerifyResult
    from x11fwd.steps.plan import Plan
    from x11fwd.target import Target

__all__ = ["EXAMPLES", "setup"]

EXAMPLES = """
\b
Examples:
  x11fwd setup ana@gpu1                    shows the plan, asks, does it
  x11fwd setup --dry-run ana@gpu1          shows the plan only
  x11fwd setup --yes gpu1 gpu2 gpu3        several at once, without asking
  x11fwd setup --inventory hosts.ini --limit 'gpu:!old'
  x11fwd setup --inventory hosts.ini --resume   what the last run left
  x11fwd setup --inventory hosts.ini --engine ansible
  x11fwd setup --only-me ana@login.uni     on a host that others use too
  x11fwd setup --playbook qt ana@gpu1      Qt windows instead of Tk's
  x11fwd setup --python ~/env/bin/python ana@gpu1
"""


def _playbooks() -> list[str]:
    return ["default", "qt"]


def setup(
    targets: TargetNames = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    only_me: Annotated[
        bool,
        typer.Option("--only-me", help="Allow forwarding for your login alone, not for everybody there."),
    ] = False,
    playbook: Annotated[
        str,
        typer.Option(
            "--playbook",
            metavar="NAME|FILE",
            autocompletion=_playbooks,
            help="What to do: default, qt, or a file of yours.",
            show_default=False,
        ),
    ] = "default",
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="NAME", help="matplotlib's backend, instead of TkAgg.")
    ] = None,
    sshd_config: Annotated[
        str | None,
        typer.Option("--sshd-config", metavar="PATH", help="Main file of an unusual sshd."),
    ] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not draw a plot afterwards to prove that it works.")
    ] = False,
    screenshot: Screenshot = None,
    keep: Keep = False,
    verbose: Verbose = False,
    as_json: JsonLines = False,
    python: Python = None,
    transport: TransportName = "auto",
    inventory: InventoryFile = None,
    limit: Limit = None,
    jobs: Jobs = None,
    resume: Resume = False,
    ask_become_pass: AskBecome = False,
    engine: Engine = "native",
    vault_password_file: VaultFile = None,
    port: Port = None,
    identity: Identity = None,
    jump: Jump = None,
    config: ConfigFile = None,
    login: Login = None,
    option: Option = None,
) -> Job:
    """Make hosts ready, so that plt.show() opens its window here.

    Looks first, shows what it would change as a diff, and asks. Installs what is missing (xauth, Tk,
    matplotlib), lets sshd forward X11, and sets matplotlib's backend; sshd is only reloaded, and gets its
    old files back by itself unless a new login works. Without root's rights it does the rest and writes a
    note for your administrator. Every change is recorded on the host, and x11fwd undo takes it back.
    """

    def run() -> int:
        from x11fwd.checks.check import Aim
        from x11fwd.pipeline.ansible_inventory import reader
        from x11fwd.pipeline.run_way import configured_way
        from x11fwd.pipeline.setup import SetupOptions, run_setup
        from x11fwd.pipeline.verify import VerifyOptions, run_verify
        from x11fwd.ui.console import answer_console, message_console
        from x11fwd.ui.hosts import HostsView
        from x11fwd.ui.plan import show_plan
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.setup import show_setup
        from x11fwd.ui.verify import show_plot

        options = ssh_options(port, identity, jump, config, login, option)
        read = reader(vault_password_file) if engine == "ansible" else None
        crew = crew_of(targets or (), inventory, limit, options, read)
        # now, as a wrong file of settings must not stop what is half done
        ways = {one.target.host: configured_way(one.target.host, "auto", os.environ) for one in crew.members}
        wanted = SetupOptions(
            transport=transport,
            python=python,
            playbook=playbook,
            backend=backend,
            only_me=only_me,
            sshd_config=sshd_config,
            dry_run=dry_run,
        )
        proofs: dict[str, VerifyResult] = {}
        prompter, answers, messages = TerminalPrompter(), answer_console(), message_console()
        # with --json stdout holds the document and nothing else
        plans = messages if as_json else answers

        def prove(
            aim: Target, events: Events, shown: Callable[[VerifyResult], None] = lambda _result: None
        ) -> Report:
            options = VerifyOptions(
                transport=transport,
                python=python,
                screenshot=_own(screenshot, aim, alone=not crew.many),
                keep=keep,
                via=ways.get(aim.host, "auto"),
                may_bridge=lambda: yes or prompter.confirm(may_bridge(aim.host)) is True,
                proves_forwarding=True,
            )
            result = run_verify(aim, options, prompter, events.doing, shown=shown)
            if not crew.many:
                proofs[aim.typed] = result
            return result.report

        if engine not in {"native", "ansible"}:
            raise UsageError(f"`{engine}` is no engine", hint="known: native, ansible")
        if crew.many or resume or engine != "native":
            from x11fwd.cli.setup_fleet import FleetSetup, set_up
            from x11fwd.pipeline.fleet import JOBS

            words = [
                ("--inventory", str(inventory) if inventory else None),
                ("--limit", limit),
                ("--playbook", None if playbook == "default" else playbook),
                ("--backend", backend),
                ("--only-me", only_me),
                ("--sshd-config", sshd_config),
                ("--python", python),
                ("--transport", None if transport == "auto" else transport),
                ("--jobs", str(jobs) if jobs else None),
                ("--no-verify", no_verify),
                ("--ask-become-pass", ask_become_pass),
                ("--engine", None if engine == "native" else engine),
                ("--vault-password-file", str(vault_password_file) if vault_password_file else None),
                ("--yes", yes),
            ]
            again = typed_again("setup", words, (*options.argv(), *(targets or ())))
            proof = None if no_verify else prove
            asked = FleetSetup(
                crew,
                inventory,
                wanted,
                jobs or JOBS,
                yes=yes,
                resume=resume,
                ask_become=ask_become_pass,
                as_json=as_json,
                verbose=verbose,
                verify=proof,
                again=again,
                engine=engine,
                vault_password_file=vault_password_file,
            )
            return set_up(asked, prompter)

        aim = crew.members[0].target
        with HostsView([aim.typed], prompter, messages, quiet=as_json) as view:

            def show(plan: Plan) -> None:
                if not (as_json and (yes or dry_run)):
                    view.aside(lambda: show_plan(plan, plans, host=aim.typed))

            def planned(plan: Plan) -> None:
                # what will be asked about is shown together with its question
                if yes or dry_run or not plan.changes:
                    show(plan)

            def approve(target: str, plan: Plan) -> bool:
                if yes:
                    return True
                show(plan)
                return sure(prompter.confirm(f"Change {target} like this?"))

            def told(result: VerifyResult) -> None:
                # with --keep, while the window is still open
                if not as_json:
                    view.aside(lambda: show_plot(result, messages, host=aim.host))

            def prove_aloud(aim: Target, events: Events) -> Report:
                return prove(aim, events, told)

            watch = view.watch(aim.typed, planned)
            proof_alone = None if no_verify else prove_aloud
            # in this thread, so that Ctrl-C ends it at once
            result = run_setup(aim, wanted, prompter, watch, approve, verify=proof_alone)
        if as_json:
            from x11fwd.cli.documents import setup_document

            print(json.dumps(setup_document((result,), result.exit_code), indent=2))
            return result.exit_code
        seen = proofs.get(aim.typed)
        show_setup(result, answers, messages, aim=Aim.of(aim, python), proof=seen, verbose=verbose)
        return result.exit_code

    return Job(run)


def _own(file: Path | None, aim: Target, *, alone: bool) -> Path | None:
    """Each of several hosts gets a picture of its own: `plot-gpu1.png`."""
    if file is None or alone:
        return file
    return file.with_name(f"{file.stem}-{aim.host}{file.suffix}")
