"""`x11fwd setup`: makes remotes ready, after showing what that means."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Annotated

import typer

from x11fwd.cli.job import APART, Job
from x11fwd.cli.options import (
    ConfigFile,
    Identity,
    Json,
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
    target_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from x11fwd.checks.report import Report
    from x11fwd.pipeline.setup import Events, SetupResult
    from x11fwd.pipeline.verify import VerifyResult
    from x11fwd.steps.plan import Plan
    from x11fwd.target import Target
    from x11fwd.ui.hosts import HostWatch

__all__ = ["EXAMPLES", "setup"]

_LOOK = 0.2  # seconds between two looks for Ctrl-C

EXAMPLES = """
\b
Examples:
  x11fwd setup ana@gpu1                    shows the plan, asks, does it
  x11fwd setup --dry-run ana@gpu1          shows the plan only
  x11fwd setup --yes gpu1 gpu2 gpu3        several at once, without asking
  x11fwd setup --only-me ana@login.uni     on a host that others use too
  x11fwd setup --playbook qt ana@gpu1      Qt windows instead of Tk's
  x11fwd setup --python ~/env/bin/python ana@gpu1
"""


def _playbooks() -> list[str]:
    return ["default", "qt"]


def setup(
    targets: TargetNames,
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
    as_json: Json = False,
    python: Python = None,
    transport: TransportName = "auto",
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
        from x11fwd.pipeline.setup import SetupOptions, run_many, run_setup, worst
        from x11fwd.pipeline.verify import VerifyOptions, run_verify
        from x11fwd.ui.console import answer_console, message_console
        from x11fwd.ui.hosts import HostsView
        from x11fwd.ui.plan import show_plan
        from x11fwd.ui.prompt import TerminalPrompter
        from x11fwd.ui.setup import show_setup
        from x11fwd.ui.verify import show_plot

        options = ssh_options(port, identity, jump, config, login, option)
        aims = [target_of(text, options) for text in dict.fromkeys(targets)]
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

        with HostsView([aim.typed for aim in aims], prompter, messages, quiet=as_json) as view:

            def show(target: str, plan: Plan) -> None:
                if not (as_json and (yes or dry_run)):
                    view.aside(lambda: show_plan(plan, plans, host=target))

            def planned(target: str) -> Callable[[Plan], None]:
                # what will be asked about is shown together with its question
                def listen(plan: Plan) -> None:
                    if yes or dry_run or not plan.changes:
                        show(target, plan)

                return listen

            def approve(target: str, plan: Plan) -> bool:
                if yes:
                    return True
                show(target, plan)
                return sure(prompter.confirm(f"Change {target} like this?"))

            def prove(aim: Target, events: Events) -> Report:
                options = VerifyOptions(
                    transport=transport,
                    python=python,
                    screenshot=_own(screenshot, aim, alone=len(aims) == 1),
                    keep=keep,
                    may_bridge=lambda: yes or prompter.confirm(may_bridge(aim.host)) is True,
                )

                def told(result: VerifyResult) -> None:
                    # with --keep, while the window is still open
                    if not as_json:
                        view.aside(lambda: show_plot(result, messages, host=aim.host))

                proofs[aim.typed] = run_verify(aim, options, prompter, events.doing, shown=told)
                return proofs[aim.typed].report

            def watch(aim: Target) -> HostWatch:
                return view.watch(aim.typed, planned(aim.typed))

            proof = None if no_verify else prove
            if len(aims) == 1:
                # in this thread, so that Ctrl-C ends it at once
                one = run_setup(aims[0], wanted, prompter, watch(aims[0]), approve, verify=proof)
                results: tuple[SetupResult, ...] = (one,)
            else:
                results = _apart(lambda: run_many(aims, wanted, prompter, watch, approve, verify=proof))
        code = worst(results)
        if as_json:
            from x11fwd.cli.documents import setup_document

            print(json.dumps(setup_document(results, code), indent=2))
            return code
        for aim, result in zip(aims, results, strict=True):
            seen = proofs.get(aim.typed)
            show_setup(result, answers, messages, aim=Aim.of(aim), proof=seen, verbose=verbose)
        return code

    return Job(run)


def _apart(work: Callable[[], tuple[SetupResult, ...]]) -> tuple[SetupResult, ...]:
    """Work that waits for threads, in a thread of its own: this one stays free to take Ctrl-C.

    The hosts are left as by a connection that was killed; the engine's journal and watcher are made for that.
    """
    done: Future[tuple[SetupResult, ...]] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name=APART, daemon=True).start()
    # A signal that comes just before a wait without limit does not end it, and one that another thread was
    # given never does: Python runs its handlers between two steps of this thread (Python docs, signal).
    while not wait((done,), timeout=_LOOK).done:
        pass
    return done.result()


def _own(file: Path | None, aim: Target, *, alone: bool) -> Path | None:
    """Each of several hosts gets a picture of its own: `plot-gpu1.png`."""
    if file is None or alone:
        return file
    return file.with_name(f"{file.stem}-{aim.host}{file.suffix}")
