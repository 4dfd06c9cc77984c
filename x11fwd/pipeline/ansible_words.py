"""What Ansible says of a host, as changes, sentences and causes of ours; for ansible_engine only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.errors import AuthError, ConnectError, HostKeyError, Interrupted
from x11fwd.steps.plan import ByHand, Change, DiffLine, RunCommand
from x11fwd.steps.wording import file_diff, slug

if TYPE_CHECKING:
    from x11fwd.ansible import Event

__all__ = [
    "BY_HAND_TASK",
    "WARNING_TASK",
    "by_hand",
    "change",
    "last_words",
    "sentence",
    "stopped_before",
    "stopped_within",
    "unreachable",
    "wants_password",
]

# Names of tasks of the role that say something to a person.
WARNING_TASK = "Still in the way"
BY_HAND_TASK = "Left to be done by hand"
_WOULD = "Would install "
_NO_PASSWORD = re.compile(
    r"missing sudo password|password is required|incorrect sudo password", re.IGNORECASE
)


def wants_password(event: Event) -> bool:
    """sudo asked for a password that nobody had given, or for another one."""
    return _NO_PASSWORD.search(f"{event.msg} {event.stderr}") is not None


def change(event: Event) -> Change:
    """A task that changed something, or would."""
    title = event.task
    lines: list[DiffLine] = []
    if title.startswith(_WOULD):
        title = "Install " + title.removeprefix(_WOULD)
        lines = [DiffLine("+", package) for package in title.removeprefix("Install ").split(", ")]
    for one in event.diff:
        if one.path and one.before != one.after:
            lines += file_diff(one.path, one.before or None, one.after)
    return Change(slug(title), title, RunCommand((), (), ()), become=event.become, diff=tuple(lines))


def by_hand(event: Event) -> Change:
    """What the role leaves to a person."""
    title = event.msg.strip()
    return Change(slug(title)[:60], title, ByHand(), become=False, admin_lines=(f"# {title}",))


def sentence(event: Event) -> str:
    """What a failed task said, without what Ansible puts in front."""
    words = event.msg.strip() or last_words(event.stderr)
    return re.sub(r"^(?:Task failed: )?(?:Action failed: )?", "", words).rstrip(". :")


def last_words(text: str) -> str:
    """The line that says most: the last error, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    return re.sub(r"^(\[ERROR\]|ERROR!):?\s*", "", (errors or lines or ["it said nothing"])[-1])


def unreachable(typed: str, words: str) -> ConnectError:
    """Why nobody was let in, with what to do next."""
    last = last_words(words.replace("\r", "\n")).removeprefix("Failed to connect to the host via ssh: ")
    if re.search(r"host key verification failed|identification has changed", words, re.IGNORECASE):
        return HostKeyError(
            f"the host key of {typed} is not known or has changed: {last}",
            hint="log in once with ssh, which shows the key and asks",
        )
    if re.search(r"permission denied|authentication fail", words, re.IGNORECASE):
        return AuthError(f"{typed} did not let us in: {last}", hint="`ssh` with the same options shows why")
    return ConnectError(f"{typed} could not be reached: {last}", hint="`ssh` with the same options shows why")


def stopped_before() -> Interrupted:
    """Ctrl-C, and nothing was done."""
    return Interrupted("stopped before anything was changed")


def stopped_within() -> Interrupted:
    """Ctrl-C in the middle."""
    return Interrupted(
        "stopped in the middle; a change of sshd that nobody confirmed goes back by itself",
        hint="run the command again",
    )
