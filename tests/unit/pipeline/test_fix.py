"""`doctor --fix` on a home directory that is both machines': planned, made, looked at again, taken back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy_local, healthy_remote
from tests.unit.engine.rig import here
from x11fwd.checks.report import Finding, Fix, FixBy, Report, Side, Status
from x11fwd.errors import ConnectError, ConnectionLost
from x11fwd.facts.account import AccountFacts, StartLine
from x11fwd.facts.model import AuthorityFile
from x11fwd.facts.place import PlaceFacts
from x11fwd.pipeline.doctor import DoctorOptions, run_doctor
from x11fwd.pipeline.fix import FixPlan, FixReport, FixStatus, admin_note, run_fix
from x11fwd.pipeline.undo import HERE, SilentUndo, UndoAnswer, UndoOptions, UndoStatus, run_undo
from x11fwd.steps.plan import Outcome
from x11fwd.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.engine.rig import Here
    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer

TARGET = parse_target("ana@gpu1")
EXPORT = "# from a blog\nexport DISPLAY=:0\n"


class Gone:
    """A line that dies when a change is sent."""

    def __init__(self, real: Here) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def __enter__(self) -> Gone:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def stream(self, argv: object, *, x11: bool = False) -> object:
        raise ConnectionLost("the connection to gpu1 ended in the middle of a change")


@dataclass
class Machines:
    """Means of doctor; the start file of the home directory decides what the remote looks like."""

    transport: Here
    dies: bool = False
    trouble: list[BaseException | None] = field(default_factory=list)  # one for each login
    takes: bool = True
    place: PlaceFacts = field(default_factory=PlaceFacts)
    logins: int = 0

    @property
    def home(self) -> Path:
        return self.transport.home

    def __call__(self) -> Machines:
        return self

    def gather_local(self, target: Target | None) -> LocalFacts:
        return healthy_local()

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        return None

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        self.logins += 1
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble:
            raise trouble
        return Gone(self.transport) if self.dies else self.transport  # type: ignore[return-value]

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        path = self.home / ".bashrc"
        text = path.read_text(encoding="utf-8")
        facts = healthy_remote()
        if "BEGIN x11fwd" in text and self.takes:
            return replace(facts, home=replace(facts.home, path=str(self.home)))
        line = StartLine(str(path), 2, "DISPLAY", ":0", "export DISPLAY=:0")
        return replace(
            facts,
            home=replace(facts.home, path=str(self.home)),
            login_environment=MappingProxyType({"DISPLAY": ":0"}),
            remote_handshake="connect /tmp/.X11-unix/X0: No such file or directory",
            account=AccountFacts(start_lines=(line,)),
        )

    def find_place(self) -> PlaceFacts:
        return self.place

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        self.takes = False  # a session keeps the environment that it began with
        return replace(self.gather_remote(self.transport, python), place=place)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:
        return None


class Silent:
    """Nobody who could answer."""

    def accept_host_key(self, question: object) -> bool:
        return False

    def secret(self, prompt: str) -> str | None:
        return None

    visible = secret

    def notice(self, text: str) -> None: ...


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """Of an account that is not root's: root's journal lies outside of its home."""
    with here("dash") as transport:
        transport.file(".bashrc", EXPORT.encode())
        monkeypatch.setattr("x11fwd.transports.local.LocalTransport", lambda: transport)
        monkeypatch.setenv("HOME", str(transport.home))
        yield Machines(transport)


def fixed(
    machines: Machines, *, target: Target | None = TARGET, go: bool = True, **more: object
) -> FixReport:
    options = DoctorOptions(**more.pop("options", {}))  # type: ignore[arg-type]
    return run_fix(target, options, Silent(), lambda _plan: go, means=machines, **more)  # type: ignore[arg-type]


def text_of(machines: Machines) -> str:
    return (machines.home / ".bashrc").read_text(encoding="utf-8")


def test_it_is_cured_looked_at_again_and_taken_back(machines: Machines) -> None:
    report = fixed(machines)
    assert (report.status, report.took, report.left, report.exit_code) == (
        FixStatus.DONE,
        ("start-file-overwrites-display",),
        (),
        0,
    )
    assert machines.logins == 3  # doctor, the cure, doctor
    assert fixed(machines).status is FixStatus.WELL
    undo = run_undo(None, UndoOptions(), Silent(), SilentUndo(), lambda *_: UndoAnswer(go=True))
    assert (undo.target, undo.status) == (HERE, UndoStatus.DONE)
    assert text_of(machines) == EXPORT


def test_undo_leaves_what_was_edited_since_and_names_it(machines: Machines) -> None:
    fixed(machines)
    path = machines.home / ".bashrc"
    with path.open("a", encoding="utf-8") as file:
        file.write("alias ll='ls -l'\n")
    edited = text_of(machines)
    undo = run_undo(None, UndoOptions(), Silent(), SilentUndo(), lambda *_: UndoAnswer(go=True))
    assert undo.status is UndoStatus.LEFT
    (entry,) = undo.plan.foreign
    assert entry.path == str(path)
    assert "+alias ll='ls -l'" in entry.difference
    assert text_of(machines) == edited


def test_what_did_not_take_is_still_there(machines: Machines) -> None:
    machines.takes = False
    report = fixed(machines)
    assert report.status is FixStatus.DONE
    assert report.left == ("start-file-overwrites-display",)
    assert report.exit_code == 1
    again = fixed(machines)  # nothing is left to plan
    assert (again.status, again.exit_code) == (FixStatus.BEYOND, 1)


def test_no_answer_or_a_no_changes_nothing(machines: Machines) -> None:
    shown: list[FixPlan] = []

    def decline(plan: FixPlan) -> bool:
        shown.append(plan)
        return False

    report = run_fix(TARGET, DoctorOptions(), Silent(), decline, means=machines)
    assert report.status is FixStatus.DECLINED
    assert report.exit_code == 1
    assert [change.title for change in shown[0].there.changes] == [
        "Guard DISPLAY in ~/.bashrc: not in a session of ssh"
    ]
    assert fixed(machines, dry_run=True).status is FixStatus.PLANNED
    assert text_of(machines) == EXPORT


def test_only_one_finding_is_cured(machines: Machines) -> None:
    report = fixed(machines, options={"only": ("xauthority-stale-lock",)})
    assert (report.status, report.exit_code) == (FixStatus.WELL, 0)
    report = fixed(machines, options={"only": ("remote-display-dead",)})
    assert (report.status, report.exit_code) == (FixStatus.BEYOND, 1)  # it merely follows
    assert text_of(machines) == EXPORT
    assert fixed(machines, options={"only": ("start-file-overwrites-display",)}).exit_code == 0


def test_a_line_that_breaks_in_the_middle_ends_in_a_sentence(machines: Machines) -> None:
    machines.dies = True
    report = fixed(machines)
    assert (report.status, report.exit_code) == (FixStatus.FAILED, 3)
    assert report.error is not None
    assert "in the middle of a change" in report.error.message
    assert text_of(machines) == EXPORT


def test_the_second_login_may_be_refused(machines: Machines) -> None:
    machines.trouble = [None, ConnectError("gpu1 does not let us in")]
    report = fixed(machines)
    assert (report.status, report.exit_code) == (FixStatus.FAILED, 3)


def test_where_nobody_could_look_again_nothing_is_called_cured(machines: Machines) -> None:
    machines.trouble = [None, None, ConnectError("gpu1 does not answer")]
    report = fixed(machines)
    assert report.left == ("start-file-overwrites-display",)
    assert report.exit_code == 3


def test_a_change_that_is_refused_is_code_4(machines: Machines) -> None:
    def meanwhile(_plan: FixPlan) -> bool:
        machines.transport.file(".bashrc", b"alias ll='ls -l'\nexport DISPLAY=:0\n")
        return True

    report = run_fix(TARGET, DoctorOptions(), Silent(), meanwhile, means=machines)
    assert (report.status, report.exit_code) == (FixStatus.DONE, 4)
    assert [one.outcome for one in report.results] == [Outcome.FAILED]
    assert "was changed by somebody else" in report.results[0].detail
    assert report.left == ("start-file-overwrites-display",)
    assert text_of(machines).startswith("alias")


def test_ctrl_c_before_a_change_is_an_interrupt_and_after_it_a_report(machines: Machines) -> None:
    def interrupt(_plan: FixPlan) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_fix(TARGET, DoctorOptions(), Silent(), interrupt, means=machines)

    def progress(text: str) -> None:
        if text == "looking again":
            raise KeyboardInterrupt

    report = run_fix(TARGET, DoctorOptions(), Silent(), lambda _: True, progress, means=machines)
    assert (report.status, report.exit_code) == (FixStatus.FAILED, 130)
    assert [one.outcome for one in report.results] == [Outcome.DONE]


def test_in_a_session_a_start_file_shows_at_the_next_login(machines: Machines) -> None:
    machines.place = PlaceFacts(in_session=True, why="SSH_CONNECTION", hostname="gpu1.example", uid=1000)
    report = fixed(machines, target=None)
    assert report.later == ("start-file-overwrites-display",)
    assert (report.left, report.exit_code, report.session_on) == ((), 0, "gpu1")
    assert "BEGIN x11fwd" in text_of(machines)


def test_a_cure_here_is_made_though_no_connection_comes_about(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(machines.transport.file("cookies", b""))
    path.chmod(0o644)

    def local(_target: Target | None) -> LocalFacts:
        from x11fwd.facts.desktop import DesktopFacts

        open_to_others = bool(path.stat().st_mode & 0o44)
        file = AuthorityFile(
            str(path), exists=True, owner="ana", mode=path.stat().st_mode & 0o777, writable=True
        )
        return replace(healthy_local(), authority=file, desktop=DesktopFacts(exposed=open_to_others))

    monkeypatch.setattr(machines, "gather_local", local)
    machines.trouble = [ConnectError("gpu1 does not answer"), ConnectError("gpu1 does not answer")]
    report = fixed(machines)
    assert report.took == ("xauthority-readable-by-others",)
    assert report.exit_code == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_doctor_names_what_it_can_cure_as_the_fix(machines: Machines) -> None:
    result = run_doctor(TARGET, DoctorOptions(), Silent(), means=machines)
    (finding,) = (one for one in result.report.findings if one.id == result.report.cause)
    assert finding.fix == Fix("x11fwd doctor --fix ana@gpu1", FixBy.X11FWD)
    (machines.home / ".bashrc").write_text("x() {\nexport DISPLAY=:0\n}\n", encoding="utf-8")
    report = fixed(machines)
    assert report.status is FixStatus.BEYOND
    assert report.plan.notes[0].startswith("~/.bashrc:2 is left alone")
    (finding,) = (one for one in report.last.findings if one.id == report.last.cause)
    assert finding.fix is not None
    assert "--fix" not in finding.fix.command


def finding(name: str, status: Status, by: FixBy, cause: str | None = None) -> Finding:
    return Finding(
        name, Side.REMOTE, status, f"{name} is so", f"/etc/{name}:3", cause, Fix(f"sudo {name}", by)
    )


def test_the_note_names_everything_that_needs_an_administrator() -> None:
    findings = (
        finding("one", Status.FAIL, FixBy.ADMIN),
        finding("two", Status.WARN, FixBy.ADMIN),
        finding("three", Status.UNKNOWN, FixBy.ADMIN),
        finding("four", Status.PASS, FixBy.ADMIN),
        finding("five", Status.FAIL, FixBy.ADMIN, "one"),
        finding("six", Status.FAIL, FixBy.YOU),
    )
    note = admin_note(Report("doctor", "gpu1", findings, "one", 1, 0.0), "gpu1", "ana")
    assert note == (
        "Subject: X11 forwarding for ana on gpu1\n\nHello,\n\n"
        "I would like to see plots of programs that run on gpu1 on my own screen,\n"
        "through ssh's X11 forwarding. This stands in the way and needs root's rights:\n\n"
        "- one is so\n  (/etc/one:3)\n- two is so\n  (/etc/two:3)\n- three is so\n  (/etc/three:3)\n\n"
        "The lines to run as root:\n\n    sudo one\n    sudo two\n    sudo three\n\nThank you,\nana\n"
    )
    assert admin_note(Report("doctor", "gpu1", (), None, 0, 0.0), "gpu1") == ""
