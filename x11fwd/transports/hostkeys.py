"""Host keys verified as ssh verifies them: which files, which name, whom to ask, what to write down.

The model is check_host_key in OpenSSH's sshconnect.c. CheckHostIP is not looked at: its default is `no` since
8.5, and it never replaces the check by name.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import HostKeyError
from x11fwd.transports.base import HostKeyQuestion
from x11fwd.transports.known_hosts import (
    HostKey,
    KnownHost,
    Verdict,
    fingerprint,
    has_authority,
    host_name,
    judge,
    known_types,
    new_line,
    parse_known_hosts,
    prefer_known,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.target import SshConfig
    from x11fwd.transports.base import Prompter

__all__ = ["HostKeys"]

_UNWRITABLE_NAME = set("@?*#[]|'\"\\")


class HostKeys:
    """The known hosts of one connection.

    Args:
        config: the configuration of the host.
        user_files, global_files: `UserKnownHostsFile` and `GlobalKnownHostsFile`, expanded.
    """

    def __init__(
        self,
        config: SshConfig,
        user_files: Sequence[str],
        global_files: Sequence[str],
    ) -> None:
        self._config = config
        self._user_files = tuple(user_files)
        self._entries = tuple(entry for file in (*user_files, *global_files) for entry in _read(file))
        alias = config.host_key_alias
        # HostKeyAlias replaces the port as well (get_hostfile_hostname_ipaddr in sshconnect.c)
        self.name = alias.lower() if alias else host_name(config.hostname, config.port)
        # sshd on another port: a key listed for the bare host name is good enough (HOST_NEW, clobber_port)
        self._bare = None if alias or config.port == 22 else host_name(config.hostname, 22)

    @property
    def has_authority(self) -> bool:
        """A `@cert-authority` line speaks about this host; only OpenSSH can check certificates."""
        return has_authority(self._entries, self.name)

    def algorithms(self, available: Sequence[str]) -> tuple[str, ...]:
        """Host key algorithms to offer, known ones first, limited to `HostKeyAlgorithms`."""
        allowed = (self._config.first("hostkeyalgorithms") or "").split(",")
        if allowed != [""]:
            available = [name for name in allowed if name in set(available)] or available
        return prefer_known(available, known_types(self._entries, self.name))

    def verify(self, key: HostKey, prompter: Prompter, *, loopback: bool = False) -> bool:
        """Accept or refuse the key that the host showed.

        Args:
            loopback: the peer's address is this machine's own (NoHostAuthenticationForLocalhost).

        Returns:
            True if it is trusted; False if the user's configuration wants to go on with a key that is
            not (StrictHostKeyChecking no): no secret may be typed then and no display offered.

        Raises:
            HostKeyError: changed, revoked, or not accepted.
        """
        if (
            loopback
            and self._config.is_yes("nohostauthenticationforlocalhost")
            and not self._config.host_key_alias
        ):
            return True
        verdict, lines = judge(self._entries, self.name, key)
        if verdict is Verdict.UNKNOWN and self._bare:
            verdict = Verdict.KNOWN if judge(self._entries, self._bare, key)[0] is Verdict.KNOWN else verdict
        if verdict is Verdict.KNOWN:
            return True
        strict = (self._config.first("stricthostkeychecking") or "ask").lower()
        lax = strict in {"no", "off", "false"}
        if verdict is Verdict.UNKNOWN:
            self._decide(key, prompter, strict)
            return True
        error = self._refusal(verdict, lines, key)
        if not lax:
            raise error
        prompter.notice(f"Warning: {error.message}. You asked for no strict checking.")
        return False

    def _decide(self, key: HostKey, prompter: Prompter, strict: str) -> None:
        shown = f"{key.name} key {fingerprint(key)}"
        if strict in {"yes", "true"}:
            raise HostKeyError(
                f"the host key of {self.name} is not known, and you asked for strict checking",
                hint=f"it showed the {shown}; connect once with `-o StrictHostKeyChecking=ask`",
            )
        if strict == "ask":
            question = HostKeyQuestion(self.name, key.name, fingerprint(key))
            if not prompter.accept_host_key(question):
                raise HostKeyError(
                    f"the host key of {self.name} was not accepted",
                    hint=f"it showed the {shown}; compare it with what the host's administrator says",
                )
        self._remember(key, prompter)

    def _remember(self, key: HostKey, prompter: Prompter) -> None:
        """Append the key to the first user file; a failure is told and is no reason to stop, as in ssh."""
        if not self._user_files or self._user_files[0] == "/dev/null":
            return
        if _UNWRITABLE_NAME & set(self._config.hostname):
            return
        path = Path(self._user_files[0])
        line = new_line(self.name, key, hashed=self._config.is_yes("hashknownhosts"))
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _append(path, line.encode())
        except OSError as error:
            prompter.notice(f"The host key could not be added to {path}: {error.strerror}.")

    def _refusal(self, verdict: Verdict, lines: Sequence[KnownHost], key: HostKey) -> HostKeyError:
        first = lines[0]
        where = f"{first.file}:{first.line}"
        if verdict is Verdict.REVOKED:
            return HostKeyError(
                f"the {key.name} host key of {self.name} is marked as revoked in {where}",
                hint="somebody who stole the key may be answering; ask the host's administrator",
            )
        command = f"ssh-keygen -f {shlex.quote(first.file)} -R {shlex.quote(self.name)}"
        return HostKeyError(
            f"the host key of {self.name} has changed: it shows the {key.name} key {fingerprint(key)}, "
            f"and {where} has the {first.key.name} key {fingerprint(first.key)}",
            hint=f"if the host was installed anew, `{command}`; if not, somebody may be in between",
        )


def _read(file: str) -> tuple[KnownHost, ...]:
    try:
        return parse_known_hosts(Path(file).read_text("utf-8", "surrogateescape"), file)
    except OSError:
        return ()  # ssh goes on without a file it cannot read (load_hostkeys in hostfile.c)


def _append(path: Path, line: bytes) -> None:
    """One write at the end of the file, so that two programs never mix their lines."""
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        os.write(handle, line)
    finally:
        os.close(handle)
