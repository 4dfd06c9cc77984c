"""`undo`: reads the journals of a host and takes back what setup changed; for the cli. Prints nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import Interrupted, UsageError, X11fwdError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.pipeline.asking import Remembering
from x11fwd.pipeline.confirming import confirm_by_login, fresh
from x11fwd.pipeline.doctor import real_means
from x11fwd.steps.engine import Engine, EngineLimits, NoRightsError, SpokenLine, UndoOutcome, UndoResult
from x11fwd.steps.journal import Entry, EntryKind, Now

if TYPE_CHECKING:
    from x11fwd.pipeline.doctor import Means
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport

__all__ = [
    "HERE",
    "SilentUndo",
    "UndoAnswer",
    "UndoApprove",
    "UndoEvents",
    "UndoOptions",
    "UndoPlan",
    "UndoReport",
    "UndoStatus",
    "run_undo",
]


@dataclass(frozen=True)
class UndoOptions:
    """What the user asked for besides the target.

    Attributes:
        transport: `auto`, `paramiko` or `openssh`.
        keep_packages: leave what was installed.
        dry_run: show what would be taken back and stop.
    """

    transport: str = "auto"
    keep_packages: bool = False
    dry_run: bool = False
    limits: EngineLimits = field(default_factory=EngineLimits)


@dataclass(frozen=True)
class UndoPlan:
    """What would be taken back, newest first.

    Attributes:
        entries: those that can be taken back.
        foreign: files that somebody else has changed since; they are left alone.
        out_of_reach: root has a journal here that could not be read, and why; "" otherwise.
    """

    entries: tuple[Entry, ...] = ()
    foreign: tuple[Entry, ...] = ()
    out_of_reach: str = ""

    @property
    def packages(self) -> tuple[str, ...]:
        """What was installed, offered for removal."""
        return tuple(
            name
            for entry in self.entries
            if entry.kind in {EntryKind.PACKAGES, EntryKind.ENVIRONMENT}
            for name in entry.added
        )


class UndoStatus(Enum):
    NOTHING = "nothing"  # there is nothing to undo
    PLANNED = "planned"
    DECLINED = "declined"
    DONE = "done"
    LEFT = "left"  # something was left as it is
    FAILED = "failed"
    STOPPED = "stopped"  # Ctrl-C, before anything was taken back


@dataclass(frozen=True)
class UndoReport:
    """What came of it.

    Attributes:
        target: as typed; `this machine` without one.
        results: one for each entry that was tried, in order.
        settled: what an interrupted run had left and was put in order first.
    """

    target: str
    status: UndoStatus
    plan: UndoPlan = field(default_factory=UndoPlan)
    results: tuple[UndoResult, ...] = ()
    settled: tuple[str, ...] = ()
    error: X11fwdError | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """DESIGN.md's table."""
        if self.error is not None:
            return self.error.exit_code
        return 1 if self.status in {UndoStatus.LEFT, UndoStatus.DECLINED} else 0


class UndoEvents(Protocol):
    """Who is told what goes on."""

    def doing(self, text: str) -> None: ...

    def planned(self, plan: UndoPlan) -> None: ...

    def started(self, entry: Entry) -> None: ...

    def said(self, entry: Entry, line: SpokenLine) -> None: ...

    def finished(self, result: UndoResult) -> None: ...

    def noted(self, text: str) -> None: ...


class SilentUndo:
    """An `UndoEvents` that tells nobody."""

    def doing(self, text: str) -> None: ...

    def planned(self, plan: UndoPlan) -> None: ...

    def started(self, entry: Entry) -> None: ...

    def said(self, entry: Entry, line: SpokenLine) -> None: ...

    def finished(self, result: UndoResult) -> None: ...

    def noted(self, text: str) -> None: ...


@dataclass(frozen=True)
class UndoAnswer:
    """What the person said: go on at all, and remove the packages too."""

    go: bool
    remove_packages: bool = True


HERE = "this machine"
"""What stands for the target where there is none."""

UndoApprove = Callable[[str, UndoPlan], UndoAnswer]
"""Asked with the target as typed and the plan that was shown."""


def run_undo(
    target: Target | None,
    options: UndoOptions,
    prompter: Prompter,
    events: UndoEvents,
    approve: UndoApprove,
    *,
    means: Means | None = None,
) -> UndoReport:
    """Take back, newest first, what the journals of a host hold.

    A file that others have changed since stays as it is, is named, and keeps its journal entry. Where the
    journals are empty afterwards their folders go as well.

    Args:
        target: None for what `doctor --fix` has changed on this machine.

    Raises:
        UsageError: the target cannot be meant.
    """
    started = time.monotonic()
    run = _Undo(target, options, Remembering(prompter), events, means or real_means())
    error: X11fwdError | None = None
    try:
        status = run.line(approve)
    except UsageError:
        raise
    except X11fwdError as problem:
        stopped = isinstance(problem, Interrupted) and not run.results
        status, error = UndoStatus.STOPPED if stopped else UndoStatus.FAILED, problem
    seconds = time.monotonic() - started
    return UndoReport(run.name, status, run.plan, tuple(run.results), run.settled, error, seconds)


class _Undo:
    """One host's undo under way."""

    def __init__(
        self,
        target: Target | None,
        options: UndoOptions,
        prompter: Remembering,
        events: UndoEvents,
        means: Means,
    ) -> None:
        self.target, self.options, self.prompter = target, options, prompter
        self.events, self.means = events, means
        self.plan = UndoPlan()
        self.results: list[UndoResult] = []
        self.settled: tuple[str, ...] = ()
        self.name = target.typed if target else HERE
        self.host = target.host if target else HERE

    def line(self, approve: UndoApprove) -> UndoStatus:
        with self._open() as transport:
            engine = Engine(
                transport,
                _rights(transport),
                password=self.prompter.secret,
                limits=self.options.limits,
            )
            self.events.doing(f"reading the journal on {self.host}")
            self.plan = self._read(engine)
            if not self.plan.entries and not self.plan.foreign and not self.plan.out_of_reach:
                return UndoStatus.NOTHING
            self.events.planned(self.plan)
            if self.options.dry_run:
                return UndoStatus.PLANNED
            if self.plan.entries:
                answer = approve(self.name, self.plan)
                if not answer.go:
                    return UndoStatus.DECLINED
                remove = answer.remove_packages and not self.options.keep_packages
                for entry in self.plan.entries:
                    self._take_back(engine, entry, remove_packages=remove)
            if not self.plan.foreign and not self.plan.out_of_reach:
                self._sweep(transport)
        left = any(result.outcome is UndoOutcome.FOREIGN for result in self.results)
        return UndoStatus.LEFT if left or self.plan.foreign or self.plan.out_of_reach else UndoStatus.DONE

    def _open(self) -> Transport:
        if self.target is None:
            from x11fwd.transports.local import LocalTransport

            return LocalTransport()
        self.events.doing(f"connecting to {self.host}")
        return self._log_in(self.target)

    def _log_in(self, target: Target) -> Transport:
        transport = self.means.connect(target, self.prompter, self.options.transport, None)
        self.prompter.logged_in()
        return transport

    def _read(self, engine: Engine) -> UndoPlan:
        own = engine.journal(as_root=False)
        entries = list(own.entries)
        out_of_reach = ""
        if own.root_too:
            try:
                theirs = engine.journal(as_root=True)
                if theirs.pending or any(entry.state != "done" for entry in theirs.entries):
                    self.settled = engine.recover(as_root=True)
                    for sentence in self.settled:
                        self.events.noted(sentence)
                    theirs = engine.journal(as_root=True)
                # as the root user both are one journal
                entries = [entry for entry in entries if entry.id not in {one.id for one in theirs.entries}]
                entries += theirs.entries
            except NoRightsError as error:
                out_of_reach = error.message
        newest_first = sorted(entries, key=lambda entry: (entry.time, entry.id), reverse=True)
        # an older entry of the same file is judged once the newer one has been taken back
        heads: set[str] = set()
        foreign: list[Entry] = []
        for entry in newest_first:
            if entry.path and entry.path not in heads and entry.now in {Now.FOREIGN, Now.GONE}:
                foreign.append(entry)
            heads.add(entry.path)
        blocked = {entry.path for entry in foreign if entry.now is Now.FOREIGN}
        return UndoPlan(
            tuple(entry for entry in newest_first if not entry.path or entry.path not in blocked),
            tuple(entry for entry in foreign if entry.now is Now.FOREIGN),
            out_of_reach,
        )

    def _sweep(self, transport: Transport) -> None:
        """What setup's own logins and test plot left in the home directory and nobody has used since."""
        absent = {path for result in self.results for path in result.entry.absent}
        if absent:
            script = files("x11fwd.pipeline").joinpath("undo_sweep.sh").read_bytes()
            transport.run(("sh", "-s", "--", *sorted(absent, reverse=True)), stdin=script)  # innermost first

    def _take_back(self, engine: Engine, entry: Entry, *, remove_packages: bool) -> None:
        self.events.started(entry)
        result = engine.undo(
            entry, remove_packages=remove_packages, listener=lambda line: self.events.said(entry, line)
        )
        if result.outcome is UndoOutcome.PENDING and self.target is not None:
            self.events.doing("logging in again to see that sshd lets us in")
            target = fresh(self.target)
            confirm_by_login(engine, lambda: self._log_in(target), needs_x11=False)
            result = UndoResult(entry, UndoOutcome.UNDONE, result.difference, result.kept)
        self.results.append(result)
        self.events.finished(result)


def _rights(transport: Transport) -> Privilege:
    """How root's rights can be had, in one round trip; nothing else of the facts is needed here."""
    script = (
        'if [ "$(id -u)" -eq 0 ]; then echo root; exit; fi\n'
        "if command -v sudo >/dev/null 2>&1; then\n"
        "  e=$(sudo -n true 2>&1) && { echo sudo; exit; }\n"
        '  case $e in *"password is required"*) echo sudo-password; exit ;; esac\n'
        "fi\n"
        "if command -v doas >/dev/null 2>&1 && doas -n true 2>/dev/null; then echo doas; exit; fi\n"
        "printf 'none %s\\n' \"${e:-there is neither sudo nor doas}\"\n"
    )
    word, _, evidence = transport.run(("sh", "-s"), stdin=script.encode()).text.strip().partition(" ")
    try:
        return Privilege(PrivilegeKind(word), evidence)
    except ValueError:
        return Privilege(PrivilegeKind.NONE, "it could not be found out how to become root")
