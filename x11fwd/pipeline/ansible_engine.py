"""`setup --engine ansible`: the same playbook through real ansible-core, answers in our form; for the cli.

playbook -> role in a temporary folder -> ansible-playbook --check --diff -> plan -> asked -> ansible-playbook
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import ChangeError, Interrupted, UsageError
from x11fwd.pipeline.ansible_process import LAST_TASK, Folder
from x11fwd.pipeline.ansible_proof import Proof
from x11fwd.pipeline.ansible_words import (
    BY_HAND_TASK,
    WARNING_TASK,
    by_hand,
    change,
    last_words,
    sentence,
    stopped_before,
    stopped_within,
    unreachable,
    wants_password,
)
from x11fwd.pipeline.setup_model import SetupResult, SetupStatus
from x11fwd.steps.plan import Change, ChangeResult, Outcome, Plan

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from x11fwd.ansible import Event
    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.fleet import Member
    from x11fwd.pipeline.setup_model import Approve, Events, SetupOptions, Verify
    from x11fwd.playbook import Playbook
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter

__all__ = ["AnsibleSettings", "run_with_ansible"]

_SILENT = {"include_tasks", "import_tasks", "set_fact", "meta", "fail", "debug"}  # nothing to wait for


@dataclass(frozen=True)
class AnsibleSettings:
    """What Ansible is told beside the playbook.

    Attributes:
        inventory: given to it as it is, so that group_vars beside it count; None: one is made of the targets.
        jobs: its forks.
        ask: look first what would be changed, and ask for each host; False where `--yes` has answered.
        become_password: for all hosts, where the person has typed one already.
        vault_password_file: as `ansible-playbook --vault-password-file`.
    """

    inventory: Path | None
    jobs: int
    ask: bool = True
    vault_password_file: Path | None = None
    become_password: str | None = field(default=None, repr=False)


def run_with_ansible(  # noqa: PLR0917  as run_many, which stands in its place
    members: Sequence[Member],
    options: SetupOptions,
    settings: AnsibleSettings,
    prompter: Prompter,
    events: Callable[[Target], Events],
    approve: Approve,
    *,
    playbook: Playbook | None = None,
    finished: Callable[[Member, SetupResult], None],
    verify: Verify | None = None,
    stop: threading.Event,
) -> tuple[SetupResult, ...]:
    """Set up hosts through Ansible.

    Args:
        playbook: the one that `options` name, where it has been read already.
        finished: called once for each member, as soon as it has ended, from any thread.
        verify: called for hosts that were changed, on threads of their own.
        stop: set on Ctrl-C; the hosts' own watchers then take back what nobody confirmed.

    Returns:
        One result per member, in their order.

    Raises:
        UsageError: there is no ansible-core, or it refuses the inventory.
        PlaybookError: the playbook asks about something that Ansible cannot see.
    """
    from x11fwd.ansible import role_files
    from x11fwd.playbook import load_families, load_playbook

    playbook = playbook or load_playbook(options.playbook)
    files = role_files(playbook, load_families())
    names = _names(members)
    ears = {name: events(one.target) for name, one in names.items()}
    proof = Proof(verify, settings.jobs, stop)
    answers: dict[str, SetupResult] = {}

    def settle(name: str, result: SetupResult) -> None:
        def put(proven: SetupResult) -> None:
            ears[name].doing("")
            answers[name] = proven
            finished(names[name], proven)

        proof.of(result, names[name].target, ears[name], put)

    folder = Folder(files, options, names, inventory=settings.inventory)
    try:
        run = _Run(folder, names, settings, prompter, ears=ears, settle=settle)
        run.all(playbook.name, options, approve, stop)
        proof.wait()
    finally:
        folder.close()
    return tuple(answers[name] for name in names)


def _names(members: Sequence[Member]) -> dict[str, Member]:
    """What Ansible calls each: the inventory's name, or one that no pattern can misread."""
    return {
        f"x11fwd-target-{number}" if member.host is None else member.name: member
        for number, member in enumerate(members, 1)
    }


class _Host:
    """What one run has said of one host.

    Attributes:
        ended: nothing more will come.
        left: what a person has to do there.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.warnings: list[str] = []
        self.left: list[Change] = []
        self.failure: Event | None = None
        self.lost = False
        self.failed = False
        self.heard = False
        self.ended = False

    def plan(self, playbook: str) -> Plan:
        return Plan(playbook, tuple(self.changes), tuple(self.left), tuple(self.warnings))


class Ended(Protocol):
    """Told of each host once, as soon as Ansible is through with it."""

    def __call__(self, name: str, host: _Host, *, stopped: bool) -> None: ...


class _Run:
    """All runs of one command."""

    def __init__(
        self,
        folder: Folder,
        names: dict[str, Member],
        settings: AnsibleSettings,
        prompter: Prompter,
        *,
        ears: dict[str, Events],
        settle: Callable[[str, SetupResult], None],
    ) -> None:
        self.folder, self.names, self.settings = folder, names, settings
        self.prompter, self.ears, self.settle = prompter, ears, settle
        self.version = ""
        self.password = settings.become_password
        self.started = time.monotonic()

    def all(self, playbook: str, options: SetupOptions, approve: Approve, stop: threading.Event) -> None:
        """Each host to its end; `settle` hears what came of it as soon as that is known."""
        plans: dict[str, Plan] = {}
        left = list(self.names)

        def looked(name: str, host: _Host, *, stopped: bool) -> None:
            plan = plans[name] = host.plan(playbook)
            if stopped:
                self.settle(name, self._result(name, SetupStatus.STOPPED, error=stopped_before()))
            elif error := self._error(name, host):
                self.settle(name, self._result(name, SetupStatus.FAILED, plan=plan, error=error))
            elif plan.empty:
                self.settle(name, self._result(name, SetupStatus.ALREADY, plan=plan))
            elif options.dry_run:
                self.settle(name, self._result(name, SetupStatus.PLANNED, plan=plan))
            elif not plan.changes:
                self.settle(name, self._result(name, SetupStatus.LEFT, plan=plan))
            else:
                self.ears[name].doing("waiting for an answer")
                left.append(name)

        def changed(name: str, host: _Host, *, stopped: bool) -> None:
            self.settle(name, self._ended(name, host, host.plan(playbook), stopped=stopped))

        if self.settings.ask or options.dry_run:
            left = []
            self._through(list(self.names), looked, stop, check=True)
        agreed = []
        for name in (name for name in self.names if name in left):
            refused = self._refused(name, plans.get(name), approve)
            if refused is None:
                agreed.append(name)
            else:
                self.settle(name, refused)
        if agreed:
            self._through(agreed, changed, stop, check=False)

    def _ended(self, name: str, host: _Host, plan: Plan, *, stopped: bool) -> SetupResult:
        """What a run that was to change something has come to; the plan is what was really done."""
        made = tuple(ChangeResult(change.title, Outcome.DONE) for change in plan.changes)
        if stopped and host.failure is None:
            if host.heard:
                return self._result(name, SetupStatus.FAILED, plan=plan, results=made, error=stopped_within())
            return self._result(name, SetupStatus.STOPPED, error=stopped_before())
        error = self._error(name, host)
        if error is None:
            status = SetupStatus.DONE if made else SetupStatus.ALREADY
            if plan.left_to_admin:
                status = SetupStatus.LEFT
            return self._result(name, status, plan=plan, results=made)
        if host.failure is not None:
            made = (*made, ChangeResult(host.failure.task, Outcome.FAILED, error.message))
        return self._result(name, SetupStatus.FAILED, plan=plan, results=made, error=error)

    def _refused(self, name: str, plan: Plan | None, approve: Approve) -> SetupResult | None:
        """With `--yes` asked too: from here on somebody waits for what becomes of the host."""
        try:
            if approve(self.names[name].name, plan or Plan("")):
                return None
        except Interrupted as error:
            return self._result(name, SetupStatus.STOPPED, error=error)
        return self._result(name, SetupStatus.DECLINED, plan=plan)

    def _through(self, names: list[str], ended: Ended, stop: threading.Event, *, check: bool) -> None:
        """One run; again, with sudo's password, for the hosts that want one. Each is told of once."""
        wanting = names
        for attempt in range(4):
            left, wanting = wanting, []
            missing: dict[str, _Host] = {}

            def take(name: str, host: _Host, *, stopped: bool) -> None:
                if host.failure and wants_password(host.failure) and not stopped:
                    missing[name] = host  # noqa: B023  told of within this round
                else:
                    ended(name, host, stopped=stopped)

            self._once(left, take, stop, check=check)
            if missing and attempt < 3:
                many = self.names[next(iter(missing))].name if len(missing) == 1 else f"{len(missing)} hosts"
                self.password = self.prompter.secret(f"[sudo] password on {many}: ")
                if self.password is not None:
                    wanting = list(missing)
                    continue
            for name, host in missing.items():
                ended(name, host, stopped=False)
            return

    def _once(self, names: list[str], ended: Ended, stop: threading.Event, *, check: bool) -> None:
        hosts = {name: _Host() for name in names}
        begun = False

        def hear(event: Event) -> None:
            nonlocal begun
            if event.kind == "begin":
                begun, self.version = True, event.version
            elif event.kind == "end":
                for name, one in hosts.items():
                    one.failed, one.lost = name in event.failed, name in event.unreachable
            elif event.host in hosts and not (host := hosts[event.host]).ended:
                self._note(event, host, check=check)
                # what fails is never taken for well by the role, so what was heard up to here is all there is
                host.ended = event.kind == "unreachable" or (event.kind == "ok" and event.task == LAST_TASK)
                if host.ended:
                    ended(event.host, host, stopped=False)

        more: tuple[str, ...] = ()
        if self.settings.vault_password_file is not None:
            more = ("--vault-password-file", str(self.settings.vault_password_file))
        argv = self.folder.argv(
            names, forks=self.settings.jobs, check=check, password=self.password is not None, more=more
        )
        end = self.folder.run(argv, hear, stop, password=self.password)
        heard = begun and (end.status in {0, 2, 4} or any(h.heard for h in hosts.values()))
        if not heard and not end.stopped:
            raise UsageError(
                f"Ansible did not start: {last_words(end.words)}", hint="`--engine native` needs none"
            )
        for name, one in hosts.items():
            if not one.ended:
                ended(name, one, stopped=end.stopped)

    def _note(self, event: Event, host: _Host, *, check: bool) -> None:
        host.heard = True
        ears = self.ears[event.host]
        if event.kind == "start":
            task = event.task if "{{" not in event.task else event.task.partition("{{")[0].strip()
            if event.action not in _SILENT and task:
                ears.doing(f"{'looking: ' if check else ''}{task}")
        elif event.kind == "ok":
            if event.task == WARNING_TASK:
                host.warnings.append(event.msg.strip())
            elif event.task == BY_HAND_TASK:
                host.left.append(by_hand(event))
            elif event.changed and event.action != "service":
                host.changes.append(change(event))
        elif event.kind in {"failed", "unreachable"}:
            host.failure = event

    def _error(self, name: str, host: _Host) -> X11fwdError | None:
        """What stopped one host, with its cause."""
        typed, failure = self.names[name].name, host.failure
        if failure or host.failed or host.lost:
            words = sentence(failure) if failure else "Ansible gave up without a word"
            if host.lost or (failure and failure.kind == "unreachable"):
                return unreachable(typed, words)
            if failure and wants_password(failure):
                hint = "run it where the password can be typed, or set ansible_become_password in a vault"
                return ChangeError(f"sudo on {typed} asks for a password and nobody has answered", hint=hint)
            task = f" (in the task `{failure.task}`)" if failure else ""
            return ChangeError(f"{typed}: {words}{task}", hint="mend that, then run the command again")
        if not host.heard:
            return UsageError(f"Ansible did not try {typed}", hint="is it in the inventory?")
        return None

    def _result(
        self,
        name: str,
        status: SetupStatus,
        *,
        plan: Plan | None = None,
        results: tuple[ChangeResult, ...] = (),
        error: X11fwdError | None = None,
    ) -> SetupResult:
        where = f"inventory {self.settings.inventory}" if self.settings.inventory else "the targets as typed"
        return SetupResult(
            target=self.names[name].name,
            status=status,
            plan=plan,
            results=results,
            note="\n".join(one.title for one in plan.left_to_admin) if plan else "",
            error=error,
            route=f"ansible: ansible-core {self.version}, {where}",
            seconds=time.monotonic() - self.started,
        )
