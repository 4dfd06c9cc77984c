"""The apply engine: executes a plan's actions on the remote and takes them back; imported by the pipeline.

One POSIX sh script (steps/engine/*.sh) is sent on standard input per change. It does its work detached from
the connection, so that a cut line or a killed client leaves no half-written file and no half-run dpkg, and a
part that stays in the connection repeats what the work says. Every line of ours carries a random mark:

    @MARK progress TEXT      @MARK words TEXT      @MARK outcome done ENTRY      @MARK fail CODE SENTENCE
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ConnectionLost, ProbeError
from x11fwd.steps.journal import Entry, EntryKind, Journal, parse_journal
from x11fwd.steps.plan import ChangeResult, ChangeSshd, InstallPackages, Outcome
from x11fwd.steps.privilege import NoRightsError, WrongPasswordError, boot, refusal
from x11fwd.steps.script import kind_of, script_for

if TYPE_CHECKING:
    from x11fwd.facts.model import Privilege
    from x11fwd.steps.plan import Change
    from x11fwd.transports.base import ByteStream, Transport

__all__ = [
    "Engine",
    "EngineError",
    "EngineLimits",
    "LineKind",
    "Listener",
    "NoRightsError",
    "SpokenLine",
    "UndoOutcome",
    "UndoResult",
]


class LineKind(Enum):
    PROGRESS = "progress"  # the engine's own word on what it is doing
    OUTPUT = "output"  # the package manager's
    NOTE = "note"  # something the user should know afterwards


@dataclass(frozen=True)
class SpokenLine:
    """One line while a change is under way."""

    kind: LineKind
    text: str


Listener = Callable[[SpokenLine], None]


@dataclass(frozen=True)
class EngineLimits:
    """How long the engine waits, in seconds.

    Attributes:
        lock: for another x11fwd on the same host.
        packages: for the package manager's lock.
        silence: without any sign of life from the remote (it gives one with every 20th nap, each 0.05 to 1).
        undo_confirm: how long the watcher of an undo waits for the confirmation.
    """

    lock: int = 30
    packages: int = 600
    silence: float = 45.0
    undo_confirm: int = 60


class EngineError(ChangeError):
    """A change was refused or failed, and was undone.

    Attributes:
        code: the engine's short word for it (`contradicted`, `no-space`, `locked`, …).
        words: what the remote itself said, line by line.
    """

    def __init__(self, message: str, *, code: str, words: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.words = words


class UndoOutcome(Enum):
    UNDONE = "undone"
    KEPT = "kept"  # packages that were to stay
    FOREIGN = "foreign"  # somebody else changed the file since; left alone
    PENDING = "pending"  # sshd reloaded, waits for its confirmation


@dataclass(frozen=True)
class UndoResult:
    """What became of one journal entry; `difference` shows what others changed.

    `kept` names packages that something else needs by now.
    """

    entry: Entry
    outcome: UndoOutcome
    difference: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass
class _Heard:
    """What one run has said."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    ended: bool = False

    def all(self, kind: str) -> tuple[str, ...]:
        return tuple(rest for what, rest in self.lines if what == kind)

    def last(self, kind: str) -> str | None:
        return next((rest for what, rest in reversed(self.lines) if what == kind), None)


_ERROR = re.compile(r"(E|ERROR|Error|error|fatal|FATAL)\b.*:")
_HINTS = {
    "changed": "run the command again: it then plans from what is there now",
    "locked": "wait until it has ended, then run the command again",
    "manager-locked": "wait until it has ended, then run the command again",
    "proof": "the words above say what is missing; what was installed is gone again",
    "no-space": "free some space on the remote and run the command again",
    "sshd-broken": "mend that line first; `sshd -t` on the remote says when it is right",
    "contradicted": "remove or change the line that decides, then run the command again",
    "would-change": "bring the remote up to date first, or install by hand",
    "died": "run the command again: what was begun is settled first",
    "cut": "run the command again",
}


class Engine:
    """Applies changes over one connection.

    Args:
        transport: an open connection.
        privilege: how root's rights can be had there.
        password: asked with the prompt's text when sudo wants a password, again (three times in all) when it
            was wrong; None where nobody can answer.
        plan: what the journal notes beside each entry (the playbook's name).
    """

    def __init__(
        self,
        transport: Transport,
        privilege: Privilege,
        *,
        password: Callable[[str], str | None] = lambda _: None,
        plan: str = "",
        limits: EngineLimits | None = None,
    ) -> None:
        self._transport = transport
        self._privilege = privilege
        self._ask = password
        self._password: str | None = None
        self._plan = plan
        self._limits = limits or EngineLimits()
        self._pending: tuple[str, bool, str] | None = None  # nonce of the transaction, become, what it undoes

    @property
    def host(self) -> str:
        return self._transport.target.typed or "this machine"

    @property
    def waits(self) -> bool:
        """A change of sshd that this engine made waits for its confirmation."""
        return self._pending is not None

    # --- changing

    def apply(
        self, change: Change, listener: Listener | None = None, *, traces: Sequence[str] = ()
    ) -> ChangeResult:
        """Make one change.

        Args:
            traces: paths in the home directory that our own logins and test programs may bring; the journal
                notes which of them were not there before.

        Returns:
            DONE, UNCHANGED (it was so already) or PENDING (sshd: log in anew, then `confirm` or `rollback`).

        Raises:
            EngineError: refused or failed; the host is as it was before.
            NoRightsError: root's rights turned out not to be had.
            WrongPasswordError: sudo refused three times.
            ConnectionLost: the line died; the remote finishes or takes back by itself.
        """
        run = {**self._variables(kind_of(change.action)), "traces": "\n".join(traces)}
        heard, nonce = self._run(run, change=change, become=change.become, listener=listener)
        word, _, entry = self._outcome(heard, _hint(change)).partition(" ")
        journal = (entry,) if entry else ()
        try:
            outcome = Outcome(word)
        except ValueError:
            raise ProbeError(f"the engine on {self.host} answered {word[:40]!r}") from None
        if outcome is Outcome.PENDING:
            if not isinstance(change.action, ChangeSshd):
                raise ProbeError(f"the engine on {self.host} left {change.id} pending")
            self._pending = (nonce, change.become, "")
        notes = heard.all("recovered") + tuple(f"left installed: {text}" for text in heard.all("left"))
        return ChangeResult(change.id, outcome, "; ".join(notes), journal)

    def confirm(self, over: Transport | None = None) -> None:
        """Keep the pending change of sshd; call it once a new login has shown what it should.

        Where the answer was lost with its connection it may be called again: what is confirmed stays so.

        Args:
            over: the new connection, where the old one may be dead.

        Raises:
            EngineError: too late, the watcher has taken it back.
        """
        self._settle("confirm", over)

    def rollback(self, over: Transport | None = None) -> bool:
        """Take the pending change of sshd back at once.

        Returns:
            False where a confirmation had arrived whose answer did not come back: the change stays.

        Raises:
            EngineError: it did not go back.
        """
        return self._settle("rollback", over) != "confirmed"

    def _settle(self, op: str, over: Transport | None) -> str:
        if self._pending is None:
            return ""
        nonce, become, undoes = self._pending
        before, self._transport = self._transport, over or self._transport
        try:
            run = {**self._variables(op), "pending": nonce, "entry": undoes}
            heard, _ = self._run(run, become=become)
            outcome = self._outcome(heard)
        finally:
            self._transport = before
        self._pending = None
        return outcome

    # --- looking and undoing

    def journal(self, *, as_root: bool) -> Journal:
        """Read one journal: root's, or the login user's own.

        Raises:
            NoRightsError: root's journal is wanted and there is no way to it.
        """
        heard, _ = self._run(self._variables("list"), become=as_root)
        self._outcome(heard)
        wanted = {"entry", "field", "pending", "root-state"}
        return parse_journal([line for line in heard.lines if line[0] in wanted], as_root=as_root)

    def recover(self, *, as_root: bool, listener: Listener | None = None) -> tuple[str, ...]:
        """Settle what an earlier run left unfinished; one sentence for each thing settled."""
        heard, _ = self._run(self._variables("recover"), become=as_root, listener=listener)
        self._outcome(heard)
        return heard.all("recovered")

    def undo(
        self, entry: Entry, *, remove_packages: bool = True, listener: Listener | None = None
    ) -> UndoResult:
        """Take one entry back; the newest first, or older ones will look changed by others.

        Raises:
            EngineError: it could not be taken back; everything is as it was before.
        """
        remove = "yes" if remove_packages or entry.kind is not EntryKind.PACKAGES else "no"
        run = {**self._variables("undo"), "entry": entry.id, "remove_packages": remove}
        heard, nonce = self._run(run, become=entry.as_root, listener=listener)
        word = self._outcome(heard).partition(" ")[0]
        try:
            outcome = UndoOutcome(word)
        except ValueError:
            raise ProbeError(f"the engine on {self.host} answered {word[:40]!r}") from None
        if outcome is UndoOutcome.PENDING:
            self._pending = (nonce, entry.as_root, entry.id)
        return UndoResult(entry, outcome, heard.all("difference"), heard.all("kept"))

    # --- one run

    def _variables(self, op: str) -> dict[str, str]:
        limits = self._limits
        return {
            "op": op,
            "plan": self._plan,
            "lock_seconds": str(limits.lock),
            "package_seconds": str(limits.packages),
            "undo_seconds": str(limits.undo_confirm),
            "entry": "",
            "pending": "",
            "remove_packages": "yes",
            "traces": "",
        }

    def _run(
        self,
        run: dict[str, str],
        *,
        become: bool,
        change: Change | None = None,
        listener: Listener | None = None,
    ) -> tuple[_Heard, str]:
        """Start one run and hear it out, asking for sudo's password as often as sensible."""
        from x11fwd.facts.model import PrivilegeKind

        asks = become and self._privilege.kind is PrivilegeKind.SUDO_PASSWORD
        for attempt in (1, 2, 3):
            if asks and self._password is None:
                self._password = self._ask(f"[sudo] password on {self.host}: ")
                if self._password is None:
                    raise NoRightsError(f"sudo on {self.host} asks for a password and nobody can answer")
            nonce = secrets.token_hex(8)
            start = boot(nonce, self._privilege, become=become, password=self._password)
            payload = start.preamble + script_for(nonce, run, change)
            heard, errors = self._hear(start.argv, payload, nonce, listener)
            if heard.ended and not (heard.last("fail") or "").startswith("sudo "):
                return heard, nonce
            words = "\n".join(heard.words) or errors or "\n".join(heard.noise)
            if not heard.ended and not (become and words):
                raise ProbeError(
                    f"the engine on {self.host} did not start: {words.strip()[-200:] or 'no word from it'}"
                )
            error = refusal(self.host, words, asked=asks)
            if not isinstance(error, WrongPasswordError):
                raise error
            self._password = None
            if attempt == 3:
                raise error
        raise AssertionError("the loop above ends")

    def _hear(
        self, argv: Sequence[str], payload: bytes, nonce: str, listener: Listener | None
    ) -> tuple[_Heard, str]:
        heard = _Heard()
        mark = f"@{nonce} "
        rest = b""
        stream = self._transport.stream(argv)
        try:
            stream.write(payload)
            stream.close_write()
            while not heard.ended:
                try:
                    data = stream.read(65536, timeout=self._limits.silence)
                except TimeoutError:
                    raise ConnectionLost(
                        f"{self.host} has said nothing for {self._limits.silence:g} s",
                        hint="the remote finishes or takes back by itself; run the command again then",
                    ) from None
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    _note(heard, line.decode("utf-8", "surrogateescape"), mark, listener)
                if not data:
                    break
            errors = stream.stderr().decode("utf-8", "surrogateescape")
            # 255 is ssh speaking, not the remote command (ssh(1), EXIT STATUS)
            if not heard.ended and (heard.lines or _status(stream) == 255):
                raise _line_died(self.host, errors.strip().splitlines()[-1:])
            return heard, errors
        finally:
            stream.close()

    def _outcome(self, heard: _Heard, install: str = "") -> str:
        """The word after `outcome`; `install` is the hint for an install that failed."""
        failed = heard.last("fail")
        outcome = heard.last("outcome")
        if failed is not None:
            code, _, sentence = failed.partition(" ")
            words = tuple(line for line in heard.words if line.strip())
            # managers' own errors say more than what they print last
            best = [line for line in words if _ERROR.match(line.strip())] or list(words)
            said = f": {'; '.join(best[-3:])}" if best else ""
            hint = install if code == "install" and install else _HINTS.get(code, "")
            raise EngineError(f"{sentence} on {self.host}{said}", code=code, words=words, hint=hint)
        if outcome is None:
            raise ProbeError(f"the engine on {self.host} ended without saying what came of it")
        return outcome


def _hint(change: Change) -> str:
    action = change.action
    return action.commands.hint if isinstance(action, InstallPackages) else ""


def _status(stream: ByteStream) -> int | None:
    try:
        return stream.wait(20.0)  # it comes behind the last output, on a busy machine a while behind
    except TimeoutError:
        return None


def _line_died(host: str, words: Sequence[str] = ()) -> ConnectionLost:
    said = f": {words[0].strip()}" if words else ""
    return ConnectionLost(
        f"the connection to {host} ended in the middle of a change{said}",
        hint="the remote finishes or takes back by itself; run the command again then",
    )


def _note(heard: _Heard, line: str, mark: str, listener: Listener | None) -> None:
    # login files may print without a final newline in front of our first line
    noise, found, spoken = line.partition(mark)
    if not found:
        heard.noise.append(line)
        del heard.noise[:-50]
        if listener is not None:
            listener(SpokenLine(LineKind.OUTPUT, line.rstrip("\r")))
        return
    if noise:
        heard.noise.append(noise)
    kind, _, rest = spoken.partition(" ")
    if kind == "end":
        heard.ended = True
    elif kind == "words":
        heard.words.append(rest)
    elif kind not in {"alive", "closing"}:
        heard.lines.append((kind, rest))
        if listener is not None and kind in {"progress", "recovered", "left", "lost"}:
            listener(SpokenLine(LineKind.PROGRESS if kind == "progress" else LineKind.NOTE, rest))
