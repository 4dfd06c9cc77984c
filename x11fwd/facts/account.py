"""The user's account on the remote: start files, terminals that outlive a login, cookies; for facts/parse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.answers import Answers

__all__ = ["AccountFacts", "Lasting", "StartLine", "parse_account", "parse_start_line"]

_TEXT_LIMIT = 160  # characters of a line
_NAMES = "DISPLAY|XAUTHORITY|MPLBACKEND|MATPLOTLIBRC|MPLCONFIGDIR|QT_QPA_PLATFORM|QT_PLUGIN_PATH"
_VALUE = r"""(?P<value>(?:"[^"]*"|'[^']*'|`[^`]*`|\$\([^)]*\)|\\.|[^\s;&|"'`#])*)"""
_BEFORE = r"(?:^|[\s;&|({])"
_WORDS = r"(?:\s|[;&|)}#]|$)"
# NAME=value in sh (alone or exported), in files of pam_env(8) and of environment.d(5)
_SET = re.compile(
    rf"{_BEFORE}(?P<export>(?:export|declare|typeset)(?:\s+-\w+)*(?:\s+\w+=\S*)*\s+)?"
    rf"(?P<name>{_NAMES})={_VALUE}(?P<rest>.*)"
)
_CSH = re.compile(rf"{_BEFORE}setenv\s+(?P<name>{_NAMES})(?:\s+{_VALUE})?{_WORDS}")
_FISH = re.compile(rf"{_BEFORE}set\s+(?:-\S+\s+)*(?P<name>{_NAMES})(?:\s+{_VALUE})?{_WORDS}")
_PAM = re.compile(rf"^\s*(?P<name>{_NAMES})\s+(?:DEFAULT|OVERRIDE)={_VALUE}")
_UNSET = re.compile(
    rf"{_BEFORE}(?:unset(?:\s+-v)?|unsetenv|set\s+(?:-\w*e\w*|--erase)(?:\s+-\S+)*)(?:\s+\w+)*?"
    rf"\s+(?P<name>{_NAMES}){_WORDS}"
)
_SHELLS = r"(?:\S*/)?(?:ba|z|fi|k|mk|da|tc|c|nu|xon)?sh|\$SHELL|\"\$SHELL\""
_EXEC = re.compile(rf"{_BEFORE}exec\s+(?:-\S+\s+)*(?:env\s+)?(?P<value>{_SHELLS}){_WORDS}")
_TERMINAL = re.compile(
    r"(?:^\s*|[;&|{(]\s*|\b(?:then|do|else|exec|\w+\))\s+)(?:\S*/)?(?P<name>tmux|screen|byobu)"
    r"(?P<rest>\s[^;&|)}#]*|\s*(?:$|[;&|)}]))"
)
_CONDITION = re.compile(r"(?:^|[\s;&|({])(?:\[\[?|test|if|case|and|or)\s|&&|\|\|")
# what these programs do besides opening a terminal
_NO_TERMINAL = re.compile(
    r"^\s*(?:-V|has|ls|list|show|set|source|kill|display|bind|info|if|run|-ls|-list|-wipe|-X)"
)


@dataclass(frozen=True)
class StartLine:
    """A line of a file that is read at login.

    Attributes:
        line: its number, from 1.
        name: the variable that it changes; `exec` where it puts another shell in the place of this one;
            `tmux`, `screen` or `byobu` where it starts that.
        value: what it sets, as it stands there without quotes; None where it takes the variable away; for
            `exec` the shell.
        text: what of the line does that.
        guarded: only under a condition that stands on the same line.
    """

    file: str
    line: int
    name: str
    value: str | None
    text: str
    guarded: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Lasting:
    """A process that outlives logins, and the DISPLAY that it was born with.

    Attributes:
        kind: `tmux` or `screen` (the process in a pane or window), `mosh`, `et`, `ide`, `jupyter`.
        place: of a pane, socket and `session:window.pane`; else empty.
    """

    kind: str
    pid: int
    place: str
    display: str

    @property
    def number(self) -> int | None:
        """N of `localhost:N.0`; None for a display that sshd has not made."""
        found = re.match(r"(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)(?:\.\d+)?$", self.display)
        return int(found[1]) if found else None


@dataclass(frozen=True)
class AccountFacts:
    """What the user's own files and running programs do to DISPLAY and its cookie.

    Attributes:
        start_lines: in the order in which the files were looked at, the machine's before the user's.
        lasting: programs of earlier logins.
        plain_python: the interpreter that `ssh host python3` gets, without a login shell; None: none.
        selinux: contexts of the home directory and the authority file (`ls -Z`) where SELinux is enforcing;
            None where it is not.
        selinux_nfs_homes: its boolean use_nfs_home_dirs; None where nobody could look.
        slurm_flags: PrologFlags of `scontrol show config`, `(null)` where the site has set none; None where
            there is no Slurm.
    """

    start_lines: tuple[StartLine, ...] | Unknown = Unknown("not asked")
    lasting: tuple[Lasting, ...] = ()
    plain_python: str | Unknown | None = Unknown("not asked")
    selinux: tuple[str, ...] | None = None
    selinux_nfs_homes: bool | None = None
    slurm_flags: str | Unknown | None = None

    def setting(self, *names: str) -> tuple[StartLine, ...]:
        """The lines about one of these names, the one that is read last at the end."""
        if isinstance(self.start_lines, Unknown):
            return ()
        return tuple(line for line in self.start_lines if line.name in names)


def parse_account(answers: Answers) -> AccountFacts:
    """From the answers of probe/26-account.sh."""
    text = answers.text("start.lines")
    if text is None and not answers.all("start.lines"):  # an empty text is said as an empty value
        return AccountFacts()
    found = (parse_start_line(line) for line in (text or "").splitlines())
    contexts = answers.text("selinux")
    return AccountFacts(
        start_lines=tuple(line for line in found if line is not None),
        lasting=tuple(_lasting(answers)),
        plain_python=answers.first("plain.python"),
        selinux=tuple(contexts.splitlines()) if contexts else None,
        selinux_nfs_homes={"1": True, "0": False}.get(answers.first("selinux.nfs_homes") or ""),
        slurm_flags=answers.first("slurm.flags") or answers.why("slurm.flags"),
    )


def parse_start_line(line: str) -> StartLine | None:
    """`FILE:NUMBER:TEXT` of grep; None where the line only speaks of the variable."""
    found = re.match(r"(.*?):(\d+):(.*)$", line)
    if found is None:
        return None
    file, number, text = found[1], int(found[2]), found[3]
    for pattern in (_PAM, _CSH, _FISH, _SET):
        match = pattern.search(text)
        if match is None or _for_one_command(match):
            continue
        if pattern is _FISH and re.search(r"-\w*e|--erase", match[0]):
            continue
        value = (match["value"] or "").strip("\"'")
        guarded = _CONDITION.search(text[: match.start("name")]) is not None
        return StartLine(file, number, match["name"], value, _shown(match), guarded)
    if match := _UNSET.search(text):
        return StartLine(file, number, match["name"], None, _shown(match))
    if match := _EXEC.search(text):
        return StartLine(file, number, "exec", match["value"].strip('"'), _shown(match))
    match = _TERMINAL.search(text)
    if match and not _NO_TERMINAL.match(match["rest"]):
        return StartLine(file, number, match["name"], "", _shown(match))
    return None


def _for_one_command(match: re.Match[str]) -> bool:
    """`DISPLAY=:0 xset …` holds for that one command; `export` and a line of its own last."""
    groups = match.groupdict()
    if groups.get("export") or "rest" not in groups:
        return False
    return re.match(r"\s+(?![#;&|]|(?:export|fi|done|esac)\b|\w+=)\S", groups["rest"]) is not None


def _shown(match: re.Match[str]) -> str:
    """Only what matters: another assignment on the same line may be nobody's business."""
    groups = match.groupdict()
    end = (
        match.start("rest")
        if groups.get("rest") is not None and groups.get("value") is not None
        else match.end()
    )
    start = match.start("name") if groups.get("export") else match.start()
    lead = "export " if groups.get("export") else ""
    return (lead + match.string[start:end].strip(" \t;&|({})"))[:_TEXT_LIMIT]


def _lasting(answers: Answers) -> list[Lasting]:
    found: dict[tuple[str, str, str], Lasting] = {}
    for line in answers.all("stays"):
        words = line.split("\t")
        if len(words) != 4 or not words[1].isdigit():
            continue
        kind, pid, place, display = words
        # an editor's server is a handful of processes with one environment
        found.setdefault((kind, place, display), Lasting(kind, int(pid), place, display))
    return list(found.values())
