"""An ssh server on a socket pair, for tests of the login: paramiko's server side with scripted methods."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from x11fwd.target import SshConfig
from x11fwd.transports.login import Candidate, Login
from x11fwd.transports.paramiko_link import Link
from x11fwd.transports.userauth import UserAuth

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Person:
    """A prompter with scripted answers; `asked` holds every prompt, `echoed` those asked visibly."""

    answers: list[str | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    echoed: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def accept_host_key(self, question: object) -> bool:
        raise AssertionError(question)

    def secret(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.answers.pop(0) if self.answers else None

    def visible(self, prompt: str) -> str | None:
        self.echoed.append(prompt)
        return self.secret(prompt)

    def notice(self, text: str) -> None:
        self.notices.append(text)


@dataclass
class Rules(paramiko.ServerInterface):
    """What the server wants.

    Attributes:
        steps: methods that have to succeed, in this order.
        rounds: prompts of keyboard-interactive, with whether they may be echoed, and the right answers.
    """

    steps: list[str] = field(default_factory=lambda: ["publickey"])
    password: str = "right"
    key: bytes = b""
    rounds: list[list[tuple[str, bool, str]]] = field(default_factory=list)
    banner: str = ""
    tried: list[str] = field(default_factory=list)
    left: list[list[tuple[str, bool, str]]] = field(default_factory=list)

    def _result(self, method: str, right: bool) -> int:
        self.tried.append(f"{method}{'+' if right else '-'}")
        if not right or not self.steps or self.steps[0] != method:
            return AUTH_FAILED
        self.steps.pop(0)
        return AUTH_PARTIALLY_SUCCESSFUL if self.steps else AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return self.steps[0] if self.steps else ""

    def get_banner(self) -> tuple[str | None, str | None]:
        return (self.banner, "en") if self.banner else (None, None)

    def check_auth_none(self, username: str) -> int:
        self.tried.append("none")
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        return self._result("password", password == self.password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        # paramiko asks here for the question and for the signature alike
        right = key.asbytes() == self.key
        if not right:
            return self._result("publickey", right=False)
        self.tried.append("publickey?")
        return AUTH_SUCCESSFUL if len(self.steps) == 1 else AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        self.left = list(self.rounds)
        return self._query()

    def _query(self) -> InteractiveQuery:
        query = InteractiveQuery("Second factor", "Look at your phone")
        for prompt, echo, _ in self.left[0]:
            query.add_prompt(prompt, echo)
        return query

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        wanted = [answer for _, _, answer in self.left.pop(0)]
        if list(responses) != wanted:
            return self._result("keyboard-interactive", right=False)
        return self._query() if self.left else self._result("keyboard-interactive", right=True)


class Served:
    """A client connection whose key exchange is done, and the server at its other end."""

    def __init__(self, rules: Rules) -> None:
        ours, theirs = socket.socketpair()
        self.server = paramiko.Transport(theirs)
        self.server.add_server_key(paramiko.ECDSAKey.generate())
        ready = threading.Event()
        self.server.start_server(event=ready, server=rules)
        self.link = Link(ours, SshConfig())
        self.link.exchange_keys(self.link.get_security_options().key_types, 10)

    def login(
        self,
        person: Person,
        keys: Sequence[Candidate] = (),
        *,
        may_type: bool = True,
        agent: str = "",
        **values: str,
    ) -> None:
        config = SshConfig(MappingProxyType({key: (value,) for key, value in values.items()}))
        auth = UserAuth(self.link, "ana", person.notice)
        self.link.auth_handler = auth  # type: ignore[assignment]
        Login(
            auth,
            config,
            person,
            place="ana@gpu1",
            command="ssh gpu1",
            keys=keys,
            agent_problem=agent,
            server_algorithms=lambda: self.link.signature_algorithms,
            may_type=may_type,
            timeout=60,
        ).run()

    def close(self) -> None:
        self.link.close()
        self.server.close()
