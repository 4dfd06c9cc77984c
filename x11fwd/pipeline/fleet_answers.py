"""Passwords that an inventory or one question for all hosts gives; for the cli's fleets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.privilege import WrongPasswordError

if TYPE_CHECKING:
    from x11fwd.pipeline.fleet import Member
    from x11fwd.transports.base import HostKeyQuestion, Prompter

__all__ = ["Answering"]


class Answering:
    """A prompter for one host that knows some answers; the others it passes on.

    Each known password is given once. One that was not accepted is an error that says whose it was: to ask a
    person about every host of a fleet whose common password is wrong would help nobody.

    Args:
        become: sudo's password for all hosts (`--ask-become-pass`); what the inventory says of a host counts
            more.
    """

    def __init__(self, prompter: Prompter, member: Member, become: str | None = None) -> None:
        self._prompter = prompter
        self._name = member.name
        host = member.host
        self._login = host.password if host else None
        own = host.become.password if host else None
        self._become = become if own is None else own
        self._whose = "`ansible_become_password`" if own is not None else "`--ask-become-pass`"
        self._given: set[str] = set()

    def __repr__(self) -> str:
        return f"Answering({self._name})"  # holds passwords

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        return self._prompter.accept_host_key(question)

    def secret(self, prompt: str) -> str | None:
        if prompt.startswith("[sudo] password"):
            if self._become is None:
                return self._prompter.secret(prompt)
            if prompt in self._given:
                raise WrongPasswordError(
                    f"sudo did not accept the password on {self._name}",
                    hint=f"it came from {self._whose}",
                )
            self._given.add(prompt)
            return self._become
        if self._login is not None and "password" in prompt.lower() and prompt not in self._given:
            self._given.add(prompt)
            return self._login
        return self._prompter.secret(prompt)

    def visible(self, prompt: str) -> str | None:
        return self._prompter.visible(prompt)

    def notice(self, text: str) -> None:
        self._prompter.notice(text)
