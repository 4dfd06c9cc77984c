"""How the engine's client reads what the remote says; the remote is a script of lines here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.rig import write
from x11fwd.errors import ConnectionLost, ProbeError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.engine import Engine, EngineError, LineKind, SpokenLine
from x11fwd.steps.journal import Entry, EntryKind, Now, parse_journal
from x11fwd.steps.plan import Change, ChangeSshd, Outcome, WriteFile
from x11fwd.steps.privilege import NoRightsError, WrongPasswordError
from x11fwd.target import SshConfig, Target
from x11fwd.transports.base import CommandResult, X11Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGE = write("/home/ana/rc", b"x\n", None)
SSHD = Change(
    "sshd-x11forwarding",
    "Allow",
    ChangeSshd(WriteFile("/etc/x", b"x\n", None), "/sshd", "/etc/ssh/sshd_config", False, (), "user=ana", ()),
    become=True,
)


@dataclass
class Scripted:
    """A stream that says one script; `@ ` stands for the run's mark. None as a line is silence."""

    lines: Sequence[str | None]
    status: int = 0
    errors: bytes = b""
    sent: bytes = b""
    mark: str = ""
    closed: bool = False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        if not self.lines:
            return b""
        line, self.lines = self.lines[0], self.lines[1:]
        if line is None:
            raise TimeoutError
        return line.replace("@ ", f"@{self.mark} ").encode()

    def write(self, data: bytes) -> None:
        self.sent += data

    def close_write(self) -> None: ...

    def stderr(self) -> bytes:
        return self.errors

    def wait(self, timeout: float | None = None) -> int:
        return self.status

    def close(self) -> None:
        self.closed = True


@dataclass
class Line:
    """A transport whose streams are scripted, one after the other."""

    streams: list[Scripted]
    argv: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "fake"
    reason: str = "a test"
    target: Target = field(default_factory=lambda: Target("ana@gpu1", "gpu1"))
    config: SshConfig = field(default_factory=SshConfig)
    server_version: str | None = None
    round_trip: float | None = None
    round_trips: int = 0
    x11: X11Outcome = field(default_factory=X11Outcome)

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> Scripted:
        self.argv.append(tuple(argv))
        stream = self.streams[len(self.argv) - 1]
        stream.mark = argv[4]
        return stream

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        raise NotImplementedError

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exc: object) -> None: ...


def talk(*lines: str | None, status: int = 0, errors: bytes = b"") -> Engine:
    return Engine(Line([Scripted(lines, status, errors)]), Privilege(PrivilegeKind.ROOT))


def test_the_outcome_and_its_entry_are_read() -> None:
    result = talk("@ outcome done 0003-write\n", "@ closing\n@ end 0\n").apply(CHANGE)
    assert (result.change, result.outcome, result.journal) == ("file-test", Outcome.DONE, ("0003-write",))


def test_lines_may_be_cut_anywhere_and_stand_behind_what_login_files_print() -> None:
    heard: list[SpokenLine] = []
    engine = talk("Welcome@ progress wait", "ing\nGet:1 xauth\n@ outcome unchanged\n@ e", "nd 0\n")
    assert engine.apply(CHANGE, heard.append).outcome is Outcome.UNCHANGED
    assert heard == [SpokenLine(LineKind.PROGRESS, "waiting"), SpokenLine(LineKind.OUTPUT, "Get:1 xauth")]


def test_of_a_managers_many_words_its_error_is_quoted() -> None:
    said = "@ words error: target not found: tk\n@ words :: Synchronizing\n@ words done\n@ words bye\n"
    with pytest.raises(EngineError) as caught:
        talk(f"{said}@ fail install the package manager could not install tk\n@ end 1\n").apply(CHANGE)
    words = "the package manager could not install tk on ana@gpu1: error: target not found: tk"
    assert caught.value.message == words


def test_a_refusal_has_its_code_its_words_and_a_hint() -> None:
    engine = talk("@ words line 3: Bad\n@ words \n@ fail sshd-broken sshd does not accept it\n@ end 1\n")
    with pytest.raises(EngineError) as caught:
        engine.apply(CHANGE)
    error = caught.value
    assert error.message == "sshd does not accept it on ana@gpu1: line 3: Bad"
    assert (error.code, error.words, error.exit_code) == ("sshd-broken", ("line 3: Bad",), 4)
    assert "sshd -t" in error.hint


def test_silence_is_a_dead_line() -> None:
    with pytest.raises(ConnectionLost, match="has said nothing for 45 s"):
        talk("@ progress x\n", None).apply(CHANGE)


def test_an_end_in_the_middle_is_a_dead_line() -> None:
    with pytest.raises(ConnectionLost, match="ended in the middle of a change"):
        talk("@ progress x\n").apply(CHANGE)


def test_ssh_itself_failing_is_a_dead_line_and_not_a_refusal_of_sudo() -> None:
    with pytest.raises(ConnectionLost, match="Broken pipe"):
        talk(status=255, errors=b"client_loop: send disconnect: Broken pipe\n").apply(SSHD)


def test_an_engine_that_does_not_start_says_why() -> None:
    with pytest.raises(ProbeError, match="did not start: sh: not found"):
        talk(status=127, errors=b"sh: not found").apply(CHANGE)


@pytest.mark.parametrize("line", ["@ outcome maybe\n", "@ outcome pending 1\n"])
def test_an_outcome_that_cannot_be_meant_is_no_success(line: str) -> None:
    with pytest.raises(ProbeError):
        talk(line, "@ end 0\n").apply(CHANGE)


def test_confirm_names_the_transaction_that_this_engine_began() -> None:
    line = Line(
        [Scripted(["@ outcome pending 0001-sshd\n@ end 0\n"]), Scripted(["@ outcome confirmed\n@ end 0\n"])]
    )
    engine = Engine(line, Privilege(PrivilegeKind.ROOT))
    assert engine.apply(SSHD).outcome is Outcome.PENDING
    begun = line.streams[0].mark
    engine.confirm()
    assert f"x_pending={begun}\n".encode() in line.streams[1].sent
    engine.confirm()  # nothing waits any more: nothing is asked
    assert len(line.argv) == 2


def wrong(words: str = "sudo: 1 incorrect password attempt") -> Scripted:
    return Scripted([f"@ words {words}\n@ fail sudo sudo refused\n@ end 1\n"])


def test_a_wrong_password_is_asked_for_again_and_the_right_one_kept() -> None:
    good = ["@ outcome done\n@ end 0\n"]
    line = Line([wrong(), Scripted(good), Scripted(good)])
    answers = ["nope", "right"]
    engine = Engine(line, Privilege(PrivilegeKind.SUDO_PASSWORD), password=lambda _: answers.pop(0))
    assert engine.apply(SSHD).outcome is Outcome.DONE
    assert engine.apply(SSHD).outcome is Outcome.DONE
    assert answers == []
    assert [stream.sent.partition(b"\n")[0] for stream in line.streams] == [b"nope", b"right", b"right"]
    assert b"right" not in line.streams[1].sent.partition(b"\n")[2]


def test_three_wrong_passwords_are_enough() -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "nope"

    engine = Engine(
        Line([wrong(), wrong(), wrong()]), Privilege(PrivilegeKind.SUDO_PASSWORD), password=answer
    )
    with pytest.raises(WrongPasswordError, match="sudo did not accept the password on ana@gpu1"):
        engine.apply(SSHD)
    assert prompts == ["[sudo] password on ana@gpu1: "] * 3


def test_somebody_who_may_not_is_not_asked_again() -> None:
    line = Line([wrong("ana is not in the sudoers file.")])
    engine = Engine(line, Privilege(PrivilegeKind.SUDO_PASSWORD), password=lambda _: "right")
    with pytest.raises(NoRightsError):
        engine.apply(SSHD)


def test_where_nobody_can_answer_nothing_is_sent() -> None:
    line = Line([])
    with pytest.raises(NoRightsError, match="nobody can answer"):
        Engine(line, Privilege(PrivilegeKind.SUDO_PASSWORD)).apply(SSHD)
    assert line.argv == []


def test_what_needs_no_rights_asks_for_no_password() -> None:
    line = Line([Scripted(["@ outcome done\n@ end 0\n"])])
    assert Engine(line, Privilege(PrivilegeKind.SUDO_PASSWORD)).apply(CHANGE).outcome is Outcome.DONE


def test_a_journal_is_read_whole() -> None:
    lines = [
        ("root-state", "yes"),
        ("entry", "0001-write"),
        *(
            ("field", text)
            for text in (
                "state done",
                "kind write",
                "change matplotlibrc-backend",
                "title Ask for TkAgg",
                "time 2026-11-20T10:00:00Z",
                "who ana from 10.0.0.5",
                "path /home/ana/a b",
                "absent /home/ana/.cache",
                "absent ",
                "now foreign",
                "difference @@ -1 +1 @@",
                "difference  context",
                "created yes",
            )
        ),
        ("entry", "0002-packages"),
        ("field", "kind packages"),
        ("field", "added xauth"),
        ("field", "added libxau6:amd64"),
        ("pending", "0003-sshd"),
    ]
    journal = parse_journal(lines, as_root=True)
    assert journal.entries[0] == Entry(
        "0001-write",
        True,
        EntryKind.WRITE,
        "done",
        "matplotlibrc-backend",
        "Ask for TkAgg",
        "2026-11-20T10:00:00Z",
        "ana from 10.0.0.5",
        "/home/ana/a b",
        True,
        (),
        ("/home/ana/.cache",),
        Now.FOREIGN,
        ("@@ -1 +1 @@", " context"),
    )
    assert journal.entries[1].added == ("xauth", "libxau6:amd64")
    assert (journal.pending, journal.root_too) == ("0003-sshd", True)


@pytest.mark.parametrize("line", [("field", "kind magic"), ("field", "colour red"), ("verse", "1")])
def test_a_journal_line_that_is_not_understood_is_no_empty_journal(line: tuple[str, str]) -> None:
    with pytest.raises(ProbeError):
        parse_journal([("entry", "0001-write"), line], as_root=False)
