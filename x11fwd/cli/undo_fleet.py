"""`x11fwd undo` of many hosts; imported by cli/undo.py."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.cli.fleet import Forms, ask_become, hear, left_out
from x11fwd.cli.options import sure
from x11fwd.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from x11fwd.cli.fleet import Crew
    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.fleet import Member
    from x11fwd.pipeline.undo import UndoAnswer, UndoOptions, UndoPlan, UndoReport
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["FleetUndo", "take_back"]


@dataclass(frozen=True)
class FleetUndo:
    """What was asked for; `again` is the command to type for what is left."""

    crew: Crew
    options: UndoOptions
    jobs: int
    yes: bool
    resume: bool
    ask_become: bool
    as_json: bool
    verbose: bool
    again: str


def take_back(asked: FleetUndo, prompter: TerminalPrompter) -> int:
    """Take back what setup changed on each of them; the exit code."""
    from x11fwd.cli.documents import undo_document, undo_host_document
    from x11fwd.pipeline.asking import OneAtATime
    from x11fwd.pipeline.fleet import Fleet, at_once
    from x11fwd.pipeline.fleet_answers import Answering
    from x11fwd.pipeline.fleet_state import RunState
    from x11fwd.pipeline.undo import UndoAnswer, UndoReport, UndoStatus, run_undo
    from x11fwd.ui.console import answer_console, message_console
    from x11fwd.ui.fleet import FleetView, show_fleet
    from x11fwd.ui.fleet_words import undo_ended
    from x11fwd.ui.message import show_error
    from x11fwd.ui.undo import UndoWatch, show_undo, show_undo_plan

    options = asked.options
    identity = (*asked.crew.identity, "--", str(options.keep_packages))
    state = RunState("undo", identity, os.environ, resume=asked.resume, keep=not options.dry_run)
    members = [member for member in asked.crew.members if member.name not in state.done]
    skipped = [member.name for member in asked.crew.members if member.name in state.done]
    answers, messages = answer_console(), message_console()
    become = ask_become(prompter) if asked.ask_become else None
    granted: list[UndoAnswer] = []  # what was answered for all
    asking, lock = threading.Lock(), threading.RLock()

    def failed(member: Member, error: X11fwdError) -> UndoReport:
        status = UndoStatus.STOPPED if isinstance(error, Interrupted) else UndoStatus.FAILED
        return UndoReport(member.name, status, error=error)

    view = FleetView([one.name for one in members], prompter, answers, messages, quiet=asked.as_json)
    fleet: Fleet[UndoReport] = Fleet(members, failed, view.stopping)
    shared = OneAtATime(prompter, lock)

    def approve(target: str, plan: UndoPlan) -> UndoAnswer:
        answer = UndoAnswer(go=True) if asked.yes else ask(target, plan)
        if answer.go:
            fleet.change(target)
        return answer

    def ask(target: str, plan: UndoPlan) -> UndoAnswer:
        with asking:
            if granted or fleet.stop_asked.is_set():
                return granted[0] if granted else UndoAnswer(go=True)  # `change` refuses it then
            view.aside(lambda: show_undo_plan(plan, messages if asked.as_json else answers, host=target))
            word = prompter.confirm_for_all(f"Take this back on {target}?")
            if not sure(None if word is None else word != "no"):
                return UndoAnswer(go=False)
            remove = options.keep_packages or not plan.packages
            if not remove:
                where = "on all of them" if word == "all" else "too"
                remove = sure(prompter.confirm(f"Remove the packages {where}?", default=True))
            answer = UndoAnswer(go=True, remove_packages=remove)
            if word == "all":
                granted.append(answer)
            return answer

    def work(member: Member) -> UndoReport:
        answering = Answering(shared, member, become)
        try:
            return run_undo(member.target, options, answering, UndoWatch(view, member.name), approve)
        except UsageError as error:  # what ssh refuses of one host is no reason to leave the others alone
            return failed(member, error)

    forms = Forms(undo_ended, undo_host_document, lambda one: one.exit_code, lambda one: one.status.value)
    left_out(asked.crew, view)
    with view:
        reports = hear(fleet, at_once(work, asked.jobs), forms, view, state, prompter, as_json=asked.as_json)
    codes = {report.exit_code for report in reports}
    code = next((one for one in (130, 3, 4, 2, 1) if one in codes), 0)
    if asked.as_json:
        print(json.dumps(undo_document(reports, code, skipped=skipped)))
        return code
    for report in reports if asked.verbose or options.dry_run else ():
        if options.dry_run and report.plan.entries:
            show_undo_plan(report.plan, answers, host=report.target)
        elif report.results:
            show_undo(report, answers, messages, verbose=asked.verbose)
    show_fleet(
        [undo_ended(report) for report in reports],
        answers,
        skipped=len(skipped),
        began=state.began,
        again="" if options.dry_run else asked.again,
    )
    if fleet.stop_asked.is_set():
        show_error("interrupted", "", messages)
    return code
