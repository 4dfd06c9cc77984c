"""What setup is asked and what it answers, as values; imported by the pipeline, ui and cli."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from x11fwd.steps.engine import EngineLimits
from x11fwd.steps.plan import Plan

if TYPE_CHECKING:
    from x11fwd.checks.report import Report
    from x11fwd.errors import X11fwdError
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.steps.engine import SpokenLine
    from x11fwd.steps.plan import Change, ChangeResult
    from x11fwd.target import Target

__all__ = [
    "Approve",
    "Events",
    "SetupOptions",
    "SetupResult",
    "SetupStatus",
    "Silent",
    "Verify",
    "worst",
]


@dataclass(frozen=True)
class SetupOptions:
    """What the user asked for besides the targets.

    Attributes:
        transport: `auto`, `paramiko` or `openssh`.
        python: the interpreter to set up, None for the one a script would get.
        playbook: a shipped name or a file.
        backend: instead of the playbook's.
        only_me: sshd's options for this user alone.
        sshd_config: the main file of an unusual daemon.
        dry_run: show the plan and stop.
        confirm_seconds: how long the watcher of an sshd change waits for the new login.
        limits: how long the engine waits for others.
    """

    transport: str = "auto"
    python: str | None = None
    playbook: str = "default"
    backend: str | None = None
    only_me: bool = False
    sshd_config: str | None = None
    dry_run: bool = False
    confirm_seconds: int = 60
    limits: EngineLimits = field(default_factory=EngineLimits)


class SetupStatus(Enum):
    ALREADY = "already"  # nothing had to be changed
    PLANNED = "planned"  # --dry-run
    DECLINED = "declined"  # the person said no
    DONE = "done"
    LEFT = "left"  # something is left to an administrator
    FAILED = "failed"
    STOPPED = "stopped"  # Ctrl-C, before anything was changed


@dataclass(frozen=True)
class SetupResult:
    """What came of one host.

    Attributes:
        target: as typed.
        plan: what was planned; changes that turned out to need an administrator are in `left_to_admin`.
        results: one for each change that was tried, in order.
        note: the ready-to-send note to an administrator, "" where nothing is left to one.
        settled: what an earlier, interrupted run had left and was put in order first.
        verification: the plot's report, None where it was not asked for.
        error: what stopped it.
        route: transport and the reason for it.
        round_trips: questions asked of the remote after the logins, verification not counted.
        logins: how often we logged in, verification not counted.
    """

    target: str
    status: SetupStatus
    plan: Plan | None = None
    results: tuple[ChangeResult, ...] = ()
    note: str = ""
    settled: tuple[str, ...] = ()
    verification: Report | None = None
    error: X11fwdError | None = None
    local: LocalFacts | None = None
    remote: RemoteFacts | None = None
    route: str = ""
    round_trips: int = 0
    logins: int = 0
    seconds: float = 0.0

    @property
    def bridged(self) -> bool:
        """A plot came, and it took the bridge, because sshd does not forward X11."""
        proof = self.verification
        return proof is not None and proof.ok and proof.via == "bridge" and proof.refused

    @property
    def exit_code(self) -> int:
        """DESIGN.md's table."""
        if self.error is not None:
            return self.error.exit_code
        if self.verification is not None and not self.verification.ok:
            return self.verification.exit_code
        if self.bridged:
            return 0  # what is left to an administrator stands in nobody's way
        return 1 if self.note or self.status in {SetupStatus.DECLINED, SetupStatus.LEFT} else 0


class Events(Protocol):
    """Who is told what goes on; called from the host's own thread."""

    def doing(self, text: str) -> None:
        """One clause on what is being done or waited for now."""
        ...

    def planned(self, plan: Plan, remote: RemoteFacts) -> None: ...

    def started(self, change: Change) -> None: ...

    def said(self, change: Change, line: SpokenLine) -> None:
        """A line of the engine or of the package manager."""
        ...

    def finished(self, change: Change, result: ChangeResult) -> None: ...

    def noted(self, text: str) -> None:
        """A sentence that the person should see."""
        ...


class Silent:
    """An `Events` that tells nobody."""

    def doing(self, text: str) -> None: ...

    def planned(self, plan: Plan, remote: RemoteFacts) -> None: ...

    def started(self, change: Change) -> None: ...

    def said(self, change: Change, line: SpokenLine) -> None: ...

    def finished(self, change: Change, result: ChangeResult) -> None: ...

    def noted(self, text: str) -> None: ...


Approve = Callable[[str, Plan], bool]
"""Asked with the target as typed and the plan that was shown: may it be done?"""

Verify = Callable[["Target", "Events"], "Report | None"]
"""Makes a plot through a new login and looks at its pixels; None where it was left out after all."""


def worst(results: Sequence[SetupResult]) -> int:
    """The exit code of several hosts: the gravest of theirs, a failed connection before a failed change."""
    codes = {result.exit_code for result in results}
    return next((code for code in (130, 3, 4, 2, 1) if code in codes), 0)
