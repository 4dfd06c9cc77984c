"""The test plot: its lines as events, the pixels that count, and verify's verdicts."""

from __future__ import annotations

import ast
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import x11fwd.pipeline
from tests.unit.checks.seen import healthy_local, healthy_remote
from tests.unit.x11.test_image import picture
from x11fwd.checks.report import Status
from x11fwd.errors import ConnectError, ConnectionLost, DisplayError
from x11fwd.facts.model import RemoteFacts, Unknown
from x11fwd.pipeline import plot_watch
from x11fwd.pipeline.plot_session import COLOURS, PlotEvent, PlotSession
from x11fwd.pipeline.plot_watch import patches_problem
from x11fwd.pipeline.ssh.routes import Route
from x11fwd.pipeline.verify import FINDING, VerifyOptions, VerifyResult, run_verify
from x11fwd.target import Target
from x11fwd.transports.base import CommandResult, X11Offer, X11Outcome
from x11fwd.transports.fake import Answer, Call, FakeTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.facts.model import LocalFacts
    from x11fwd.pipeline.verify import Bridge
    from x11fwd.transports.base import Prompter, Transport
    from x11fwd.x11.connection import Connection
    from x11fwd.x11.image import RGB, Image

WHITE = (255, 255, 255)
FOLDER = Path(x11fwd.pipeline.__file__).parent


def test_both_sides_know_the_same_colours() -> None:
    tree = ast.parse((FOLDER / "plot.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COLOURS":
            assert ast.literal_eval(node.value) == COLOURS
            return
    pytest.fail("plot.py has no COLOURS")


def test_what_is_sent_is_plain_ascii_and_knows_nothing_newer_than_python_3_6() -> None:
    text = (FOLDER / "plot.py").read_bytes().decode("ascii")
    ast.parse(text, feature_version=(3, 6))
    (FOLDER / "run_start.sh").read_bytes().decode("ascii")


# --- pixels -----------------------------------------------------------------------------------------------


def row_of(colours: list[RGB], *, width: int = 12, gap: int = 3, height: int = 10) -> list[list[RGB]]:
    line = [WHITE] * gap
    for colour in colours:
        line += [colour] * width + [WHITE] * gap
    blank = [WHITE] * len(line)
    return [blank, *([line] * height), blank]


def test_four_whole_patches_in_a_row_are_right() -> None:
    assert patches_problem(picture(row_of(list(COLOURS)))) == ""
    assert patches_problem(picture(row_of(list(COLOURS)), "16-bit")) == ""


def test_a_missing_patch_is_named_by_its_colour() -> None:
    rows = row_of([*COLOURS[:3], WHITE])
    assert patches_problem(picture(rows)) == "the patch #ffbb00 is missing"


def test_patches_in_another_order_are_wrong() -> None:
    assert "order" in patches_problem(picture(row_of(list(reversed(COLOURS)))))


def test_a_covered_patch_is_wrong() -> None:
    rows = [list(line) for line in row_of(list(COLOURS), width=20, height=20)]
    for line in rows[3:9]:
        line[5:13] = [(0, 0, 0)] * 8
    assert patches_problem(picture(rows)) == "the patch #d62728 is not whole"


def test_patches_of_different_height_are_wrong() -> None:
    rows = [list(line) for line in row_of(list(COLOURS), width=20, height=16)]
    for line in rows[-6:]:
        line[:24] = [WHITE] * 24
    assert "equal size" in patches_problem(picture(rows))


# --- events -----------------------------------------------------------------------------------------------


class Remote:
    """What the plot writes; the mark is taken from the command, as the real one takes it."""

    def __init__(self, *events: dict[str, object], status: int = 0, stderr: bytes = b"") -> None:
        self.events, self.status, self.stderr = events, status, stderr

    def __call__(self, call: Call) -> CommandResult:
        mark = call.argv[4]
        lines = "".join(f"\n{mark} {json.dumps(event)}\n" for event in self.events)
        return CommandResult(self.status, f"noise of a start file\n{lines}".encode(), self.stderr)


FIGURE: dict[str, object] = {
    "event": "figure",
    "backend": "TkAgg",
    "interactive": True,
    "matplotlib": "3.6.3",
    "display": "localhost:10.0",
    "warnings": [],
}
HELLO: dict[str, object] = {"event": "hello", "python": "3.11.2"}


def transport(remote: Remote, granted: bool = True) -> FakeTransport:
    answers = [Answer(remote, kind="stream"), Answer(CommandResult(0))]
    return FakeTransport(answers, x11=X11Outcome(requested=True, granted=granted))


def test_a_plot_that_ends_before_it_is_told_to_draw_says_how_it_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with PlotSession(transport(Remote(HELLO, status=7)), python="p", shell="", title="t") as session:

        def closed(_data: bytes) -> None:
            raise ConnectionLost("the command does not read its standard input any more")

        monkeypatch.setattr(session._stream, "write", closed)
        assert session.event(1) == PlotEvent("hello", python="3.11.2")
        assert session.round_trips(2, 1) == ()
        session.go()
        assert session.event(1) == PlotEvent("end", exit_status=7)


def test_lines_with_the_mark_are_events_and_all_others_are_noise() -> None:
    with PlotSession(transport(Remote(HELLO, FIGURE)), python="p", shell="", title="t") as session:
        hello, figure, end = session.event(1), session.event(1), session.event(1)
    assert hello == PlotEvent("hello", python="3.11.2")
    assert figure
    assert (figure.backend, figure.interactive, figure.display) == ("TkAgg", True, "localhost:10.0")
    assert end == PlotEvent("end", exit_status=0)


def test_the_program_is_sent_as_input_and_its_size_as_an_argument() -> None:
    fake = transport(Remote(HELLO))
    PlotSession(fake, python="/usr/bin/python3", shell="/bin/fish", title="t").close()
    words = fake.calls[0].argv
    assert words[:2] == ("/bin/sh", "-c")
    assert words[6:9] == ("/usr/bin/python3", "no", "/bin/fish")
    assert int(words[5]) > 1000


# --- verdicts ---------------------------------------------------------------------------------------------


class NoConnection:
    """An X connection that is never asked anything."""

    def __enter__(self) -> NoConnection:
        return self

    def __exit__(self, *exc: object) -> None:
        return


class FakeBridge:
    """A bridge that runs."""

    display, authority, problem = "localhost:17.0", "/run/x11fwd/authority", ""

    def __init__(self, closed: list[bool]) -> None:
        self._closed = closed

    def close(self) -> None:
        self._closed.append(True)


class FakeMeans:
    """verify's arrows; every part can be replaced."""

    def __init__(self, remote: Remote | None = None, facts: RemoteFacts | None = None) -> None:
        self.remote = remote or Remote(HELLO, FIGURE)
        self.facts = facts or healthy_remote()
        self.display_error: DisplayError | None = None
        self.connect_error: ConnectError | None = None
        self.offer: X11Offer | None = X11Offer(":0")
        self.granted = True
        self.remembered: list[float] = []
        self.trusted: list[bool] = []
        self.closed: list[bool] = []
        self.bridge_error: ConnectError | None = None
        self.far = False
        self.offered: list[X11Offer | None] = []

    def gather_local(self) -> LocalFacts:
        return healthy_local()

    def open_display(self, local: LocalFacts) -> Connection:
        del local
        if self.display_error:
            raise self.display_error
        return NoConnection()  # type: ignore[return-value]

    def make_offer(self, local: LocalFacts, trusted: bool | None) -> tuple[X11Offer | None, str]:
        del local, trusted
        return self.offer, "because"

    def connect(self, target: Target, prompter: Prompter, choice: str, x11: X11Offer | None) -> Transport:
        del target, prompter, choice
        self.offered.append(x11)
        if self.connect_error:
            raise self.connect_error
        return transport(self.remote, self.granted)

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        del python
        transport.run(["probe"], x11=True)
        return self.facts

    def choose_way(self, transport: Transport, round_trip: float | None, ask: Callable[[], bool]) -> Route:
        assert round_trip == self.facts.round_trip
        if transport.x11.granted and self.far:
            return Route("bridge", "100 ms of round trip is far")
        return Route("bridge" if transport.x11.granted is False and ask() else "native", "")

    def open_bridge(self, transport: Transport, local: LocalFacts, *, trusted: bool) -> Bridge:
        del transport, local
        self.trusted.append(trusted)
        if self.bridge_error:
            raise self.bridge_error
        return FakeBridge(self.closed)

    def remember(self, transport: Transport, round_trip: float) -> None:
        del transport
        self.remembered.append(round_trip)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Callable[[Image | None], None]:
    """Decides what this screen shows; nothing at first."""
    shown: list[Image | None] = [None]

    def look(_connection: Connection, _title: str) -> Image | None:
        time.sleep(0.01)  # the written events would be over in no time
        return shown[0]

    monkeypatch.setattr(plot_watch, "_window_picture", look)
    monkeypatch.setattr(plot_watch, "_BASE", 0.2)
    monkeypatch.setattr(plot_watch, "_TURNS", 0.0)

    def show(image: Image | None) -> None:
        shown[0] = image

    return show


def verify(means: FakeMeans, **options: object) -> VerifyResult:
    wanted = VerifyOptions(**options)  # type: ignore[arg-type]
    return run_verify(Target("ana@gpu1", "gpu1", "ana"), wanted, None, means=means)  # type: ignore[arg-type]


RIGHT = row_of(list(COLOURS))


def test_right_pixels_are_success_and_the_picture_is_kept(
    window: Callable[[Image | None], None], tmp_path: Path
) -> None:
    window(picture(RIGHT))
    result = verify(FakeMeans(), screenshot=tmp_path / "shot.png")
    assert result.ok
    assert result.report.exit_code == 0
    assert (result.backend, result.version, result.display) == ("TkAgg", "3.6.3", "localhost:10.0")
    assert result.seconds is not None
    assert (tmp_path / "shot.png").read_bytes().startswith(b"\x89PNG")
    own = result.report.findings[-1]
    assert (own.id, own.status) == (FINDING, Status.PASS)


def test_a_screenshot_that_cannot_be_written_is_an_error(
    window: Callable[[Image | None], None], tmp_path: Path
) -> None:
    window(picture(RIGHT))
    with pytest.raises(DisplayError, match=r"screenshot .* could not be written"):
        verify(FakeMeans(), screenshot=tmp_path / "nowhere/shot.png")


def test_a_feared_failure_that_did_not_come_true_is_a_warning(window: Callable[[Image | None], None]) -> None:
    window(picture(RIGHT))
    facts = healthy_remote()
    python = replace(facts.pythons[0], tkinter=None, tkinter_problem="gone")
    result = verify(FakeMeans(facts=replace(facts, pythons=(python,))))
    assert result.ok
    assert Status.FAIL not in {finding.status for finding in result.report.findings}


@pytest.mark.parametrize(
    ("remote", "title", "evidence"),
    [
        (Remote(HELLO, {**FIGURE, "backend": "agg", "interactive": False}), "its backend is agg", "DISPLAY="),
        (Remote(HELLO, {"event": "failed", "problem": "TclError: no display"}), "TclError: no display", ""),
        (
            Remote(HELLO, status=134, stderr=b"\nqt.qpa.plugin: xcb\n"),
            "crashed with SIGABRT",
            "qt.qpa.plugin",
        ),
        (Remote(status=127, stderr=b"exec: python: not found\n"), "exit status 127", "not found"),
        (Remote(HELLO, FIGURE, {"event": "closed", "by": "user"}), "was closed before", ""),
    ],
)
@pytest.mark.usefixtures("window")
def test_a_plot_that_comes_to_nothing_is_a_failure_that_says_why(
    remote: Remote, title: str, evidence: str
) -> None:
    result = verify(FakeMeans(remote))
    own = result.report.findings[-1]
    assert not result.ok
    assert result.report.exit_code == 1
    assert title in own.title
    assert evidence in own.evidence
    assert result.report.cause == FINDING


@pytest.mark.usefixtures("window")
def test_a_silent_fall_back_is_put_down_to_its_cause() -> None:
    facts = healthy_remote()
    facts = replace(facts, login_environment=dict(facts.start_environment, MPLBACKEND="agg"))
    matplotlib = facts.pythons[0].matplotlib
    assert not isinstance(matplotlib, Unknown)
    from x11fwd.facts.model import SettingSource

    forced = replace(matplotlib, backend="agg", backend_wish=("agg", SettingSource(variable="MPLBACKEND")))
    facts = replace(facts, pythons=(replace(facts.pythons[0], matplotlib=forced),))
    result = verify(FakeMeans(Remote(HELLO, {**FIGURE, "backend": "agg", "interactive": False}), facts))
    assert result.report.cause == "mpl-mplbackend-wins"
    assert result.report.findings[-1].cause == "mpl-mplbackend-wins"


def test_a_window_with_wrong_pixels_is_a_failure(window: Callable[[Image | None], None]) -> None:
    window(picture([[WHITE] * 50] * 50))
    # events that never end: the plot waits, as the real one does
    result = verify(FakeMeans(Remote(HELLO, *([FIGURE] * 40))))
    assert not result.ok
    assert "the patch #d62728 is missing" in result.report.findings[-1].title


@pytest.mark.usefixtures("window")
def test_a_refused_request_ends_it_before_anything_is_drawn() -> None:
    means = FakeMeans()
    means.granted = False
    means.facts = replace(means.facts, x11=X11Outcome(requested=True, granted=False))
    result = verify(means)
    assert "refused to forward X11" in result.report.findings[-1].title
    assert result.report.exit_code == 1


@pytest.mark.usefixtures("window")
def test_without_a_display_here_nobody_logs_in() -> None:
    means = FakeMeans()
    means.display_error = DisplayError("the X server at :0 cannot be used")
    means.connect_error = ConnectError("nobody should have come here")
    result = verify(means)
    assert "no display to show a window on" in result.report.findings[-1].title
    assert result.report.exit_code == 1


@pytest.mark.usefixtures("window")
def test_a_connection_that_does_not_come_about_is_exit_code_3() -> None:
    means = FakeMeans()
    means.connect_error = ConnectError("gpu1 cannot be reached")
    result = verify(means)
    assert result.report.exit_code == 3
    assert result.report.cause == "ssh-connection"


def test_an_open_window_is_shown_before_it_is_waited_for(window: Callable[[Image | None], None]) -> None:
    window(picture(RIGHT))
    told: list[VerifyResult] = []
    options = VerifyOptions(keep=True)
    means = FakeMeans(Remote(HELLO, FIGURE, {"event": "closed", "by": "user"}))
    target = Target("ana@gpu1", "gpu1", "ana")
    result = run_verify(target, options, None, shown=told.append, means=means)  # type: ignore[arg-type]
    assert told == [result]
