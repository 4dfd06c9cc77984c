"""What every step sees while a plan is made, and where it leaves its questions; imported by steps only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.facts.model import PrivilegeKind, Unknown
from x11fwd.steps.questions import Answers, CommandAnswer, Questions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.model import PackageManager, RemoteFacts
    from x11fwd.playbook import Families, Family, Manager
    from x11fwd.steps.plan import Change

__all__ = ["PlanOptions", "Planning"]


@dataclass(frozen=True)
class PlanOptions:
    """What the user asked for beside the playbook.

    Attributes:
        backend: `--backend`, instead of the playbook's.
        only_me: allow sshd's options for this user alone.
        sshd_config: the main file of an unusual daemon (`--sshd-config`).
        confirm_seconds: how long the watcher of an sshd change waits.
    """

    backend: str | None = None
    only_me: bool = False
    sshd_config: str | None = None
    confirm_seconds: int = 60


@dataclass
class Planning:
    """One planning under way: the facts, and what the steps have said so far.

    Steps call `file` and `command` for what the facts do not hold. A question that has no answer yet is
    noted and reads as Unknown, so that one pass without answers finds every question.
    """

    facts: RemoteFacts
    families: Families
    options: PlanOptions
    answers: Answers
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unavailable: set[str] = field(default_factory=set)  # logical packages that nothing here can bring
    coming: set[str] = field(default_factory=set)  # those that this plan installs
    later: set[str] = field(default_factory=set)  # those that are left to an administrator
    instead: dict[str, str] = field(default_factory=dict)  # missing one -> what is used in its place
    _files: dict[str, None] = field(default_factory=dict)
    _commands: dict[tuple[str, ...], None] = field(default_factory=dict)

    @property
    def family(self) -> Family | None:
        """The family of the remote's system, None where no file claims it."""
        return self.families.find(self.facts.system.os_id, self.facts.system.os_like)

    @property
    def manager(self) -> Manager | None:
        """The package manager to use: the first of the family's that is there; None without one."""
        family, found = self.family, self.facts.package_manager
        if family is None:
            return None
        there: tuple[PackageManager, ...] = self.facts.package_managers
        names = [one.name for one in there]
        if not names and found is not None and not isinstance(found, Unknown):
            names = [found.name]
        return next((manager for name, manager in family.managers.items() if name in names), None)

    @property
    def system_name(self) -> str:
        """What the remote's system calls itself."""
        system = self.facts.system
        return system.pretty_name or system.os_id or "this system"

    @property
    def environment(self) -> Mapping[str, str]:
        """The login shell's variables; those sshd set where the login shell gave no answer."""
        login = self.facts.login_environment
        return self.facts.start_environment if isinstance(login, Unknown) else login

    @property
    def helpless(self) -> bool:
        """There is no way to root's rights here."""
        return self.facts.privilege.kind is PrivilegeKind.NONE and self.facts.uid != 0

    def file(self, path: str) -> bytes | Unknown | None:
        """The bytes of a remote file, None where it is absent, Unknown where it could not be read."""
        if path not in self.answers.files:
            self._files[path] = None
            return Unknown("not asked yet")
        return self.answers.files[path]

    def command(self, argv: tuple[str, ...]) -> CommandAnswer | Unknown:
        """What a command that only looks answers on the remote."""
        if argv not in self.answers.commands:
            self._commands[argv] = None
            return Unknown("not asked yet")
        return self.answers.commands[argv]

    @property
    def questions(self) -> Questions:
        """What has been asked so far without an answer."""
        return Questions(tuple(self._files), tuple(self._commands))

    def warn(self, sentence: str) -> None:
        """Something that would still stand in the way; said once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def note(self, sentence: str) -> None:
        """Something that is right already; said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
