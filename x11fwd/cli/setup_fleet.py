"""`x11fwd setup` of many hosts; imported by cli/setup.py."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from x11fwd.cli.fleet import Forms, ask_become, hear, left_out
from x11fwd.cli.options import sure
from x11fwd.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from x11fwd.checks.report import Report
    from x11fwd.cli.fleet import Crew
    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.fleet import Fleet, Member
    from x11fwd.pipeline.setup_model import Events, SetupOptions, SetupResult, Verify
    from x11fwd.playbook import Playbook
    from x11fwd.steps.plan import Plan
    from x11fwd.target import Target
    from x11fwd.ui.fleet import FleetView
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["ENGINES", "Approval", "FleetSetup", "set_up"]


@dataclass(frozen=True)
class FleetSetup:
    """What was asked for.

    Attributes:
        verify: makes the proof for one host, None where none is wanted.
        again: the command to type for what is left.
        engine: a name of ENGINES.
        vault_password_file: for Ansible alone.
    """

    crew: Crew
    inventory: Path | None
    options: SetupOptions
    jobs: int
    yes: bool
    resume: bool
    ask_become: bool
    as_json: bool
    verbose: bool
    verify: Verify | None
    again: str
    engine: str = "native"
    vault_password_file: Path | None = None


def set_up(asked: FleetSetup, prompter: TerminalPrompter) -> int:
    """Set them up and say what came of each; the exit code."""
    from x11fwd.cli.documents import setup_document, setup_host_document
    from x11fwd.pipeline.fleet import Fleet
    from x11fwd.pipeline.fleet_state import RunState
    from x11fwd.pipeline.setup_model import SetupResult, SetupStatus, worst
    from x11fwd.playbook import load_playbook
    from x11fwd.ui.console import answer_console, message_console
    from x11fwd.ui.fleet import FleetView, show_fleet
    from x11fwd.ui.fleet_words import setup_ended
    from x11fwd.ui.message import show_error

    options = asked.options
    # what is wrong with it is said before anybody is asked for anything
    playbook = load_playbook(options.playbook)
    what = (options.playbook, options.backend or "", options.python or "", options.sshd_config or "")
    identity = (*asked.crew.identity, "--", *what, str(options.only_me))
    state = RunState("setup", identity, os.environ, resume=asked.resume, keep=not options.dry_run)
    members = [member for member in asked.crew.members if member.name not in state.done]
    skipped = [member.name for member in asked.crew.members if member.name in state.done]
    answers, messages = answer_console(), message_console()

    def failed(member: Member, error: X11fwdError) -> SetupResult:
        status = SetupStatus.STOPPED if isinstance(error, Interrupted) else SetupStatus.FAILED
        return SetupResult(member.name, status, error=error)

    view = FleetView([member.name for member in members], prompter, answers, messages, quiet=asked.as_json)
    fleet = Fleet(members, failed, view.stopping)
    forms = Forms(setup_ended, setup_host_document, lambda one: one.exit_code, lambda one: one.status.value)
    left_out(asked.crew, view)
    with view:
        results = hear(
            fleet,
            ENGINES[asked.engine](asked, playbook, fleet, view, prompter),
            forms,
            view,
            state,
            prompter,
            as_json=asked.as_json,
        )
    code = worst(results)
    if asked.as_json:
        print(json.dumps(setup_document(results, code, skipped=skipped)))
        return code
    if options.dry_run or asked.verbose:
        _show_plans(results)
    show_fleet(
        [setup_ended(result) for result in results],
        answers,
        skipped=len(skipped),
        began=state.began,
        again="" if options.dry_run else asked.again,
    )
    if fleet.stop_asked.is_set():
        show_error("interrupted", "", messages)
    return code


def _native(
    asked: FleetSetup,
    playbook: Playbook,
    fleet: Fleet[SetupResult],
    view: FleetView,
    prompter: TerminalPrompter,
) -> Callable[[Fleet[SetupResult]], None]:
    """Our own engine, one thread a host."""
    from x11fwd.pipeline.asking import OneAtATime
    from x11fwd.pipeline.fleet import at_once
    from x11fwd.pipeline.fleet_answers import Answering
    from x11fwd.pipeline.fleet_means import Here
    from x11fwd.pipeline.setup import run_setup, shipped_families

    lock = threading.RLock()
    become = ask_become(prompter) if asked.ask_become else None
    approve = Approval(asked, fleet, view, prompter)
    shared, here = OneAtATime(prompter, lock), Here(os.environ)

    def prove(target: Target, events: Events) -> Report | None:
        if asked.verify is None or fleet.stop_asked.is_set():
            return None  # the host is set up; its picture nobody waits for any more
        return asked.verify(target, events)

    def work(member: Member) -> SetupResult:
        result = run_setup(
            member.target,
            asked.options,
            Answering(shared, member, become),
            view.watch(member.name, lambda _plan: None),
            approve,
            verify=prove if asked.verify else None,
            means=here.means(),
            playbook=playbook,
        )
        # the facts of a thousand hosts are not to be kept for the two lines that are said of each
        return replace(result, local=None, remote=None)

    shipped_families()
    return at_once(work, asked.jobs)


def _ansible(
    asked: FleetSetup,
    playbook: Playbook,
    fleet: Fleet[SetupResult],
    view: FleetView,
    prompter: TerminalPrompter,
) -> Callable[[Fleet[SetupResult]], None]:
    """ansible-playbook, one process for all hosts."""
    from x11fwd.cli.setup_ansible import start_ansible

    return start_ansible(asked, playbook, fleet, view, prompter, Approval(asked, fleet, view, prompter))


# How each engine starts: what it is given here it may use from its threads, and each host's result goes to
# the fleet's `put`.
ENGINES = {"native": _native, "ansible": _ansible}


class Approval:
    """Asks before a host is changed; one answer may stand for all that need the same."""

    def __init__(
        self, asked: FleetSetup, fleet: Fleet[SetupResult], view: FleetView, prompter: TerminalPrompter
    ) -> None:
        self._asked, self._fleet, self._view, self._prompter = asked, fleet, view, prompter
        self._lock = threading.Lock()
        self._granted: set[tuple[object, ...]] = set()

    def __call__(self, target: str, plan: Plan) -> bool:
        if not self._asked.yes and not self._ask(target, plan):
            return False
        self._fleet.change(target)
        return True

    def _ask(self, target: str, plan: Plan) -> bool:
        from x11fwd.ui.console import answer_console, message_console
        from x11fwd.ui.plan import show_plan

        with self._lock:
            if _alike(plan) in self._granted or self._fleet.stop_asked.is_set():
                return True
            console = message_console() if self._asked.as_json else answer_console()
            self._view.aside(lambda: show_plan(plan, console, host=target))
            answer = self._prompter.confirm_for_all(f"Change {target} like this?")
            if answer == "all":
                self._granted.add(_alike(plan))
            return sure(None if answer is None else answer != "no")


def _alike(plan: Plan) -> tuple[object, ...]:
    """What two plans must have in common for one answer to stand for both."""
    changes = (*plan.changes, None, *plan.left_to_admin)
    return tuple(
        (one.id, one.title, one.become, tuple((line.mark, line.text) for line in one.diff)) if one else None
        for one in changes
    )


def _show_plans(results: Sequence[SetupResult]) -> None:
    """Each different plan once, with the hosts that have it."""
    from x11fwd.ui.console import answer_console
    from x11fwd.ui.plan import show_plan

    alike: dict[tuple[object, ...], list[SetupResult]] = {}
    for result in results:
        if result.plan is not None and not result.plan.empty:
            alike.setdefault(_alike(result.plan), []).append(result)
    console = answer_console()
    for group in alike.values():
        names = ", ".join(result.target for result in group[:4])
        more = f" and {len(group) - 4} more" if len(group) > 4 else ""
        console.print()
        if group[0].plan is not None:
            show_plan(group[0].plan, console, host=names + more)
