"""Logged in, and something else than our commands runs there: F67, F68 and F95 of the catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.report import Fix, FixBy

if TYPE_CHECKING:
    from x11fwd.facts.silence import SilenceFacts

# shadow's nologin, util-linux's nologin, session.c of sshd, and the usual words of administrators
_NO_SHELL = re.compile(
    r"account is currently not available|sftp connections only|[Ss]hell access|not allowed to log ?in"
)
_KEY_COMMAND = re.compile(r"^(?P<place>.+:\d+): key options:(?: \S+)*? command\b")  # auth-options.c
_RUNS = "{host} runs our commands"


def _silence(seen: Seen) -> SilenceFacts | None:
    """What runs instead; None where our commands run. Raises Unanswered where there is no connection."""
    if seen.silence is None:
        seen.there  # noqa: B018  raises
    return seen.silence


def _first_line(said: str, holds: re.Pattern[str] | None = None) -> str:
    """What it printed, in the first line that says something (and matches)."""
    lines = (line.strip() for line in said.splitlines())
    line = next((line for line in lines if line and (holds is None or holds.search(line))), "")
    return f"it printed {line[:120]!r}" if line else "it printed nothing"


def _key(silence: SilenceFacts) -> str | None:
    found = next(filter(None, map(_KEY_COMMAND.match, silence.remarks)), None)
    return found["place"] if found else None


def forced_command(seen: Seen) -> Verdict:
    """F67: `command=` before the key, or ForceCommand, which leaves no trace but another program's words."""
    silence = _silence(seen)
    if silence is None:
        return fine(_RUNS.format(host=seen.host))
    place = _key(silence)
    said = _first_line(silence.said)
    if place is not None:
        return bad(
            f"the key you log in with always runs one and the same program on {seen.host}",
            f"{place}: key options: command; {said}; another key, or the administrator, can help",
        )
    if silence.hung or silence.reads_stdin or _NO_SHELL.search(silence.said) or not silence.said.strip():
        return skip("nothing speaks of a forced command")
    return bad(
        f"another program answers whatever is run on {seen.host}: a forced command of sshd's",
        f"{said}; ForceCommand would do that; to be seen as root: sshd -T -C user=YOU | grep -i force",
        Fix(f"ssh {seen.destination} true", FixBy.YOU),
    )


def no_shell(seen: Seen) -> Verdict:
    """F68: nologin, or an account for sftp alone."""
    silence = _silence(seen)
    if silence is None:
        return fine(_RUNS.format(host=seen.host))
    if not _NO_SHELL.search(silence.said):
        return skip("nothing speaks of an account without a shell")
    return bad(
        f"your account on {seen.host} has no shell: nothing can be run there",
        f"{_first_line(silence.said, _NO_SHELL)}; only its administrator can change that",
    )


def start_file_execs_shell(seen: Seen) -> Verdict:
    """F95: `exec zsh` in a start file that is read for commands too; that shell waits for standard input."""
    silence = _silence(seen)
    if silence is None:
        return fine(_RUNS.format(host=seen.host))
    if not silence.reads_stdin:
        return skip("no start file puts another shell in place of the login shell")
    return bad(
        f"a start file on {seen.host} puts another shell in place of the one that should run our commands",
        "that shell took our standard input for commands: an exec in ~/.bashrc, ~/.zshenv, ~/.cshrc or "
        "config.fish without a test for an interactive shell",
        Fix(f"ssh -t {seen.destination}", FixBy.YOU),
    )
