"""What planning has to ask the remote beyond its facts, in one round trip; imported by steps and pipeline.

The shipped playbooks ask nothing when there is nothing to change, so a second setup pays no round trip here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError
from x11fwd.facts.model import PrivilegeKind, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.transports.base import Transport

__all__ = ["Answers", "CommandAnswer", "Questions", "ask", "read_answers"]

# A host without base64 (coreutils and busybox have it) answers nothing, which reads as unknown.
# $1: words in front of a command for root's rights, "" for none; then `f PATH` and `c COUNT WORD...`.
SCRIPT = r"""
become=$1; shift
whole() { { cat -- "$1" 2>/dev/null || { [ -n "$become" ] && $become cat -- "$1" 2>/dev/null; }; } | packed; }
packed() { base64 | tr -d '\n'; }
is() { [ "$1" "$2" ] || { [ -n "$become" ] && $become test "$1" "$2" 2>/dev/null; }; }
parent() { case $1 in /*/*) printf %s "${1%/*}" ;; *) printf / ;; esac; }
file() {
  if is -d "$1"; then echo 'x11fwd unknown it is a directory'
  elif is -r "$1"; then echo "x11fwd file $(whole "$1")"
  elif is -e "$1"; then echo 'x11fwd unknown reading it needs more rights'
  else
    up=$(parent "$1")
    until is -e "$up" || [ "$up" = / ]; do up=$(parent "$up"); done
    if is -x "$up"; then echo 'x11fwd absent'; else echo 'x11fwd unknown its folder may not be entered'; fi
  fi
}
command() {
  count=$1; shift; total=$#; seen=0
  while [ "$seen" -lt "$total" ]; do
    word=$1; shift
    [ "$seen" -lt "$count" ] && set -- "$@" "$word"
    seen=$((seen + 1))
  done
  echo "x11fwd command $({ ("$@") 2>/dev/null </dev/null; printf '\n%s' "$?"; } | packed)"
}
while [ $# -gt 0 ]; do
  case $1 in
    f) file "$2"; shift 2 ;;
    c) shift; command "$@"; count=$1; shift; shift "$count" ;;
  esac
done
"""


@dataclass(frozen=True)
class CommandAnswer:
    """What a question's command said: exit status and stdout."""

    exit_status: int
    stdout: str = ""


@dataclass(frozen=True)
class Questions:
    """Files to read (whole, absolute paths) and commands to run; commands only look, they change nothing."""

    files: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()

    @property
    def empty(self) -> bool:
        return not self.files and not self.commands


@dataclass(frozen=True)
class Answers:
    """What came back: a file's bytes, None where it is not there, or Unknown; one not asked is missing."""

    files: Mapping[str, bytes | Unknown | None] = field(default_factory=lambda: MappingProxyType({}))
    commands: Mapping[tuple[str, ...], CommandAnswer | Unknown] = field(
        default_factory=lambda: MappingProxyType({})
    )


_PREFIX = {PrivilegeKind.SUDO: "sudo -n", PrivilegeKind.DOAS: "doas -n"}


def ask(transport: Transport, questions: Questions, privilege: PrivilegeKind = PrivilegeKind.NONE) -> Answers:
    """Ask everything in one round trip; none at all where there is nothing to ask.

    Args:
        transport: the open connection.
        questions: from `planner.questions`.
        privilege: files that the user may not read are read with these rights where no password is needed.

    Raises:
        ProbeError: the remote answered something else.
        ConnectionLost: the line went dead.
    """
    if questions.empty:
        return Answers()
    words: list[str] = []
    for path in questions.files:
        words += ["f", path]
    for command in questions.commands:
        words += ["c", str(len(command)), *command]
    argv = ("sh", "-s", "--", _PREFIX.get(privilege, ""), *words)
    return read_answers(questions, transport.run(argv, stdin=SCRIPT.encode()).text)


def read_answers(questions: Questions, text: str) -> Answers:
    """Read what the script printed, one line per question in order.

    Raises:
        ProbeError: another number of lines, or a line that is no answer.
    """
    lines = [line.removeprefix("x11fwd ") for line in text.splitlines() if line.startswith("x11fwd ")]
    if len(lines) != len(questions.files) + len(questions.commands):
        asked = len(questions.files) + len(questions.commands)
        raise ProbeError(f"the remote answered {len(lines)} of {asked} questions")
    files = {path: _file(line) for path, line in zip(questions.files, lines, strict=False)}
    rest = lines[len(questions.files) :]
    commands = {argv: _command(line) for argv, line in zip(questions.commands, rest, strict=True)}
    return Answers(files, commands)


def _file(line: str) -> bytes | Unknown | None:
    kind, _, value = line.partition(" ")
    if kind == "absent":
        return None
    if kind == "unknown":
        return Unknown(value)
    if kind == "file":
        return _unpacked(value)
    raise ProbeError(f"the remote answered `{kind}` where a file was asked for")


def _command(line: str) -> CommandAnswer | Unknown:
    kind, _, value = line.partition(" ")
    if kind != "command":
        raise ProbeError(f"the remote answered `{kind}` where a command was asked for")
    output = _unpacked(value)
    if isinstance(output, Unknown):
        return output
    stdout, _, status = output.decode("utf-8", "surrogateescape").rpartition("\n")
    return CommandAnswer(int(status), stdout) if status.isdigit() else Unknown("it left no exit status")


def _unpacked(value: str) -> bytes | Unknown:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return Unknown("the answer came back garbled")
