"""Which lines of a start file are commands of their own: pure reading of sh, csh and fish; cures only.

Only such a line can be put between `if` and `fi`: nothing that began above it is still open, and nothing that
it begins goes on below. What is not understood counts as open, and is left alone.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Language", "language_of", "lines_alone", "sets_only"]


class Language(Enum):
    """Of which family a shell is."""

    SH = "sh"  # and bash, zsh, ksh
    CSH = "csh"
    FISH = "fish"


_CSH_NAMES = frozenset({".cshrc", ".tcshrc", ".login", ".cshrc.mine"})
# read by sshd, pam_env(8) and systemd: NAME=value lines in which no condition has a place
_NO_SHELL = re.compile(r"(^|/)(\.pam_environment|\.ssh/environment|[^/]*\.conf)$")


def language_of(path: str) -> Language | None:
    """By the name of a start file; None for files that no shell reads."""
    name = path.rpartition("/")[2]
    if _NO_SHELL.search(path):
        return None
    if name.endswith(".fish"):
        return Language.FISH
    return Language.CSH if name in _CSH_NAMES or name.endswith(".csh") else Language.SH


_HEREDOC = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([A-Za-z_][\w.-]*))")
_FISH_WORD = re.compile(r"\s*(?:(?:and|or|not)\s+)?(\w+)")
_FISH_BEGINS = frozenset({"begin", "for", "function", "if", "switch", "while"})


class _Reader:
    """Reads line by line, and knows what is still open."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._open: list[str] = []  # quotes and brackets, innermost last
        self._heredocs: list[tuple[str, bool]] = []
        self._braces = 0  # `{` and `}` of functions and groups
        self._blocks: list[str] = []  # of fish
        self._continued = False

    @property
    def plain(self) -> bool:
        """Outside of everything but `if`, `for` and the like."""
        return not (
            self._open or self._heredocs or self._braces or self._continued or "function" in self._blocks
        )

    def read(self, line: str) -> None:
        """Take in one line, with its end."""
        text = line.rstrip("\r\n")
        self._continued = False
        if self._heredocs:
            word, tabs = self._heredocs[0]
            if (text.lstrip("\t") if tabs else text) == word:
                del self._heredocs[0]
            return
        if self._language is Language.FISH and not self._open:
            self._fish(text)
        at = 0
        while at < len(text):
            at = self._step(text, at)
        if self._language is Language.CSH and not self._continued:
            self._open.clear()  # a quote of csh's ends with its line

    def _fish(self, text: str) -> None:
        found = _FISH_WORD.match(text)
        if found and found[1] in _FISH_BEGINS and not re.search(r";\s*end\s*(;|#|$)", text):
            self._blocks.append(found[1])
        elif found and found[1] == "end" and self._blocks:
            self._blocks.pop()

    def _step(self, text: str, at: int) -> int:
        """Read what begins at one place; where the next begins."""
        letter, top = text[at], self._open[-1] if self._open else ""
        if letter == "\\" and (top != "'" or self._language is not Language.SH):
            self._continued = at + 1 == len(text)
            return at + 2
        if top in {"'", "$'"}:
            if letter == "'":
                self._open.pop()
            return at + 1
        if top == '"':
            return self._in_quotes(text, at)
        return self._in_code(text, at, top)

    def _in_quotes(self, text: str, at: int) -> int:
        letter = text[at]
        if letter == '"':
            self._open.pop()
        elif text.startswith(("$(", "${"), at):
            self._open.append(text[at : at + 2])
            return at + 2
        elif letter == "`" and self._language is not Language.FISH:
            self._backtick()
        return at + 1

    def _backtick(self) -> None:
        if "`" in self._open:  # the closing one; what was opened within ends with it
            del self._open[len(self._open) - 1 - self._open[::-1].index("`") :]
        else:
            self._open.append("`")

    def _in_code(self, text: str, at: int, top: str) -> int:
        letter = text[at]
        alone = at == 0 or text[at - 1] in " \t;&|("
        if letter == "#" and alone and top != "${":
            return len(text)
        if text.startswith(("$(", "${", "$'"), at):
            self._open.append(text[at : at + 2])
            return at + 2
        if letter in "'\"(":
            self._open.append(letter)
        elif letter == "`" and self._language is not Language.FISH:
            self._backtick()
        elif (letter == ")" and top in {"(", "$("}) or (letter == "}" and top == "${"):
            self._open.pop()  # another `)` ends a pattern of `case`
        elif self._language is Language.SH and letter == "<" and not text.startswith("<<<", at):
            found = _HEREDOC.match(text, at)
            if found:
                self._heredocs.append((found[2] or found[3] or found[4], bool(found[1])))
                return found.end()
        elif self._language is Language.SH and not top and alone and letter in "{}":
            if text[at + 1 : at + 2] in {"", " ", "\t", ";", "&", "|", ")"}:
                self._braces = max(0, self._braces + (1 if letter == "{" else -1))
        elif letter == "<":
            return at + 3 if text.startswith("<<<", at) else at + 1
        return at + 1


def lines_alone(text: str, language: Language) -> Iterator[tuple[int, str]]:
    """Number (from 0) and text of each line that stands for itself, outside of functions."""
    reader = _Reader(language)
    lines = lines_of(text)
    for at, line in enumerate(lines):
        before = reader.plain
        reader.read(line)
        follows = lines[at + 1].split(None, 1)[:1] if at + 1 < len(lines) else []
        if before and reader.plain and not (language is Language.FISH and follows in (["and"], ["or"])):
            yield at, line.rstrip("\r\n")


_WORD = (
    r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|`[^`]*`|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\\."
    r"|[^\s;&|<>()\"'`\\#]|(?<=[^\s;&|])#)"
)
_END = r"\s*;?\s*(?:(?<=[\s;])#.*)?$"
_TEST = r"(?:\[\s(?:[^;&|`\]]|\]\])*?\s\]|\[\[\s[^;`]*?\s\]\])"


def _setter(name: str, language: Language) -> str:
    if language is Language.CSH:
        return rf"(?:setenv\s+{name}(?:\s+(?P<value>{_WORD}+))?|unsetenv\s+{name})"
    if language is Language.FISH:
        options = r"(?:-(?!\w*[ql])\w+\s+|--(?!query|local)[\w-]+\s+)*"
        value = rf"(?:\s+(?P<value>(?:{_WORD}|\([^()]*\))+))?"
        return rf"(?:set\s+{options}{name}{value}|(?:export\s+){name}={_WORD}*)"
    export = r"(?:export|(?:declare|typeset)(?:\s+-\w+)+)"
    return (
        rf"(?:(?:{export}\s+)?{name}=(?P<value>{_WORD}*)(?:(?:\s*(?:;|&&)\s*|\s+)export\s+{name})?"
        rf"|unset\s+(?:-v\s+)?{name})"
    )


def sets_only(line: str, name: str, language: Language) -> bool:
    """The line sets that variable, or takes it away, perhaps after a test, and does nothing else.

    False too for a line that keeps a value that is there (`DISPLAY=${DISPLAY:-:0}`).
    """
    setter = _setter(name, language)
    if language is Language.SH:
        ways = [
            rf"\s*(?:{_TEST}\s*(?:&&|\|\|)\s*)?{setter}{_END}",
            rf"\s*if\s+{_TEST}\s*;\s*then\s+{setter}\s*;\s*fi{_END}",
        ]
    elif language is Language.CSH:
        ways = [rf"\s*(?:if\s*\([^;]*\)\s*)?{setter}{_END}"]
    else:
        ways = [rf"\s*{setter}{_END}"]
    found = next(filter(None, (re.match(way, line) for way in ways)), None)
    if found is None:
        return False
    value = (found["value"] or "").strip("\"'")
    return re.match(rf"\$(?:{name}|\{{{name}(?:\}}|:?[-=]))", value) is None
