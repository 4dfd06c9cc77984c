"""What `x11fwd ssh` adds to a call of ssh, and which calls it leaves alone."""

from __future__ import annotations

import pytest

from x11fwd.pipeline.ssh.command_line import CommandLine
from x11fwd.pipeline.ssh.decision import Decision, Screen, decide, passes_through

SECURE = Screen(usable=True, security=True)
UNTRUSTED = ["-X", "-o", "ForwardX11Trusted=no", "-o", "ForwardX11Timeout=24d"]


def decided(
    words: list[str],
    screen: Screen = SECURE,
    *,
    config: dict[str, str] | None = None,
    xauth: str | None = "/usr/bin/xauth",
    master: bool = False,
    round_trip: float | None = None,
) -> Decision:
    config = {"xauthlocation": "/usr/bin/xauth", "compression": "no", **(config or {})}
    return decide(CommandLine(words), config, screen, xauth=xauth, master=master, round_trip=round_trip)


@pytest.mark.parametrize(
    "words",
    [
        ["-x", "host"],
        ["-X", "-x", "host"],
        ["-Yx", "host"],
        ["-o", "ForwardX11=no", "host"],
        ["-G", "host"],
        ["-V"],
        ["-Q", "cipher"],
        ["-O", "check", "host"],
        ["-W", "a:1", "host"],
        ["-N", "host"],
        ["-s", "host", "sftp"],
        [],
        ["-Z9", "host"],
        ["host", "git-upload-pack 'x.git'"],
        ["-o", "SendEnv=GIT_PROTOCOL", "host", "git-receive-pack 'x.git'"],
        ["host", "/usr/lib/git-core/git-upload-pack", "x"],
        ["host", "rsync", "--server", "-vlogDtpre.iLsfxCIvu", ".", "d"],
        ["host", "rsync --server --sender . d"],
        ["-x", "-oPermitLocalCommand=no", "--", "host", "scp -t x"],
        ["host", "scp", "-r", "-p", "-t", "x"],
    ],
)
def test_a_call_that_opens_no_window_goes_to_ssh_as_it_is(words: list[str]) -> None:
    assert passes_through(CommandLine(words))


@pytest.mark.parametrize(
    "words",
    [
        ["host"],
        ["-x", "-X", "host"],
        ["-xY", "host"],
        ["-o", "ForwardX11=no", "-X", "host"],
        ["host", "python", "plot.py"],
        ["host", "echo git-upload-pack"],
        ["host", "rsync", "-a", "a", "b"],
        ["host", "scp", "a", "b:"],
        ["-T", "host"],
        ["-f", "host", "xclock"],
    ],
)
def test_a_call_that_may_open_a_window_does_not(words: list[str]) -> None:
    assert passes_through(CommandLine(words)) is None


def test_untrusted_forwarding_is_taken_where_the_x_server_knows_it() -> None:
    assert decided(["host"]).words == UNTRUSTED


def test_the_users_own_limit_of_time_stays() -> None:
    assert decided(["-o", "ForwardX11Timeout=60", "host"]).words == UNTRUSTED[:3]


def test_trusted_forwarding_is_taken_where_the_x_server_knows_no_other() -> None:
    decision = decided(["host"], Screen(usable=True, security=False))
    assert decision.words == ["-Y"]
    assert "SECURITY" in decision.reasons[0]


def test_trusted_forwarding_is_taken_where_no_xauth_could_make_a_cookie() -> None:
    assert decided(["host"], xauth=None).words == ["-Y"]


@pytest.mark.parametrize("option", [["-X"], ["-Y"], ["-oForwardX11=yes"]])
def test_the_users_word_wins(option: list[str]) -> None:
    assert decided([*option, "host"]).words == []


def test_a_word_on_trust_alone_still_asks_for_forwarding() -> None:
    assert decided(["-oForwardX11Trusted=yes", "host"]).words == ["-X"]


def test_without_a_usable_display_ssh_decides_as_with_plain_x() -> None:
    decision = decided(["host"], Screen(usable=False, problem="DISPLAY is not set"))
    assert decision.words == ["-X"]
    assert decision.reasons == ["DISPLAY is not set"]


def test_ssh_is_pointed_at_the_xauth_that_is_there() -> None:
    decision = decided(["-X", "host"], xauth="/opt/X11/bin/xauth")
    assert decision.words == ["-o", "XAuthLocation=/opt/X11/bin/xauth"]
    assert decided(["-X", "-oXAuthLocation=/a", "host"], xauth="/opt/X11/bin/xauth").words == []


@pytest.mark.parametrize("own", [["-S", "m"], ["-M"], ["-oControlPath=m"], ["-oControlMaster=auto"]])
def test_an_open_master_is_left_aside_unless_the_user_names_it(own: list[str]) -> None:
    assert decided(["-X", "host"], master=True).words == ["-S", "none"]
    assert decided(["-X", *own, "host"], master=True).words == []
    assert decided(["-X", "host"], master=False).words == []


def test_compression_is_switched_on_for_a_link_slower_than_a_lan() -> None:
    assert decided(["-X", "host"], round_trip=0.08).words == ["-C"]
    assert decided(["-X", "host"], round_trip=0.001).words == []
    assert decided(["-X", "host"], round_trip=None).words == []
    assert decided(["-X", "-oCompression=no", "host"], round_trip=0.08).words == []
    assert decided(["-X", "host"], config={"compression": "yes"}, round_trip=0.08).words == []


def test_every_part_of_a_decision_has_its_reason() -> None:
    decision = decided(["host"], master=True, xauth="/opt/X11/bin/xauth", round_trip=0.08)
    assert len(decision.reasons) == 4
