"""Asks this machine's ssh what it would do for a target, beside everything else; imported by the pipeline.

ssh -G -vvv -> its settings, and the files they come from -> an open master, another host -> ClientFacts
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError, ProbeError, X11fwdError
from x11fwd.facts.client import ClientFacts, MasterFacts
from x11fwd.facts.client_config import config_lines, option_lines
from x11fwd.facts.model import Unknown
from x11fwd.target import SshConfig, SshOptions, Target

if TYPE_CHECKING:
    from x11fwd.facts.model import LocalFacts
    from x11fwd.transports.base import Transport

__all__ = ["ClientQuestions"]

_LIMIT = 10.0  # seconds for one question to ssh; `Match exec` runs the user's own commands
_STRANGER = "unrelated.invalid"  # RFC 2606: nobody has a Host block for it, no resolver knows it
_PID = re.compile(r"pid=(\d+)")
_REFUSED = re.compile(r"session request failed: .+|Session open refused.+|read from master failed.*")


class ClientQuestions:
    """What this machine's ssh is asked about a target, on a thread of its own from now on.

    Attributes:
        target: whom the user would call.

    Args:
        target: whom the user would call.
        local: where programs of this machine run.
        root: where the file tree begins; tests have their own.
    """

    def __init__(self, target: Target, local: Transport | None = None, *, root: Path | None = None) -> None:
        if local is None:
            from x11fwd.transports.local import LocalTransport

            local = LocalTransport()
        self.target = target
        self._local = local
        self._root = root or Path("/")
        self._config: SshConfig | None = None
        self._facts: ClientFacts | None = None
        self._failure: BaseException | None = None
        self._answered = threading.Event()
        self._thread = threading.Thread(target=self._work, name="x11fwd-ssh-g", daemon=True)
        self._thread.start()

    def config(self) -> SshConfig:
        """The answer of `ssh -G`, as soon as it is there.

        Raises:
            UsageError, ConnectError, ConnectionLost: see transports.local.resolve.
        """
        self._answered.wait()
        if self._config is None:
            raise self._failure or RuntimeError("ssh -G was not asked")
        return self._config

    def config_if_any(self) -> SshConfig | None:
        """The same, None where ssh refuses to answer."""
        self._answered.wait()
        return self._config

    def facts(self, local: LocalFacts, limit: float = 3 * _LIMIT) -> ClientFacts | None:
        """Everything, with what ssh would make of this display; None where ssh has refused to answer.

        Args:
            limit: seconds to wait for what is still under way.
        """
        self._thread.join(limit)
        facts = self._facts
        return None if facts is None else replace(facts, untrusted=self._untrusted(facts, local))

    def _work(self) -> None:
        try:
            self._ask()
        except BaseException as error:  # noqa: BLE001  handed to whoever waits for the answer
            self._failure = error
        finally:
            self._answered.set()

    def _ask(self) -> None:
        from x11fwd.transports.local import resolve_aloud

        config, log = resolve_aloud(self.target, self._local)
        given = option_lines(self.target.options)
        lines = config_lines(log, self._read)
        found = lines if isinstance(lines, Unknown) else (*given, *lines)
        if isinstance(found, tuple):
            # -v itself has set the level that `ssh -G` prints
            level = next((one.value for one in found if one.keyword == "loglevel" and one.applies), "INFO")
            config = SshConfig(MappingProxyType({**config.values, "loglevel": (level,)}))
        self._config = config
        # there is something to connect with: the rest is asked while the connection is made
        self._facts = ClientFacts(config, found, xauth_there=_runs(config.xauth_location))
        self._answered.set()
        wide = config.is_yes("forwardx11") if isinstance(found, Unknown) else any(map(_switches_on, found))
        self._facts = replace(
            self._facts,
            every_host=self._asks_for_a_stranger() if wide else False,
            master=self._master(config.control_path),
        )

    def _asks_for_a_stranger(self) -> bool | Unknown:
        from x11fwd.transports.local import resolve

        options = SshOptions(config_file=self.target.options.config_file)
        try:
            config = resolve(Target(_STRANGER, _STRANGER, options=options), self._local, timeout=_LIMIT)
        except X11fwdError as error:
            return Unknown(error.message)
        return config.is_yes("forwardx11")

    def _master(self, control: str | None) -> MasterFacts | None:
        if control is None or not Path(control).exists():
            return None
        words = ("ssh", "-F", "none", "-S", control.replace("%", "%%"))
        try:
            answer = self._local.run((*words, "-O", "check", "--", "x11fwd"), timeout=_LIMIT)
        except X11fwdError as error:
            return MasterFacts(control, display=Unknown(error.message), remote_display=Unknown(error.message))
        if not answer.ok:
            return None  # a socket that nobody listens on: ssh makes a new connection
        found = _PID.search(answer.error_text + answer.text)
        pid = int(found[1]) if found else None
        remote, refusal = self._session(words)
        return MasterFacts(control, pid, self._display_of(pid), remote, refusal)

    def _session(self, words: tuple[str, ...]) -> tuple[str | Unknown | None, str]:
        """DISPLAY of a session through an open master that asks for X11, as plain `ssh -X` would."""
        from x11fwd.transports.framing import Frame

        frame = Frame.random()
        # without a master ssh would make a connection of its own; the ProxyCommand stops that
        options = ("-X", "-T", "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-o", "BatchMode=yes")
        command = frame.command(("/bin/sh", "-c", 'printf %s "$DISPLAY"'))
        try:
            answer = self._local.run((*words, *options, "--", "x11fwd", command), timeout=_LIMIT)
            said = frame.cut(answer.stdout, answer.stderr).stdout.decode("utf-8", "replace").strip()
        except ProbeError as error:
            refused = _REFUSED.search(answer.error_text)
            return Unknown(error.message), refused[0].strip() if refused else ""
        except X11fwdError as error:
            return Unknown(error.message), ""
        return said or None, ""

    def _display_of(self, pid: int | None) -> str | Unknown | None:
        if pid is None:
            return Unknown("ssh does not name the master's process")
        place = self._root / f"proc/{pid}/environ"
        try:
            variables = place.read_bytes().split(b"\0")
        except OSError as error:
            return Unknown(f"{place} cannot be read: {error.strerror}")
        found = (one.partition(b"=")[2] for one in variables if one.startswith(b"DISPLAY="))
        return next(found, b"").decode("utf-8", "replace") or None

    def _untrusted(self, facts: ClientFacts, local: LocalFacts) -> str | Unknown | None:
        if not facts.forwards or facts.trusted or not local.display:
            return None
        if not facts.xauth_there:
            return f"XAuthLocation is {facts.config.xauth_location}, and there is no such program"
        from x11fwd.transports.base import X11Offer
        from x11fwd.transports.x11_cookie import untrusted_cookie

        authority = local.environment.get("XAUTHORITY")
        offer = X11Offer(local.display, authority, trusted=False, xauth=facts.config.xauth_location)
        try:
            untrusted_cookie(offer, self._local, timeout=_LIMIT)
        except DisplayError as error:
            return error.message
        except X11fwdError as error:
            return Unknown(error.message)
        return None

    def _read(self, name: str) -> str | None:
        with contextlib.suppress(OSError):
            return Path(name).read_text("utf-8", "surrogateescape")
        return None


def _switches_on(line: object) -> bool:
    from x11fwd.facts.client import ConfigLine

    return isinstance(line, ConfigLine) and line.keyword == "forwardx11" and line.is_yes


def _runs(path: str | None) -> bool:
    return path is None or os.access(path, os.X_OK)
