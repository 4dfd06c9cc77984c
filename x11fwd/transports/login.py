"""Which key, password or code to try next, as ssh does; for the paramiko transport only.

The order of keys is pubkey_prepare's in OpenSSH's sshconnect2.c: files that the agent holds too, the agent's
other keys, files alone. Methods follow `PreferredAuthentications`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import AuthError
from x11fwd.transports.agent import Agent, AgentError, AgentKey, NoAgentError, read_string
from x11fwd.transports.private_keys import Identity, WrongPassphraseError, read_identity, unlock
from x11fwd.transports.userauth import Accepted, Questions, Rejected, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from x11fwd.target import SshConfig
    from x11fwd.transports.base import Prompter
    from x11fwd.transports.userauth import UserAuth

__all__ = ["Candidate", "Login", "candidates"]

_CERTIFICATE = "-cert-v01@openssh.com"
_METHODS = ("publickey", "keyboard-interactive", "password")
# Seconds for the answer to a password or a code: PAM may wait for a directory server, or for somebody to take
# up a telephone. sshd ends the login after 120 by itself (LoginGraceTime), and ssh waits for that.
_GRACE = 150.0


@dataclass(frozen=True)
class Candidate:
    """A key to offer: the agent's, a file's, or both."""

    agent_key: AgentKey | None = None
    agent: Agent | None = None
    identity: Identity | None = None

    @property
    def blob(self) -> bytes | None:
        if self.agent_key is not None:
            return self.agent_key.blob
        return None if self.identity is None else self.identity.blob

    @property
    def asks_somebody(self) -> bool:
        """Signing needs a touch or a passphrase, so the server is asked first whether it is worth it."""
        kind = read_string(self.blob, 0)[0] if self.blob else b"sk-"
        if self.agent_key is not None:
            return kind.startswith(b"sk-")
        return self.identity is None or self.identity.encrypted


def candidates(
    identities: Sequence[Identity], agent: Agent | None, *, identities_only: bool
) -> tuple[list[Candidate], str]:
    """Every key to offer in ssh's order, and what is wrong with the agent (`""`: nothing, or none there)."""
    problem = ""
    held: tuple[AgentKey, ...] = ()
    if agent is not None:
        try:
            held = agent.keys()
        except NoAgentError:
            pass
        except AgentError as error:
            problem = f"{error}, so its keys were left out"
    by_blob = {key.blob: key for key in held}
    listed = {identity.blob for identity in identities if identity.blob is not None}
    found = [
        Candidate(by_blob[identity.blob], agent, identity)
        for identity in identities
        if identity.blob is not None and identity.blob in by_blob
    ]
    if not identities_only:
        found += [Candidate(key, agent) for key in held if key.blob not in listed]
    found += [
        Candidate(identity=identity)
        for identity in identities
        if not identity.public_only and (identity.blob is None or identity.blob not in by_blob)
    ]
    return found, problem


class Login:
    """One attempt to log in.

    Args:
        auth: the messages.
        config: what ssh would do here.
        place, command: `user@host` for prompts and messages, and the `ssh …` that gets there for hints.
        keys: what to offer, in order.
        server_algorithms: signature algorithms the server announced (RFC 8308), None if it did not.
        agent_problem: why the agent's keys are not among them, `""` if they are; said where somebody is asked
            for something, or the login fails.
        may_type: False where the host key is not trusted: nothing secret is typed then.
        timeout: seconds to wait for each answer of the server; longer for one that a person may have to give,
            unless the configuration limits the silence (ServerAliveInterval), as ssh does in a login, too.
    """

    def __init__(
        self,
        auth: UserAuth,
        config: SshConfig,
        prompter: Prompter,
        *,
        place: str,
        command: str,
        keys: Iterable[Candidate],
        server_algorithms: Callable[[], frozenset[str] | None],
        agent_problem: str = "",
        may_type: bool = True,
        timeout: float = 30.0,
    ) -> None:
        self._auth = auth
        self._config = config
        self._prompter = prompter
        self._place = place
        self._command = command
        self._keys = list(keys)
        self._agent_problem = agent_problem
        self._told = not agent_problem
        self._server_algorithms = server_algorithms
        self._timeout = timeout
        limited = config.number("serveraliveinterval")
        self._grace = timeout if limited else max(timeout, _GRACE)
        self._may_ask = may_type and not config.is_yes("batchmode")
        prompts = config.number("numberofpasswordprompts")
        self._prompts = 3 if prompts is None else prompts
        self._left = dict.fromkeys(("keyboard-interactive", "password"), self._prompts)
        self._wanted = self._enabled_methods(may_type)
        self._nobody: str | None = None
        self._first = True

    def _enabled_methods(self, may_type: bool) -> tuple[str, ...]:
        switches = {
            "publickey": "pubkeyauthentication",
            "keyboard-interactive": "kbdinteractiveauthentication",
            "password": "passwordauthentication",
        }
        preferred = self._config.first("preferredauthentications")
        order = preferred.split(",") if preferred else _METHODS
        return tuple(
            method
            for method in order
            if method in switches
            and (self._config.first(switches[method]) or "yes").lower() != "no"
            and (method == "publickey" or may_type)
        )

    def run(self) -> None:
        """Log in.

        Raises:
            AuthError: nothing was accepted.
            ConnectionLost: the server fell silent.
        """
        reply: Reply | None = None
        methods: tuple[str, ...] | None = None
        if self._wanted[:1] == ("publickey",) and self._keys:
            methods = ("publickey",)  # saves asking which methods there are
        else:
            reply = self._auth.none(self._timeout)
        partial = False
        offered: tuple[str, ...] = ()
        while True:
            if isinstance(reply, Accepted):
                return
            if isinstance(reply, Rejected):
                methods = offered = reply.methods
                partial = partial or reply.partial
            method = next((m for m in self._wanted if m in (methods or ()) and self._has_more(m)), None)
            if method is None:
                if isinstance(reply, Rejected) or methods is None:
                    raise self._refused(offered, partial=partial)
                reply = self._auth.none(self._timeout)  # no key was fit to be offered: what else is there?
                continue
            attempt = {
                "publickey": self._try_key,
                "keyboard-interactive": self._try_interactive,
                "password": self._try_password,
            }[method]
            reply = attempt() or reply

    def _explain(self) -> None:
        """Before somebody is asked for what the agent would have spared them."""
        if not self._told:
            self._told = True
            self._prompter.notice(f"{self._agent_problem[:1].upper()}{self._agent_problem[1:]}.")

    def _has_more(self, method: str) -> bool:
        return bool(self._keys) if method == "publickey" else self._may_ask and self._left[method] > 0

    def _try_key(self) -> Reply | None:
        """The next key; None where it could not be offered at all."""
        candidate = self._keys.pop(0)
        first, self._first = self._first, False
        signer: Callable[[bytes, str], bytes] | None = None
        blob = candidate.blob
        if blob is None and candidate.identity is not None:  # an old file that hides even its public key
            opened = self._open(candidate.identity)
            if opened is None:
                return None
            blob, signer = opened
        if blob is None:
            return None
        algorithm = self._algorithm(read_string(blob, 0)[0].decode("ascii", "replace"))
        # The first key is offered with its signature: that saves a round trip for most people. Later ones are
        # asked about first, and so is every key that somebody has to touch or to unlock.
        if candidate.asks_somebody or not first:
            welcome = self._auth.may_use_key(algorithm, blob, self._timeout)
            if welcome is not True:
                return welcome or None
        if signer is None and candidate.identity is not None and candidate.agent_key is None:
            opened = self._open(candidate.identity)
            if opened is None:
                return None
            signer = opened[1]
        try:
            return self._auth.key(
                algorithm, blob, lambda data: self._sign(candidate, signer, data, algorithm), self._timeout
            )
        except (AgentError, ValueError) as error:
            self._prompter.notice(f"A key could not sign: {error}.")
            return None

    @staticmethod
    def _sign(
        candidate: Candidate, signer: Callable[[bytes, str], bytes] | None, data: bytes, algorithm: str
    ) -> bytes:
        if signer is not None:
            return signer(data, algorithm)
        if candidate.agent is None or candidate.agent_key is None:
            raise ValueError("there is nothing to sign with")
        return candidate.agent.sign(candidate.agent_key, data, algorithm)

    def _open(self, identity: Identity) -> tuple[bytes, Callable[[bytes, str], bytes]] | None:
        """The public key and a way to sign; None where the passphrase was not given or the file is bad."""
        passphrase: str | None = None
        for _ in range(max(1, self._prompts)):
            if identity.encrypted:
                if not self._may_ask:
                    return None
                self._explain()
                passphrase = self._prompter.secret(f"Enter passphrase for key '{identity.path}': ")
                if passphrase is None:
                    self._nobody = f"the passphrase of {identity.path}"
                if not passphrase:
                    return None
            try:
                opened = unlock(identity, passphrase)
                return opened.blob, opened.sign
            except WrongPassphraseError:
                if not identity.encrypted:
                    break
            except (ValueError, OSError) as error:
                self._prompter.notice(f"{error}.")
                return None
        return None

    def _algorithm(self, kind: str) -> str:
        """The signature algorithm for a key type; RSA keys have three (RFC 8332)."""
        certificate = _CERTIFICATE if kind.endswith(_CERTIFICATE) else ""
        if kind.removesuffix(_CERTIFICATE) != "ssh-rsa":
            return kind
        announced = self._server_algorithms()
        for name in ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"):
            if announced is None or name in announced:
                return name + certificate
        return kind

    def _try_password(self) -> Reply | None:
        self._left["password"] -= 1
        self._explain()
        secret = self._prompter.secret(f"{self._place}'s password: ")
        if secret is None:
            self._left["password"] = 0
            self._nobody = "a password"
            return None
        return self._auth.password(secret, self._grace)

    def _try_interactive(self) -> Reply | None:
        self._left["keyboard-interactive"] -= 1
        reply = self._auth.interactive(self._grace)
        while isinstance(reply, Questions):
            for text in (reply.name, reply.instruction):
                if text.strip():
                    self._prompter.notice(text)
            answers = []
            for prompt, echo in reply.prompts:
                self._explain()
                ask = self._prompter.visible if echo else self._prompter.secret
                given = ask(f"({self._place}) {prompt}")
                if given is None:
                    self._left["keyboard-interactive"] = 0
                    self._nobody = f"the answer to {prompt.strip()!r}"
                    # the method is left half-way; RFC 4256 section 3.1 lets a new request end it
                    return self._auth.none(self._timeout)
                answers.append(given)
            reply = self._auth.answer(answers, self._grace)
        if isinstance(reply, Rejected) and reply.partial:
            self._left["keyboard-interactive"] = self._prompts  # a second factor may come the same way
        return reply

    def _refused(self, offered: Sequence[str], *, partial: bool) -> AuthError:
        methods = ", ".join(offered) or "nothing"
        agent = f"; {self._agent_problem}" if self._agent_problem else ""
        if self._nobody:
            message = f"{self._place} cannot log in: nobody was there to give {self._nobody}"
            hint = "run it in a terminal, or load the key into an ssh agent (`ssh-add`)"
        else:
            more = " after a first step was accepted" if partial else ""
            message = f"{self._place} was not let in{more} (the server offers: {methods})"
            hint = f"`{self._command}` has to work first; `ssh-copy-id` installs a key"
        if agent:
            hint = "`ssh-add -l` has to answer first, or start a new agent (`eval $(ssh-agent)`, `ssh-add`)"
        return AuthError(f"{message}{agent}", hint=hint)


def identities_of(paths: Iterable[str]) -> tuple[list[Identity], list[str]]:
    """The usable identity files among `paths`, and what is wrong with the others."""
    found, problems = [], []
    for path in dict.fromkeys(paths):
        identity = read_identity(path)
        if identity is None:
            continue
        if identity.problem:
            problems.append(identity.problem)
        else:
            found.append(identity)
    return found, problems
