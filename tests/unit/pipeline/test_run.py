"""The line of `run` with a transport whose answers are written down, and with this machine as the far one."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import zlib
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ChangeError, ConnectError, ConnectionLost, ProbeError, UsageError
from x11fwd.pipeline import run as under_test
from x11fwd.pipeline.run import RunOptions, RunResult, Terminal, run_script
from x11fwd.target import SshConfig, Target
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.fake import Answer, FakeStream, FakeTransport
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from x11fwd.pipeline.run_session import Drawn
    from x11fwd.transports.base import Transport

HEAD = struct.Struct("!cI")


def frame(kind: bytes, data: bytes = b"", **more: object) -> bytes:
    data = data or (json.dumps(more).encode() if more else b"")
    return HEAD.pack(kind, len(data)) + data


HELLO = frame(b"H", python="3.11.2", executable="/usr/bin/python3", host="gpu1") + frame(
    b"N", b'{"needed": []}'
)
END = frame(b"X", status=5) + frame(b"U")


class Ends:
    """This side's ends, as lists."""

    def __init__(self, *, may_send: bool = True, terminal: Terminal | None = None) -> None:
        self.out, self.err = b"", b""
        self.pictures: list[Drawn] = []
        self.asked: list[tuple[str, ...]] = []
        self.raw_entered = 0
        self._may_send, self._terminal = may_send, terminal

    def output(self, data: bytes) -> None:
        self.out += data

    def errors(self, data: bytes) -> None:
        self.err += data

    def read_input(self, limit: int) -> bytes:
        del limit
        return b""

    def picture(self, one: Drawn) -> None:
        self.pictures.append(one)

    def terminal(self) -> Terminal | None:
        return self._terminal

    @contextmanager
    def raw(self, resized: Callable[[int, int], None], leave: Callable[[], None]) -> Iterator[None]:
        assert callable(leave)
        self.raw_entered += 1
        resized(20, 70)
        yield

    def may_send(self, size: int, largest: tuple[str, ...]) -> bool:
        del size
        self.asked.append(largest)
        return self._may_send

    def may_bridge(self) -> bool:
        return False


class Nobody:
    """A person who is asked nothing."""

    def __getattr__(self, name: str) -> None:
        pytest.fail(f"asked for {name}")


class NoScreen:
    """Where a screen would be looked for."""

    def __init__(self, environ: object) -> None:
        del environ
        self.problem = ": there is no screen here"

    def offer(self) -> None:
        return None

    def facts(self) -> object:
        class Facts:
            display_used = None

        return Facts()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    path = tmp_path / "work/s.py"
    path.write_text("print('hello')\n")
    return path


@pytest.fixture
def play(script: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunResult]:
    """Runs the script at the other end of a transport."""

    def run(transport: Transport, ends: Ends, **options: object) -> RunResult:
        monkeypatch.setattr("x11fwd.transports.choose.connect", lambda *_args, **_more: transport)
        monkeypatch.setattr(under_test, "RunDisplay", NoScreen)
        chosen = RunOptions(script, here=script.parent, **options)  # type: ignore[arg-type]
        return run_script(Target("gpu1", "gpu1"), chosen, ends, Nobody(), environ={})  # type: ignore[arg-type]

    return run


def far(stdout: bytes, status: int = 0, stderr: bytes = b"") -> FakeTransport:
    return FakeTransport([Answer(CommandResult(status, stdout, stderr), kind="stream")])


def test_what_comes_goes_to_its_place_and_the_status_is_the_scripts(play: Callable[..., RunResult]) -> None:
    about = json.dumps({"id": "f", "kind": "png", "title": "Figure 1"}).encode()
    picture = frame(b"P", struct.pack("!I", len(about)) + about + b"\x89PNG")
    ends = Ends()
    shown = HELLO + frame(b"Y", folder="/x") + frame(b"O", b"out") + frame(b"E", b"err") + picture * 2 + END
    result = play(far(shown), ends, inline=True)
    assert (ends.out, ends.err) == (b"out", b"err")
    assert [one.title for one in ends.pictures] == ["Figure 1"] * 2
    assert (result.exit_status, result.pictures, result.host, result.notes) == (5, 1, "gpu1", ())


@pytest.mark.parametrize(
    ("transport", "error", "words"),
    [
        (far(HELLO + frame(b"U")), ConnectionLost, "did not say how the script ended"),
        (far(HELLO + frame(b"O", b"x"), 255, b"Killed\n"), ConnectionLost, "ended .status 255.: Killed"),
        (far(b"", 127), ProbeError, "there is no python3 on fake"),
        (far(b"", 3), ProbeError, "older than 3.6"),
        (far(frame(b"Q", problem="No space left on device")), ChangeError, "No space left"),
        (far(frame(b"H", b"no json")), ProbeError, "no JSON"),
        (far(frame(b"O", b"x")), ProbeError, "where b'H' was expected"),
        (far(HEAD.pack(b"P", 1 << 31)), ProbeError, "in one piece"),
        (FakeTransport(die_at=1), ConnectionLost, "was lost"),
    ],
)
def test_what_goes_wrong_over_there_is_said(
    transport: FakeTransport, error: type[Exception], words: str, play: Callable[..., RunResult]
) -> None:
    with pytest.raises(error, match=words):
        play(transport, Ends(), inline=True)
    assert transport.closed


def test_what_is_asked_for_is_sent(play: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(FakeStream, "write", lambda _self, data: written.append(bytes(data)))
    ends = Ends(terminal=Terminal(24, 80, "xterm", errors=True))
    play(far(HELLO + END), ends, inline=True, arguments=("--x", "1"), fetch=("out/*.png",))
    (start,) = [data for data in written if data[:1] == b"S"]
    told = json.loads(zlib.decompress(start[HEAD.size :]))
    assert told["words"] == ["s.py", "--x", "1"]
    assert sorted(told["modules"]) == ["x11fwd_figure_data.py", "x11fwd_inline.py"]
    assert told["terminal"] == {"rows": 24, "columns": 80, "kind": "xterm", "errors": True}
    assert told["fetch"] == ["out/*.png"]
    assert ends.raw_entered == 1


def test_a_script_without_a_terminal_has_pipes(
    play: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(FakeStream, "write", lambda _self, data: written.append(bytes(data)))
    ends = Ends()
    play(far(HELLO + END), ends, inline=True, pixels=True)
    (start,) = [data for data in written if data[:1] == b"S"]
    told = json.loads(zlib.decompress(start[HEAD.size :]))
    assert (told["terminal"], ends.raw_entered) == (None, 0)
    assert sorted(told["modules"]) == ["x11fwd_inline.py"]
    assert told["environment"] == {"X11FWD_INLINE_KIND": "png"}


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (
            b"qt.qpa.xcb: could not connect to display \n",
            "no window opened: there is no screen here; `--inline`",
        ),
        (
            b"ModuleNotFoundError: No module named 'matplotlib'\n",
            "/usr/bin/python3 on gpu1 has no matplotlib",
        ),
    ],
)
@pytest.mark.parametrize("kind", [b"E", b"O"])
def test_what_a_person_should_know_at_the_end(
    said: bytes, note: str, kind: bytes, play: Callable[..., RunResult]
) -> None:
    ends = Ends(terminal=Terminal(24, 80, "xterm", errors=True))
    middle = len(said) // 2  # it may come in pieces
    result = play(far(HELLO + frame(kind, said[:middle]) + frame(kind, said[middle:]) + END), ends)
    assert len(result.notes) == 1
    assert result.notes[0].startswith(note)


def test_a_large_project_is_a_question(
    script: Path, play: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "LARGE", 1000)
    (script.parent / "data").write_bytes(bytes(2000))
    ends = Ends(may_send=False)
    with pytest.raises(UsageError, match="nothing was sent"):
        play(far(HELLO + END), ends, inline=True, sync=script.parent)
    assert ends.asked == [("data (0 MB)", "s.py (0 MB)")]
    assert play(far(HELLO + END), Ends(), inline=True, sync=script.parent, yes=True).exit_status == 5


def test_files_come_back_and_only_those_asked_for(script: Path, play: Callable[..., RunResult]) -> None:
    def sent(path: str) -> bytes:
        return frame(b"G", path=path, size=4, mode=0o644) + frame(b"D", zlib.compress(b"made"))

    result = play(
        far(HELLO + sent("out/a.txt") + END), Ends(), inline=True, sync=script.parent, fetch=("out/*",)
    )
    assert [one.path for one in result.fetched] == ["out/a.txt"]
    assert (script.parent / "out/a.txt").read_text() == "made"
    with pytest.raises(ProbeError, match="not asked for"):
        play(far(HELLO + sent("s.py") + END), Ends(), inline=True, sync=script.parent, fetch=("out/*",))
    assert script.read_text() == "print('hello')\n"


@pytest.mark.parametrize("python", ["", "-c"])
def test_a_python_that_is_none_is_refused(python: str, play: Callable[..., RunResult]) -> None:
    with pytest.raises(UsageError, match="no path of a Python"):
        play(far(b""), Ends(), python=python)


def test_without_python3_the_one_that_doctor_names_is_taken(
    script: Path, play: Callable[..., RunResult], clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    script.write_text("import os, sys; print(os.environ['WHICH'])\n")
    tools = clean_environment / "tools"
    tools.mkdir()
    for name in ("sed", "readlink", "sh", "env"):
        (tools / name).symlink_to(str(shutil.which(name)))
    own = clean_environment / "venv/bin/python"
    own.parent.mkdir(parents=True)
    (own.parent.parent / "pyvenv.cfg").touch()
    own.write_text(f'#!/bin/sh\nWHICH=venv exec {sys.executable} "$@"\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("SHELL", "")
    ends = Ends()
    result = play(LocalTransport(), ends, inline=True)
    assert (result.exit_status, ends.out, ends.err) == (0, b"venv\n", b"")


@pytest.mark.parametrize("works", [True, False])
def test_windows_from_far_away_take_the_bridge_or_else_the_way_that_there_is(
    works: bool, script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Screen(NoScreen):
        def facts(self) -> object:
            return SimpleNamespace(display_used=":0", security_extension=True)

    def open_bridge(*_args: object, **_more: object) -> object:
        if not works:
            raise ConnectError("the remote half did not start")
        return SimpleNamespace(display="localhost:12", authority="/run/a", close=lambda: None)

    written: list[bytes] = []
    monkeypatch.setattr(FakeStream, "write", lambda _self, data: written.append(bytes(data)))
    transport = FakeTransport(
        [Answer(CommandResult(0, HELLO + END, b""), kind="stream")],
        config=SshConfig({"hostname": ("10.0.0.1",), "port": ("22",)}),
        x11=X11Outcome(requested=True, granted=True),
    )
    transport.round_trip = 0.1
    monkeypatch.setattr("x11fwd.transports.choose.connect", lambda *_args, **_more: transport)
    monkeypatch.setattr(under_test, "RunDisplay", Screen)
    monkeypatch.setattr("x11fwd.pipeline.bridged.open_bridge", open_bridge)
    options = RunOptions(script, here=script.parent)
    run_script(Target("gpu1", "gpu1"), options, Ends(), Nobody(), environ={"HOME": str(tmp_path)})  # type: ignore[arg-type]
    (start,) = [data for data in written if data[:1] == b"S"]
    display = {"DISPLAY": "localhost:12", "XAUTHORITY": "/run/a"} if works else {}
    assert json.loads(zlib.decompress(start[HEAD.size :]))["environment"] == display


def test_a_script_whose_name_begins_with_a_dash_is_no_option_of_python(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashed = script.rename(script.with_name("-c.py"))
    written: list[bytes] = []
    monkeypatch.setattr(FakeStream, "write", lambda _self, data: written.append(bytes(data)))
    monkeypatch.setattr("x11fwd.transports.choose.connect", lambda *_args, **_more: far(HELLO + END))
    options = RunOptions(dashed, inline=True, here=script.parent, fetch=("*.png",))
    result = run_script(Target("gpu1", "gpu1"), options, Ends(), Nobody(), environ={})  # type: ignore[arg-type]
    (start,) = [data for data in written if data[:1] == b"S"]
    assert json.loads(zlib.decompress(start[HEAD.size :]))["words"] == ["./-c.py"]
    assert result.notes == ("nothing to fetch for *.png: the script made or changed no such file",)
