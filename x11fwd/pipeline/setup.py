"""`setup`: connect, gather, plan, ask, apply, confirm, verify; for the cli. Prints nothing.

`run_setup` does one host; `fleet` does many side by side. What goes on is told to an `Events`, what came of
it is a frozen `SetupResult`; errors of one host end up in its result.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, Interrupted, UsageError, X11fwdError
from x11fwd.pipeline.asking import Remembering
from x11fwd.pipeline.confirming import confirm_by_login, fresh
from x11fwd.pipeline.doctor import beside, look_here, real_means
from x11fwd.pipeline.setup_model import (
    Approve,
    Events,
    SetupOptions,
    SetupResult,
    SetupStatus,
    Silent,
    Verify,
    worst,
)
from x11fwd.steps.admin_note import admin_note
from x11fwd.steps.engine import Engine, NoRightsError
from x11fwd.steps.plan import ChangeResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.checks.report import Report
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.pipeline.doctor import Means
    from x11fwd.playbook import Families, Playbook
    from x11fwd.steps.plan import Change, Plan
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer

__all__ = [
    "Approve",
    "Events",
    "SetupOptions",
    "SetupResult",
    "SetupStatus",
    "Silent",
    "Verify",
    "run_setup",
    "shipped_families",
    "worst",
]


def run_setup(
    target: Target,
    options: SetupOptions,
    prompter: Prompter,
    events: Events,
    approve: Approve,
    *,
    verify: Verify | None = None,
    means: Means | None = None,
    playbook: Playbook | None = None,
) -> SetupResult:
    """Bring one host to what the playbook asks for.

    Args:
        approve: asked before anything is changed; not with `options.dry_run`.
        verify: called after changes were made; None leaves verification to the caller.
        means: the arrows of the line; tests put their own in place.
        playbook: the one that `options` name, where it has been read already.

    Returns:
        The result; errors of the connection and of changes are in it.

    Raises:
        UsageError: the playbook cannot be read.
    """
    started = time.monotonic()
    playbook = playbook or _playbook(options)
    run = _Run(target, options, prompter=Remembering(prompter), events=events, means=means or real_means())
    error: X11fwdError | None = None
    try:
        status = run.line(playbook, approve)
        if verify is not None and (status is SetupStatus.DONE or run.bridge_may_do(status)):
            events.doing("drawing a plot over there and looking for it here")
            run.verification = verify(target, events)
        run.complain(bridged=run.verification is not None and run.verification.ok)
    except UsageError:
        raise
    except X11fwdError as problem:
        stopped = isinstance(problem, Interrupted) and not run.results
        status, error = SetupStatus.STOPPED if stopped else SetupStatus.FAILED, problem
    return SetupResult(
        target=target.typed,
        status=status,
        plan=run.plan,
        results=tuple(run.results),
        note=run.note,
        settled=run.settled,
        verification=run.verification,
        error=error,
        local=run.local,
        remote=run.remote,
        route=run.route,
        round_trips=run.round_trips,
        logins=run.logins,
        seconds=time.monotonic() - started,
    )


@functools.cache
def shipped_families() -> Families:
    """The families of systems; read once in a process, because many hosts ask for them."""
    from x11fwd.playbook import load_families

    return load_families()


def _playbook(options: SetupOptions) -> Playbook:
    from x11fwd.playbook import load_playbook

    return load_playbook(options.playbook)


class _Run:
    """One host's way along the line; keeps what is known so far for the result."""

    def __init__(
        self, target: Target, options: SetupOptions, *, prompter: Remembering, events: Events, means: Means
    ) -> None:
        self.target, self.options, self.events, self.means = target, options, events, means
        self.prompter = prompter
        self.plan: Plan | None = None
        self.results: list[ChangeResult] = []
        self.note = self.route = ""
        self.settled: tuple[str, ...] = ()
        self.verification: Report | None = None
        self.local: LocalFacts | None = None
        self.remote: RemoteFacts | None = None
        self.offer: X11Offer | None = None
        self.round_trips = self.logins = 0
        self._stuck = ""

    def bridge_may_do(self, status: SetupStatus) -> bool:
        """sshd refuses X11, nobody here may change that, and there is the other route."""
        refused = self.remote is not None and self.remote.x11.granted is False
        return refused and (status is SetupStatus.LEFT or bool(self._stuck))

    def complain(self, *, bridged: bool) -> None:
        """Raises ChangeError where no window comes by any route and nothing can be done about it."""
        if self._stuck and not bridged:
            raise ChangeError(self._stuck, hint="`x11fwd doctor` shows what stands in the way")

    def line(self, playbook: Playbook, approve: Approve) -> SetupStatus:
        self.events.doing(f"connecting to {self.target.host}")
        here = beside(lambda: look_here(self.target, self.means))
        transport = self._log_in(self.target, lambda: here()[1])
        try:
            self.local, self.offer = here()
            self.route = f"{transport.name}: {transport.reason}"
            return self._work(transport, playbook, approve)
        finally:
            self.round_trips += transport.round_trips
            transport.close()

    def _log_in(self, target: Target, offer: X11Offer | Callable[[], X11Offer | None] | None) -> Transport:
        transport = self.means.connect(target, self.prompter, self.options.transport, offer)
        self.prompter.logged_in()
        self.logins += 1
        return transport

    def _work(self, transport: Transport, playbook: Playbook, approve: Approve) -> SetupStatus:
        events = self.events
        events.doing(f"looking at {self.target.host}")
        remote = self.means.gather_remote(transport, self.options.python)
        engine = Engine(
            transport,
            remote.privilege,
            password=self.prompter.secret,
            plan=playbook.name,
            limits=self.options.limits,
        )
        if remote.sshd.pending:
            remote = self._settle(engine, transport, remote)
        self.remote = remote
        plan = self.plan = self._planned(transport, playbook, remote)
        self.note = admin_note(plan, remote)
        if plan.empty:
            if remote.x11.granted is False and plan.warnings:
                # nothing that we may change, and yet no window would come by ssh's own forwarding
                self._stuck = plan.warnings[0]
            return SetupStatus.ALREADY
        events.planned(plan, remote)
        if self.options.dry_run:
            return SetupStatus.PLANNED
        if plan.changes and not approve(self.target.typed, plan):
            return SetupStatus.DECLINED
        helpless = False
        for change in plan.changes:
            if helpless and change.become:
                continue
            try:
                self._apply(engine, change, traces_of(remote))
            except NoRightsError as error:
                # sudo is there and not for us: what needs it goes into the note, the rest is done
                helpless = True
                events.noted(error.message)
        if helpless:
            left = tuple(change for change in plan.changes if change.become)
            able = tuple(change for change in plan.changes if not change.become)
            plan = self.plan = replace(plan, changes=able, left_to_admin=(*plan.left_to_admin, *left))
            self.note = admin_note(plan, remote)
        return SetupStatus.LEFT if plan.left_to_admin else SetupStatus.DONE

    def _settle(self, engine: Engine, transport: Transport, remote: RemoteFacts) -> RemoteFacts:
        """An unconfirmed change of an earlier run goes back, or is waited for, before facts count."""
        self.events.doing(f"settling an unfinished change of sshd on {self.target.host}")
        try:
            self.settled = engine.recover(as_root=True)
        except NoRightsError:
            self.events.noted("a change of sshd by x11fwd waits for its confirmation; it goes back by itself")
            return remote
        for sentence in self.settled:
            self.events.noted(sentence)
        return self.means.gather_remote(transport, self.options.python)

    def _planned(self, transport: Transport, playbook: Playbook, remote: RemoteFacts) -> Plan:
        from x11fwd.steps.planner import make_plan, questions
        from x11fwd.steps.questions import ask

        options, families = self.options, shipped_families()
        asked = questions(
            playbook,
            families,
            remote,
            backend=options.backend,
            only_me=options.only_me,
            sshd_config=options.sshd_config,
        )
        return make_plan(
            playbook,
            families,
            remote,
            backend=options.backend,
            only_me=options.only_me,
            sshd_config=options.sshd_config,
            answers=ask(transport, asked, remote.privilege.kind),
            confirm_seconds=options.confirm_seconds,
        )

    def _apply(self, engine: Engine, change: Change, traces: Sequence[str]) -> None:
        self.events.started(change)
        try:
            result = engine.apply(change, lambda line: self.events.said(change, line), traces=traces)
            if result.outcome is Outcome.PENDING:
                self._confirm(engine)
                result = ChangeResult(change.id, Outcome.DONE, result.detail, result.journal)
        except NoRightsError:
            raise
        except ChangeError as error:
            result = ChangeResult(change.id, Outcome.FAILED, error.message)
            self.results.append(result)
            self.events.finished(change, result)
            raise
        self.results.append(result)
        self.events.finished(change, result)

    def _confirm(self, engine: Engine) -> None:
        self.events.doing("logging in again to see that sshd lets us in and grants X11")
        target = fresh(self.target)
        # sshd grants nothing without xauth (session.c); where none can be had, the login itself is the proof
        without = self.plan is not None and "xauth" in self.plan.lacks
        self.round_trips += confirm_by_login(
            engine, lambda: self._log_in(target, self.offer), needs_x11=self.offer is not None and not without
        )


def traces_of(remote: RemoteFacts) -> tuple[str, ...]:
    """What a login with X11 and the first plot leave in a home directory: sshd's xauth, caches of fonts.

    And the bridge's program: the plot goes that way where the host is far, or looks so from a busy machine.
    """
    home = remote.home.path
    authority = remote.authority.path if remote.authority else f"{home}/.Xauthority"
    return (
        authority,
        f"{home}/.cache",
        f"{home}/.cache/fontconfig",
        f"{home}/.cache/matplotlib",
        f"{home}/.cache/x11fwd",
        f"{home}/.config",
        f"{home}/.config/matplotlib",
    )
