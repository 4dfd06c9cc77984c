"""`setup --engine ansible`: the same playbook through real ansible-core, answers in our form; for the cli.

playbook -> role in a temporary folder -> ansible-playbook --check --diff -> plan -> asked -> ansible-playbook
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from x11fwd.errors import AuthError, ChangeError, ConnectError, HostKeyError, Interrupted, UsageError
from x11fwd.pipeline.ansible_process import Finished, Folder
from x11fwd.pipeline.setup_model import SetupResult, SetupStatus
from x11fwd.steps.plan import Change, ChangeResult, DiffLine, Outcome, Plan, RunCommand
from x11fwd.steps.wording import file_diff, slug

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

_WOULD = "Would install "
_NO_PASSWORD = re.compile(
    r"missing sudo password|password is required|incorrect sudo password", re.IGNORECASE
)


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
        finished: called once for each member.
        verify: called for hosts that were changed.
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
    folder = Folder(files, options, names, inventory=settings.inventory)
    try:
        run = _Run(
            folder, names, settings, prompter, {name: events(one.target) for name, one in names.items()}
        )
        results = run.all(playbook.name, options, approve, stop)
    finally:
        folder.close()
    answers = []
    for name, member in names.items():
        result = results[name]
        if verify is not None and result.status is SetupStatus.DONE and not stop.is_set():
            result = replace(result, verification=verify(member.target, run.ears[name]))
        run.ears[name].doing("")
        finished(member, result)
        answers.append(result)
    return tuple(answers)


def _names(members: Sequence[Member]) -> dict[str, Member]:
    """What Ansible calls each: the inventory's name, or one that no pattern can misread."""
    return {
        f"x11fwd-target-{number}" if member.host is None else member.name: member
        for number, member in enumerate(members, 1)
    }


class _Host:
    """What one run has said of one host."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.failure: Event | None = None
        self.lost = False
        self.failed = False
        self.heard = False


class _Run:
    """All runs of one command."""

    def __init__(
        self,
        folder: Folder,
        names: dict[str, Member],
        settings: AnsibleSettings,
        prompter: Prompter,
        ears: dict[str, Events],
    ) -> None:
        self.folder, self.names, self.settings, self.prompter, self.ears = (
            folder,
            names,
            settings,
            prompter,
            ears,
        )
        self.version = ""
        self.password = settings.become_password
        self.started = time.monotonic()

    def all(
        self, playbook: str, options: SetupOptions, approve: Approve, stop: threading.Event
    ) -> dict[str, SetupResult]:
        results: dict[str, SetupResult] = {}
        left = list(self.names)
        plans: dict[str, Plan] = {}
        if self.settings.ask or options.dry_run:
            looked, end = self._through(left, stop, check=True)
            for name, host in looked.items():
                plans[name] = Plan(playbook, tuple(host.changes))
                if end.stopped:
                    results[name] = self._result(name, SetupStatus.STOPPED, error=_stopped_before())
                elif error := self._error(name, host):
                    results[name] = self._result(name, SetupStatus.FAILED, plan=plans[name], error=error)
                elif not host.changes:
                    results[name] = self._result(name, SetupStatus.ALREADY, plan=plans[name])
                elif options.dry_run:
                    results[name] = self._result(name, SetupStatus.PLANNED, plan=plans[name])
            left = [name for name in left if name not in results]
        for name in left:
            refused = self._refused(name, plans.get(name), approve)
            if refused is not None:
                results[name] = refused
        left = [name for name in left if name not in results]
        if not left:
            return results
        done, end = self._through(left, stop, check=False)
        for name, host in done.items():
            plan = plans.get(name) or Plan(playbook, tuple(host.changes))
            made = tuple(ChangeResult(change.title, Outcome.DONE) for change in host.changes)
            error = self._error(name, host)
            if end.stopped and not host.failure:
                error = _stopped_within() if host.heard else _stopped_before()
                status = SetupStatus.FAILED if host.heard else SetupStatus.STOPPED
            else:
                status = SetupStatus.FAILED if error else SetupStatus.DONE if made else SetupStatus.ALREADY
            if host.failure is not None and error is not None:
                made = (*made, ChangeResult(host.failure.task, Outcome.FAILED, error.message))
            # titles of what was really done, not of what a look had foreseen
            results[name] = self._result(
                name, status, plan=replace(plan, changes=tuple(host.changes)), results=made, error=error
            )
        return results

    def _refused(self, name: str, plan: Plan | None, approve: Approve) -> SetupResult | None:
        """With `--yes` asked too: from here on somebody waits for what becomes of the host."""
        try:
            if approve(self.names[name].name, plan or Plan("")):
                return None
        except Interrupted as error:
            return self._result(name, SetupStatus.STOPPED, error=error)
        return self._result(name, SetupStatus.DECLINED, plan=plan)

    def _through(
        self, names: list[str], stop: threading.Event, *, check: bool
    ) -> tuple[dict[str, _Host], Finished]:
        """One run; again, with sudo's password, for the hosts that want one."""
        hosts, end = self._once(names, stop, check=check)
        wanting = [
            name
            for name, host in hosts.items()
            if host.failure and _NO_PASSWORD.search(f"{host.failure.msg} {host.failure.stderr}")
        ]
        for _ in range(3):
            if not wanting or end.stopped:
                break
            many = self.names[wanting[0]].name if len(wanting) == 1 else f"{len(wanting)} hosts"
            self.password = self.prompter.secret(f"[sudo] password on {many}: ")
            if self.password is None:
                break
            again, end = self._once(wanting, stop, check=check)
            hosts.update(again)
            wanting = [
                name
                for name in wanting
                if (failure := hosts[name].failure) and _NO_PASSWORD.search(f"{failure.msg} {failure.stderr}")
            ]
        return hosts, end

    def _once(
        self, names: list[str], stop: threading.Event, *, check: bool
    ) -> tuple[dict[str, _Host], Finished]:
        hosts = {name: _Host() for name in names}
        begun = False

        def hear(event: Event) -> None:
            nonlocal begun
            if event.kind == "begin":
                begun, self.version = True, event.version
            elif event.kind == "end":
                for name, host in hosts.items():
                    host.failed, host.lost = name in event.failed, name in event.unreachable
            elif event.host in hosts:
                self._note(event, hosts[event.host], check=check)

        more: tuple[str, ...] = ()
        if self.settings.vault_password_file is not None:
            more = ("--vault-password-file", str(self.settings.vault_password_file))
        argv = self.folder.argv(
            names, forks=self.settings.jobs, check=check, password=self.password is not None, more=more
        )
        end = self.folder.run(argv, hear, stop, password=self.password)
        if not begun or (
            end.status not in {0, 2, 4} and not end.stopped and not any(h.heard for h in hosts.values())
        ):
            raise UsageError(
                f"Ansible did not start: {_last_words(end.words)}", hint="`--engine native` needs none"
            )
        return hosts, end

    def _note(self, event: Event, host: _Host, *, check: bool) -> None:
        host.heard = True
        ears = self.ears[event.host]
        if event.kind == "start":
            task = event.task if "{{" not in event.task else event.task.partition("{{")[0].strip()
            if event.action not in {"include_tasks", "import_tasks", "set_fact", "meta"} and task:
                ears.doing(f"{'looking: ' if check else ''}{task}")
        elif event.kind == "ok":
            if event.changed and event.action != "service":
                host.changes.append(_change(event))
        elif event.kind in {"failed", "unreachable"}:
            host.failure = event

    def _error(self, name: str, host: _Host) -> X11fwdError | None:
        """What stopped one host, with its cause."""
        typed, failure = self.names[name].name, host.failure
        if host.failed or host.lost:
            words = _sentence(failure) if failure else "Ansible gave up without a word"
            if host.lost or (failure and failure.kind == "unreachable"):
                return _unreachable(typed, words)
            if failure and _NO_PASSWORD.search(f"{failure.msg} {failure.stderr}"):
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
            error=error,
            route=f"ansible: ansible-core {self.version}, {where}",
            seconds=time.monotonic() - self.started,
        )


def _change(event: Event) -> Change:
    title = event.task
    lines: list[DiffLine] = []
    if title.startswith(_WOULD):
        title = "Install " + title.removeprefix(_WOULD)
        lines = [DiffLine("+", package) for package in title.removeprefix("Install ").split(", ")]
    for one in event.diff:
        if one.path and one.before != one.after:
            lines += file_diff(one.path, one.before or None, one.after)
    return Change(slug(title), title, RunCommand((), (), ()), become=False, diff=tuple(lines))


def _sentence(event: Event) -> str:
    words = event.msg.strip() or _last_words(event.stderr)
    return re.sub(r"^(?:Task failed: )?(?:Action failed: )?", "", words).rstrip(". :")


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    return re.sub(r"^(\[ERROR\]|ERROR!):?\s*", "", (errors or lines or ["it said nothing"])[-1])


def _unreachable(typed: str, words: str) -> ConnectError:
    last = _last_words(words.replace("\r", "\n"))
    if re.search(r"host key verification failed|identification has changed", words, re.IGNORECASE):
        return HostKeyError(
            f"the host key of {typed} is not known or has changed: {last}",
            hint="log in once with ssh, which shows the key and asks",
        )
    if re.search(r"permission denied|authentication fail", words, re.IGNORECASE):
        return AuthError(f"{typed} did not let us in: {last}", hint="`ssh` with the same options shows why")
    return ConnectError(f"{typed} could not be reached: {last}", hint="`ssh` with the same options shows why")


def _stopped_before() -> Interrupted:
    return Interrupted("stopped before anything was changed")


def _stopped_within() -> Interrupted:
    return Interrupted(
        "stopped in the middle; a change of sshd that nobody confirmed goes back by itself",
        hint="run the command again",
    )
