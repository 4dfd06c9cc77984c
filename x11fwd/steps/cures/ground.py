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

# For each file that is there: whose it is, whether it may be written, whether a link leads to it, and its
# number on the disk, by which two names of one file are known.
_LOOK = r"""for f; do
  [ -f "$f" ] || continue
  o=other; [ -O "$f" ] && o=own
  w=closed; [ -w "$f" ] && w=open
  l=file; [ -h "$f" ] && l=link
  i=$(ls -diL -- "$f" 2>/dev/null | sed 's/^ *//;s/ .*//')
  printf '%s %s %s %s %s\n' "$o" "$w" "$l" "${i:-0}" "$f"
done"""


@dataclass
class _Edit:
    """One file under way: what it was, what it shall be, and why."""

    before: bytes | None
    after: bytes
    titles: list[str] = field(default_factory=list)
    mode: int = 0o644
    notes: list[str] = field(default_factory=list)


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
    _steps: dict[str, _Edit | Change] = field(default_factory=dict)  # by path or id, in the order they came

    def knowing(self, answers: Answers) -> Ground:
        """The same ground before any cure was planned, with these answers."""
        return Ground(self.home, self.shell, self.local, self.remote, self.target, answers)

    @property
    def questions(self) -> Questions:
        """What the pass so far would have liked to know."""
        look = (self._look(tuple(self._files)),) if self._files else ()
        return Questions(tuple(self._files), (*look, *self._commands))

    @staticmethod
    def _look(paths: tuple[str, ...]) -> tuple[str, ...]:
        return ("sh", "-c", _LOOK, "sh", *paths)

    def short(self, path: str) -> str:
        """A path as a person would write it."""
        inside = bool(self.home) and path.startswith(f"{self.home}/")
        return f"~{path[len(self.home) :]}" if inside else path

    def note(self, sentence: str) -> None:
        """One more thing to say beside the changes."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def file(self, path: str) -> bytes | Unknown | None:
        """A file's bytes as edited so far, None where it is not there, Unknown where it cannot be read."""
        edit = self._steps.get(path)
        if isinstance(edit, _Edit):
            return edit.after
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

    def refuses(self, path: str) -> str:
        """Why a file is not ours to change, as a clause; "" where it is."""
        was = self.answers.files.get(path)
        if isinstance(was, Unknown):
            return was.reason
        owner, writable, *_ = self._words(path) or ("own", "open")
        if owner != "own":
            return "it belongs to somebody else"
        return "" if writable == "open" else "it is write-protected"

    def _words(self, path: str) -> tuple[str, ...]:
        """What `_LOOK` said of a file."""
        for line in self._looked():
            *words, name = line.split(" ", 4)
            if name == path:
                return tuple(words)
        return ()

    def _looked(self) -> list[str]:
        for argv, answer in self.answers.commands.items():
            if argv[2:3] == (_LOOK,) and isinstance(answer, CommandAnswer):
                return [line for line in answer.stdout.split("\n") if line.count(" ") >= 4]
        return []

    def _same(self, path: str) -> str | None:
        """Another name of the same file that is being changed already."""
        words = self._words(path)
        if not words or words[3] == "0":
            return None
        others = (one for one, step in self._steps.items() if isinstance(step, _Edit) and one != path)
        return next((one for one in others if self._words(one)[3:4] == words[3:4]), None)

    def edit(
        self,
        path: str,
        title: str,
        change: Callable[[str], str | None],
        *,
        new: bool = False,
        mode: int = 0o644,
        note: str = "",
    ) -> bool:
        """Change one text file; `change` gets its text and answers None where nothing is to be done.

        Args:
            new: the file may be missing and is made then.
            mode: for a new one.
            note: one more sentence for the person.

        Returns:
            True where it will be changed.
        """
        was = self.file(path)
        if isinstance(was, Unknown) and path not in self.answers.files:
            return False
        if (was is None and not new) or self._same(path) is not None:
            return False
        text = b"" if was is None or isinstance(was, Unknown) else was
        after = change(text.decode("utf-8", "surrogateescape"))
        if after is None and not isinstance(was, Unknown):
            return False
        if reason := self.refuses(path):
            self.note(f"{self.short(path)} is left alone: {reason}")
            return False
        data = (after or "").encode("utf-8", "surrogateescape")
        if data == was:
            return False
        entry = self._steps.get(path)
        if not isinstance(entry, _Edit):
            entry = self._steps[path] = _Edit(None if was is None else text, data, mode=mode)
        entry.after = data
        entry.titles.append(title)
        if self._words(path)[2:3] == ("link",):
            entry.notes.append("it is a link; the file that it leads to is changed")
        if note:
            entry.notes.append(note)
        return True

    def run(
        self,
        title: str,
        check: tuple[str, ...],
        do: tuple[str, ...],
        undo: tuple[str, ...] = (),
        *,
        shown: tuple[str, ...],
        note: str = "",
    ) -> None:
        """A command.

        Args:
            check: exits 0 once it is so.
            undo: () for what does not come back: it is not in the journal then.
            shown: the lines that a person reads.
        """
        name = f"cure-{slug(title)}"
        diff = tuple(DiffLine(" ", line) for line in shown)
        change = Change(name, title, RunCommand(check, do, undo), become=False, diff=diff, note=note)
        self._steps.setdefault(name, change)

    def changes(self) -> tuple[Change, ...]:
        """Everything noted so far, in order; one change a file."""
        return tuple(
            step if isinstance(step, Change) else _change(path, step) for path, step in self._steps.items()
        )


def _change(path: str, edit: _Edit) -> Change:
    before = None if edit.before is None else edit.before.decode("utf-8", "replace")
    digest = None if edit.before is None else hashlib.sha256(edit.before).hexdigest()
    return Change(
        f"cure-{slug(path)}",
        listed(list(dict.fromkeys(edit.titles))),
        WriteFile(path, edit.after, digest, edit.mode),
        become=False,
        diff=file_diff(path, before, edit.after.decode("utf-8", "replace"), context=1),
        note="; ".join(dict.fromkeys(edit.notes)),
    )
