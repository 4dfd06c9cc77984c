"""ssh's X11 messages and the one line under them."""

from __future__ import annotations

import pytest

from x11fwd.explain.messages import all_messages
from x11fwd.pipeline.ssh.explanations import GATE, explain


# As OpenSSH 9.2 writes them (clientloop.c, channels.c, ssh.c), with values filled in.
@pytest.mark.parametrize(
    "line",
    [
        b"X11 forwarding request failed on channel 0\r",
        b"Warning: untrusted X11 forwarding setup failed: xauth key data not generated\r",
        b"Warning: No xauth data; using fake authentication data for X11 forwarding.\r",
        b"X11 connection rejected because of wrong authentication.\r",
        b"connect /tmp/.X11-unix/X0: No such file or directory\r",
        b"connect /private/tmp/com.apple.launchd.x/org.xquartz:0: Connection refused\r",
        b"connect localhost port 6000: Connection refused\r",
        b'DISPLAY "[::1]:0" invalid; disabling X11 forwarding\r',
        b"Rejected X11 connection after ForwardX11Timeout expired\r",
        b"debug1: Remote: No xauth program; cannot forward X11.\r",
        b"debug1: Remote: X11 forwarding disabled by key options.\r",
        b"Could not parse display number from DISPLAY: :x\r",
        b"x11_request_forwarding_with_spoofing: different $DISPLAY already forwarded\r",
        b"Warning: ssh server tried X11 forwarding.\r",
    ],
)
def test_a_message_about_x11_is_explained(line: bytes) -> None:
    assert explain(line, ("gpu",))


@pytest.mark.parametrize(
    "line",
    [
        b"ssh: connect to host gpu port 22: Connection refused\r",
        b"connect_to localhost port 80: failed.\r",
        b"Permission denied, please try again.\r",
        b"debug1: Requesting X11 forwarding with authentication spoofing.\r",
        b"channel 3: open failed: connect failed: Connection refused\r",
        b"",
    ],
)
def test_any_other_message_is_left_alone(line: bytes) -> None:
    assert explain(line, ("gpu",)) is None


def test_a_suggestion_quotes_what_a_shell_would_take_apart() -> None:
    said = explain(b"X11 forwarding request failed on channel 0", ("-i", "my key", "gpu"))
    assert said
    assert "`x11fwd doctor -i 'my key' gpu`" in said.sentence


@pytest.mark.parametrize(
    ("line", "opening", "own"),
    [
        (b"X11 forwarding request failed on channel 0", True, True),
        (b"Warning: No xauth data; using fake authentication data for X11 forwarding.", True, False),
        (b"X11 connection rejected because of wrong authentication.", False, False),
        (b"connect /tmp/.X11-unix/X0: Connection refused", False, False),
    ],
)
def test_what_comes_before_the_remote_program_is_told_from_what_comes_later(
    line: bytes, opening: bool, own: bool
) -> None:
    said = explain(line, ("gpu",))
    assert said
    assert (said.opening, said.own) == (opening, own)


SPOKEN = [message for message in all_messages() if message.session]


def test_every_explanation_is_one_line_that_names_what_to_type() -> None:
    assert len(SPOKEN) > 15
    for message in SPOKEN:
        assert "\n" not in message.session
        assert "`" in message.session


def test_every_explained_wording_passes_the_gate() -> None:
    for message in SPOKEN:
        for wording in message.wordings:
            assert any(word in wording.encode() for word in GATE), wording
