"""Where lines of ours have to stand so that sshd gives this user what is wanted; imported by sshd_option.

Every place that could do is tried on a copy of the files' texts, and the first one after which the wanted
values would really decide is taken: earlier drop-ins of others, Match blocks and odd Includes need no rules
of their own. sshd itself is asked again before and after the change (`sshd -T -C`).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.facts.sshd_config import Connection, SshdLine, decide, include_patterns, read_lines
from x11fwd.steps.conditions import numbers
from x11fwd.steps.sshd_block import GLOBAL_ONLY, drop_in_text, main_text, user_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from x11fwd.steps.planning import Planning

__all__ = [
    "DEFAULT_CONFIG",
    "Options",
    "Spot",
    "addresses",
    "asking",
    "config_files",
    "effective_values",
    "find_spot",
    "main_file",
    "setting_lines",
]

DEFAULT_CONFIG = "/etc/ssh/sshd_config"
# The second name sorts before every `00…`, for hosts where somebody else took the first places.
DROP_INS = ("00-x11fwd.conf", "0-x11fwd.conf")
Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Spot:
    """The file to write.

    Attributes:
        before: its text so far, None where it is not there.
        after: its text to be.
        only_user: the options stand in a Match block of this user's.
    """

    path: str
    before: str | None
    after: str
    only_user: bool


def main_file(planning: Planning) -> str:
    """The main file of the daemon that is to be changed."""
    found = planning.facts.sshd.config_file
    return planning.options.sshd_config or (found if isinstance(found, str) else DEFAULT_CONFIG)


def config_files(planning: Planning) -> Mapping[str, str] | Unknown:
    """sshd's files, path -> text; the main one that the user named is read where the facts are of another."""
    found, main = planning.facts.sshd.files, main_file(planning)
    if planning.options.sshd_config is None or (not isinstance(found, Unknown) and main in found):
        return found
    text = planning.file(main)
    if isinstance(text, Unknown):
        return text
    if text is None:
        return Unknown("it is not there")
    return {main: text.decode("utf-8", "surrogateescape")}


def effective_values(planning: Planning) -> Mapping[str, str] | Unknown:
    """What sshd gives this user, as it said itself; Unknown for another main file than it was asked about."""
    sshd, main = planning.facts.sshd, main_file(planning)
    if planning.options.sshd_config is not None and sshd.config_file != main:
        return Unknown(f"sshd was not asked about {main}")
    return sshd.effective


def setting_lines(planning: Planning) -> tuple[SshdLine, ...]:
    """Every setting of sshd's files in read order; none where they could not be read."""
    files = config_files(planning)
    return () if isinstance(files, Unknown) else tuple(read_lines(main_file(planning), files))


def addresses(planning: Planning) -> tuple[str, str, int] | None:
    """The client's address, ours and our port, out of SSH_CONNECTION (ssh(1)); None without it."""
    for variables in (planning.facts.start_environment, planning.environment):
        words = variables.get("SSH_CONNECTION", "").split()
        if len(words) == 4 and words[3].isdigit():
            return words[0], words[2], int(words[3])
    return None


def asking(planning: Planning) -> Connection:
    """This user and connection as Match sees them (sshd_config(5), Match)."""
    found = addresses(planning)
    client, local, port = found or (None, None, None)
    effective = effective_values(planning)
    looks_up = isinstance(effective, Unknown) or effective.get("usedns", "no") != "no"
    groups = planning.facts.groups or None  # everybody has one; none at all means that nobody looked
    return Connection(planning.facts.user, groups, None if looks_up else client, client, local, port)


def find_spot(options: Options, planning: Planning) -> Spot | None:
    """The first place where the options would decide, None with a warning where there is none."""
    facts = planning.facts
    pattern = user_pattern(facts.user)
    files, connection = config_files(planning), asking(planning)
    if isinstance(files, Unknown):
        return _unread(options, pattern, files.reason, planning)
    if main_file(planning) not in files:
        planning.warn(f"{main_file(planning)} could not be read, so where a line would count is not known")
        return None
    users = (pattern,) if planning.options.only_me else (None, pattern)
    for user in users:
        if user is None and planning.options.only_me:
            planning.warn(f"the login name {facts.user!r} cannot stand in a Match block of sshd")
            return None
        for spot in _spots(options, user, files, planning):
            changed = {**files, spot.path: spot.after}
            if _decides(options, changed, connection, planning):
                if user is not None and not planning.options.only_me:
                    _note_block(options, connection, planning)
                return spot
    culprit = next((decide(key, setting_lines(planning), connection).line for key, _ in options), None)
    planning.warn(
        f"{culprit or main_file(planning)} decides and is read before any place where x11fwd may write; "
        "an administrator has to change it there"
    )
    return None


def _spots(
    options: Options, user: str | None, files: Mapping[str, str], planning: Planning
) -> Iterator[Spot]:
    """Every place worth a try, the best first."""
    main = main_file(planning)
    # 8.2, the first release with Include, forgets Match blocks in files included before any Match (bz#3122)
    if planning.options.sshd_config is None and not (user and _release(planning) == (8, 2)):
        for pattern in include_patterns(main, {main: _without_forwarding(files[main])}):
            for name in DROP_INS:
                path = posixpath.join(posixpath.dirname(pattern), name)
                before = files.get(path)
                yield Spot(path, before, drop_in_text(before, options, user), user is not None)
    yield Spot(main, files[main], main_text(files[main], options, user), user is not None)


def _without_forwarding(text: str) -> str:
    """The main file without its own X11Forwarding, behind which no Include would be looked at otherwise.

    Our line in a Match block counts there all the same, and `_decides` tells the rest.
    """
    own = re.compile(r"\s*x11forwarding\b", re.IGNORECASE)
    return "\n".join(line for line in text.split("\n") if not own.match(line))


def _decides(options: Options, files: Mapping[str, str], connection: Connection, planning: Planning) -> bool:
    lines = tuple(read_lines(main_file(planning), files))
    for keyword, value in options:
        # sshd asks about XAuthLocation once and for all, outside of any Match
        wanted = [line for line in lines if not (keyword.lower() in GLOBAL_ONLY and line.matches)]
        decision = decide(keyword, wanted, connection)
        if not decision.certain or decision.line is None or decision.line.value.lower() != value.lower():
            return False
    return True


def _note_block(options: Options, connection: Connection, planning: Planning) -> None:
    for keyword, value in options:
        decision = decide(keyword, setting_lines(planning), connection)
        for line in (decision.line, *decision.doubts):
            if line is not None and line.matches and line.value.lower() != value.lower():
                block = f"{line} (Match {' '.join(line.matches)})"
                planning.note(f"{block} decides for {planning.facts.user}; ours is read before it")


def _release(planning: Planning) -> tuple[int, ...] | None:
    version = planning.facts.sshd.version
    return None if isinstance(version, Unknown) else numbers(version.partition("_")[2])


def _unread(options: Options, pattern: str | None, reason: str, planning: Planning) -> Spot | None:
    """The files are for root only: a drop-in that does not exist yet needs no text to start from."""
    sshd, release = planning.facts.sshd, _release(planning)
    if planning.options.only_me and pattern is None:
        planning.warn(f"the login name {planning.facts.user!r} cannot stand in a Match block of sshd")
        return None
    folder = ""
    if sshd.include_dirs:
        first = sshd.include_dirs[0]
        folder = posixpath.dirname(first) if "*" in posixpath.basename(first) else first
    elif main_file(planning) == DEFAULT_CONFIG and release is not None and release >= (8, 2):
        folder = f"{DEFAULT_CONFIG}.d"
    if not folder or planning.options.sshd_config is not None:
        planning.warn(
            f"{main_file(planning)} could not be read ({reason}), so where a line would count is not known"
        )
        return None
    user = pattern if planning.options.only_me else None
    path = posixpath.join(folder, DROP_INS[0])
    return Spot(path, None, drop_in_text(None, options, user), user is not None)
