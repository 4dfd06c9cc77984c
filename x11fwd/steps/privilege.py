"""How a run of the engine gets its rights: as the login user, as root, through sudo or doas; engine only.

The password travels on standard input alone: `read`, a builtin of the remote's sh, takes it byte by byte, the
builtin `printf` hands it to `sudo -S`. It is tried with `sudo -v` first and nothing else on that input, so
that a wrong one cannot make sudo eat lines of the script; then it is offered once more, and because sudo may
not want it a second time (sudoers(5), timestamp_timeout) the other side skips to a marked line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from x11fwd.errors import ChangeError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.script import boot_text

__all__ = ["Boot", "NoRightsError", "WrongPasswordError", "boot", "refusal"]


class NoRightsError(ChangeError):
    """Root's rights cannot be had here; what needs them is left to the administrator."""


class WrongPasswordError(ChangeError):
    """sudo did not take the password."""


@dataclass(frozen=True)
class Boot:
    """What is run on the remote and what its standard input begins with.

    Attributes:
        argv: the command; holds no secret.
        preamble: bytes before the script: the password line where sudo needs one, then the marked line.
    """

    argv: tuple[str, ...]
    preamble: bytes

    def __repr__(self) -> str:
        return f"Boot({self.argv[0]} …)"  # never the preamble: it may hold the password


def boot(nonce: str, privilege: Privilege, *, become: bool, password: str | None = None) -> Boot:
    """What starts one run.

    Args:
        become: root's rights are wanted; False keeps those of the login.
        password: for `PrivilegeKind.SUDO_PASSWORD`.

    Raises:
        NoRightsError: they are wanted and there is no way to them.
    """
    kind = privilege.kind if become else PrivilegeKind.ROOT  # as we are
    if kind is PrivilegeKind.NONE:
        raise NoRightsError(
            f"root's rights cannot be had: {privilege.evidence or 'there is neither sudo nor doas'}"
        )
    preamble = f"@{nonce} begin\n".encode()
    if kind is PrivilegeKind.SUDO_PASSWORD:
        preamble = (password or "").encode("utf-8", "surrogateescape") + b"\n" + preamble
    return Boot(("sh", "-c", boot_text("rights"), "x11fwd", nonce, kind.value, boot_text("spool")), preamble)


# sudo's own words with LC_ALL=C (sudo.c, plugins/sudoers/auth/sudo_auth.c, logging.c), doas's (doas.c)
_WRONG = re.compile(
    r"incorrect password|no password was provided|try again|authentication fail|password is required",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"not in the sudoers|may not run sudo|not allowed to (?:execute|run)|must have a tty|terminal is required"
    r"|no tty present|not permitted|unknown user|effective uid is not 0|no new privileges"
    r"|command not found|account validation failure|a password is required",
    re.IGNORECASE,
)


def refusal(host: str, words: str, *, asked: bool) -> ChangeError:
    """What sudo or doas meant by ending without starting us.

    Args:
        words: what it said.
        asked: a password had been given.
    """
    last = next((line.strip() for line in reversed(words.splitlines()) if line.strip()), "")
    if _NEVER.search(words) and not (asked and _WRONG.search(words)):
        return NoRightsError(f"root's rights cannot be had on {host}: {last}")
    if asked and _WRONG.search(words):
        return WrongPasswordError(
            f"sudo did not accept the password on {host}", hint="try again with the right password"
        )
    return ChangeError(f"sudo could not be used on {host}: {last or 'it ended without a word'}")
