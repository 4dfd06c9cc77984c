"""The scripted transport keeps the contract that the real ones keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ChangeError, ConnectionLost, ProbeError
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.fake import Answer, Call, FakeTransport

if TYPE_CHECKING:
    from x11fwd.transports.base import ByteStream, Transport


def test_it_is_a_transport_and_its_stream_a_stream() -> None:
    transport: Transport = FakeTransport([Answer(CommandResult(0, b"hello"), kind="stream")])
    stream: ByteStream = transport.stream(["cat"])
    assert (stream.read(2), stream.read(9), stream.read(9), stream.wait()) == (b"he", b"llo", b"", 0)


def test_answers_are_found_by_command_and_by_standard_input() -> None:
    fake = FakeTransport(
        [
            Answer(CommandResult(1), argv=("uname",), times=1),
            Answer(CommandResult(0, b"Darwin"), argv=("uname",)),
            Answer(CommandResult(0, b"probe"), stdin=b"# probe"),
        ]
    )
    assert fake.run(["uname", "-s"]).exit_status == 1
    assert fake.run(["uname", "-s"]).text == "Darwin"
    assert fake.run(["/bin/sh"], stdin=b"# probe\n").text == "probe"
    assert fake.round_trips == 3
    assert fake.calls[2] == Call("run", ("/bin/sh",), b"# probe\n")


def test_an_answer_may_be_a_function_of_the_call() -> None:
    fake = FakeTransport([Answer(lambda call: CommandResult(0, call.stdin[::-1]))])
    assert fake.run(["rev"], stdin=b"abc").stdout == b"cba"


def test_an_unexpected_command_is_named() -> None:
    with pytest.raises(ProbeError, match="'sw_vers -x'"):
        FakeTransport().run(["sw_vers", "-x"])


def test_the_line_breaks_at_the_call_it_was_told_and_stays_broken() -> None:
    fake = FakeTransport([Answer(CommandResult(0))], die_at=2)
    assert fake.run(["true"]).ok
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            fake.run(["true"])


def test_files_are_kept_and_a_put_can_be_refused() -> None:
    fake = FakeTransport([Answer(ChangeError("disk full"), argv=("/full",), kind="put")])
    fake.put("/etc/x", b"data", mode=0o644)
    assert fake.files == {"/etc/x": b"data"}
    assert fake.calls[0].mode == 0o644
    with pytest.raises(ChangeError, match="disk full"):
        fake.put("/full", b"data")
    assert "/full" not in fake.files


def test_the_x11_outcome_is_unknown_until_somebody_asked() -> None:
    fake = FakeTransport([Answer(CommandResult(0))], x11=X11Outcome(True, False, ("No xauth program.",)))
    assert fake.x11 == X11Outcome(True, None, ())
    fake.run(["true"], x11=True)
    assert fake.x11 == X11Outcome(True, False, ("No xauth program.",))
