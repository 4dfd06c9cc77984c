"""What the remote says while the remote half starts, and what is done about it."""

from __future__ import annotations

import zlib

import pytest

from x11fwd.bridge.assembly.assemble import assembled
from x11fwd.bridge.bootstrap.starter import Reason, Refused, Starter, shell_text
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.hello import HelloReader, hello_bytes
from x11fwd.bridge.shared.link import Link

PROGRAM = assembled(b"def main(argv, early=b''):\n return 0\n")
HELLO = Link("s", 1000).begin()


def starter(*, kept: bool = True) -> Starter:
    return Starter(PROGRAM, kept=kept, nonce="77" * 16)


def test_a_kept_program_is_not_sent() -> None:
    start = starter(kept=True)
    assert start.first == b""
    fed = start.feed(HELLO)
    assert (start.started, start.kept, start.refused) == (True, True, None)
    assert fed.send == b""
    assert HelloReader().feed(fed.link) is not None


def test_the_program_is_sent_at_once_where_it_is_not_known_to_be_kept() -> None:
    start = starter(kept=False)
    head, _, packed = start.first.partition(b" %d\n" % (len(start.first) - start.first.index(b"\n", 1) - 1))
    assert head == b"\nX11FWD-BRIDGE-SOURCE " + b"77" * 16
    assert zlib.decompress(packed) == PROGRAM.source
    fed = start.feed(b"\nX11FWD-BRIDGE-KEPT\n" + HELLO)
    assert (start.started, start.kept, fed.send) == (True, True, b"")


def test_a_program_that_was_lost_over_there_is_sent_once_more() -> None:
    start = starter(kept=True)
    fed = start.feed(b"Welcome!\n\nX11FWD-BRIDGE-SEND\n")
    assert fed.send == starter(kept=False).first
    assert (start.started, start.kept) == (False, False)
    start.feed(b"\nX11FWD-BRIDGE-UNKEPT\n" + HELLO)
    assert (start.started, start.kept) == (True, False)


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_has_its_reason(reason: Reason) -> None:
    start = starter()
    assert start.feed(b"motd\n\nX11FWD-BRIDGE-NONE %s a b\n" % reason.value.encode()).link == b""
    assert start.refused == Refused(reason, "a b")
    assert start.refused.sentence
    assert not start.started


def test_an_unknown_reason_is_a_failure() -> None:
    start = starter()
    start.feed(b"\nX11FWD-BRIDGE-NONE tired\xff really\n")
    assert start.refused == Refused(Reason.FAILED, "tired� really")


def test_marks_are_found_in_noise_however_it_is_cut() -> None:
    said = b"noise X11FWD-BRIDGE-NONE no-python\r\n\nX11FWD\n\nX11FWD-BRIDGE-KEPT\n" + HELLO + b"link"
    for step in (1, 2, 3, 7, 1000):
        start = starter(kept=False)
        link = b"".join(start.feed(said[at : at + step]).link for at in range(0, len(said), step))
        assert (start.started, start.kept, start.refused) == (True, True, None)
        read = HelloReader().feed(link)
        assert read is not None
        assert read[1] == b"link"


def test_what_comes_after_the_hello_is_the_links() -> None:
    start = starter()
    start.feed(HELLO)
    assert start.feed(b"\nX11FWD-BRIDGE-SEND\n").link == b"\nX11FWD-BRIDGE-SEND\n"


def test_a_server_that_says_something_else_without_end_is_given_up() -> None:
    start = starter()
    start.feed(b"x" * 60_000)
    with pytest.raises(WireFault, match="without end"):
        start.feed(b"x" * 10_000)
    start = starter()
    with pytest.raises(WireFault, match="do not end"):
        start.feed(b"\nX11FWD-BRIDGE-NONE " + b"x" * 1000)


def test_the_command_does_not_hold_what_it_prints_and_no_byte_that_a_login_shell_reads_otherwise() -> None:
    command = Starter(PROGRAM, kept=True, preferred=11, token="ab" * 16).command
    assert "BRIDGE-NONE" not in command
    assert command.startswith("exec /bin/sh -c '")
    assert command.isascii()
    assert "\n" not in command
    assert "!" not in command
    assert len(command) < 8000  # it travels with each login


def test_comments_and_the_sessions_part_do_not_travel() -> None:
    text = shell_text("rendezvous.sh", without=("x_wait", "x_last"))
    assert "#" not in text
    assert "x_wait" not in text
    assert "x_last" not in text
    for name in ("x_runtime_folder()", "x_meet()", "x_tell()"):
        assert name in text
    assert "x_wait()" in shell_text("rendezvous.sh")


def test_the_mark_of_the_link_is_the_one_that_ends_the_start() -> None:
    hello, _ = HelloReader().feed(HELLO) or (None, b"")
    assert hello is not None
    assert hello_bytes(hello).startswith(b"\nX11FWD-BRIDGE-HELLO\n")
