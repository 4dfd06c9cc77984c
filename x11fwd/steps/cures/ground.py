"""What every cure sees, and where it leaves its edits and commands; imported by cures and the pipeline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown
from x11fwd.steps.plan import Change, DiffLine, RunCommand, WriteFile
from x11fwd.steps.questions import Answers, CommandAnswer, Questions
from x11fwd.steps.wording import file_diff, listed, slug

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target

__all__ = ["Ground"]


@dataclass
class _Edit:
    """One file under way: what it was, what it shall be, and why."""

    before: bytes | None
    after: bytes
    titles: list[str] = field(default_factory=list)
    mode: int = 0o644


@dataclass
class Ground:
    """One machine while cures are planned for it.

    Cures call `file` and `command` for what the facts do not hold. A question that has no answer yet is noted
    and reads as Unknown, so that one pass without answers finds every question.

    Attributes:
        home: absolute path of the user's home directory there.
        shell: the login shell's path.
        local, remote: the facts; one of them is about this ground.
        target: whom the user asked about, None for this machine alone.
        answers: to the questions of the first pass.
        notes: sentences about what a cure left alone, and why.
    """

    home: str
    shell: str = ""
    local: LocalFacts | None = None
    remote: RemoteFacts | None = None
    target: Target | None = None
    answers: Answers = field(default_factory=Answers)
    notes: list[str] = field(default_factory=list)
    _files: dict[str, None] = field(default_factory=dict)
    _commands: dict[tuple[str, ...], None] = field(default_factory=dict)
    _edits: dict[str, _Edit] = field(default_factory=dict)
    _runs: dict[str, Change] = field(default_factory=dict)

    @property
    def questions(self) -> Questions:
        """What the pass so far would have liked to know."""
        return Questions(tuple(self._files), tuple(self._commands))

    def file(self, path: str) -> bytes | Unknown | None:
        """A file's bytes as edited so far, None where it is not there, Unknown where it cannot be read."""
        if path in self._edits:
            return self._edits[path].after
        if path not in self.answers.files:
            self._files[path] = None
            return Unknown("not asked yet")
        return self.answers.files[path]

    def command(self, *argv: str) -> CommandAnswer | Unknown:
        """What a command says that only looks."""
        if argv not in self.answers.commands:
            self._commands[argv] = None
            return Unknown("not asked yet")
        return self.answers.commands[argv]

    def edit(
        self,
        path: str,
        title: str,
        change: Callable[[str], str | None],
        *,
        new: bool = False,
        mode: int = 0o644,
    ) -> bool:
        """Change one text file; `change` gets its text and answers None where nothing is to be done.

        Args:
            new: the file may be missing and is made then.
            mode: for a new one.

        Returns:
            True where it will be changed.
        """
        was = self.file(path)
        if isinstance(was, Unknown):
            if path in self.answers.files:
                self.notes.append(f"{path} is left alone: {was.reason}")
            return False
        if was is None and not new:
            return False
        after = change((was or b"").decode("utf-8", "surrogateescape"))
        if after is None:
            return False
        data = after.encode("utf-8", "surrogateescape")
        if data == was:
            return False
        entry = self._edits.setdefault(path, _Edit(was, data, mode=mode))
        entry.after = data
        entry.titles.append(title)
        return True

    def run(self, title: str, action: RunCommand, *shown: str) -> None:
        """A command with its check and its undo; `shown` are the lines a person reads."""
        name = f"cure-{slug(title)}"
        diff = tuple(DiffLine("+", line) for line in shown)
        self._runs.setdefault(name, Change(name, title, action, become=False, diff=diff))

    def changes(self) -> tuple[Change, ...]:
        """Everything noted so far: one change a file, then the commands."""
        written = tuple(_change(path, edit) for path, edit in self._edits.items())
        return (*written, *self._runs.values())


def _change(path: str, edit: _Edit) -> Change:
    before = None if edit.before is None else edit.before.decode("utf-8", "replace")
    digest = None if edit.before is None else hashlib.sha256(edit.before).hexdigest()
    titles = list(dict.fromkeys(edit.titles))
    return Change(
        f"cure-{slug(path)}",
        listed(titles),
        WriteFile(path, edit.after, digest, edit.mode),
        become=False,
        diff=file_diff(path, before, edit.after.decode("utf-8", "replace")),
    )
