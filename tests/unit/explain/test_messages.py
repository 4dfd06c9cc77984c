"""The truth table of `explain`: each verbatim message leads to its failure, however it was pasted."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.explain.catalogue import CODES
from x11fwd.explain.matching import Explanation, explain_text
from x11fwd.explain.messages import all_messages
from x11fwd.explain.pages import page_ids

if TYPE_CHECKING:
    from collections.abc import Callable

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def table() -> list[tuple[str, str]]:
    """Id and message of each row of messages.tsv."""
    lines = (Path(__file__).parent / "messages.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t", 1) for line in lines if not line.startswith("#")]
    return [(one, re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], text)) for one, text in rows]


TABLE = table()
NAMES = [f"{one}: {' / '.join(text.split(chr(10)))[-50:]}" for one, text in TABLE]
# Failures that show no message of their own: what is seen is an empty DISPLAY, a wait, a wrong window or
# nothing, or the line of another failure of which they are one reason.
SILENT = {
    "xquartz-missing",
    "wsl-exec-without-rc",
    "debian-trusted-by-default",
    "jump-second-hop",
    "quiet-hides-everything",
    "ssh-background-race",
    "ssh-hangs-at-exit",
    "transport-without-x11",
    "ide-remote-stale-display",
    "sshd-match-block",
    "sshd-dropin-wins",
    "sshd-localhost-v6-only",
    "sshd-uselocalhost-no-exposed",
    "forced-command",
    "su-dash-loses-display",
    "start-file-execs-shell",
    "no-tty-no-profile",
    "mpl-no-display-silent",
    "mpl-rc-backend-is-only-a-wish",
    "mpl-rc-precedence",
    "mpl-library-forces-agg",
    "mpl-interactive-true",
    "mpl-no-gui-loop",
    "conda-tk-fonts",
    "tk-256-round-trips",
    "tk-update-round-trips",
    "no-compression",
    "display-slows-batch",
    "opengl-3d-forwarded",
}


def first_three(found: Explanation) -> list[str]:
    """The ids that a person reads first."""
    if found.cause is None:
        return [found.noise[0].candidates[0].id] if found.noise else []
    return [candidate.id for candidate in found.candidates[:3]]


def test_every_failure_that_shows_a_message_is_in_the_table() -> None:
    assert set(CODES.values()) - {one for one, _ in TABLE} == SILENT


def test_every_id_of_the_table_of_messages_is_known() -> None:
    from x11fwd.checks import CHECKS

    known = set(CODES.values()) | {check.id for check in CHECKS} | set(page_ids())
    assert {one for message in all_messages() for one in message.ids} - known == set()


@pytest.mark.parametrize(("one", "text"), TABLE, ids=NAMES)
def test_a_message_leads_to_its_failure_among_the_first_three(one: str, text: str) -> None:
    assert one in first_three(explain_text(text))


def wrapped(text: str, width: int) -> str:
    """As a narrow terminal shows it when it is copied from there."""
    return "\n".join(
        line[at : at + width] for line in text.split("\n") for at in range(0, max(len(line), 1), width)
    )


def translated(text: str) -> str:
    """Quotes of another locale."""
    return re.sub(r"'([^']*)'", r"„\1“", re.sub(r'"([^"]*)"', r"«\1»", text))


def coloured(text: str) -> str:
    """As a program colours it, each word on its own."""
    return re.sub(r"(\S+)", "\x1b[1;31m\\1\x1b[0m", text) + "\x1b[K"


WAYS: dict[str, Callable[[str], str]] = {
    "wrapped at 80": lambda text: wrapped(text, 80),
    "wrapped at 37": lambda text: wrapped(text, 37),
    "in colour": coloured,
    "colour as less shows it": lambda text: text.replace("X", "^[[1mX^[[0m"),
    "from Windows": lambda text: text.replace("\n", "\r\n") + "\r\n",
    "old Macs' line ends": lambda text: text.replace("\r", "").replace("\n", "\r"),
    "in a frame": lambda text: "\n".join(f"│ {line:<90} │" for line in text.split("\n")),
    "with the locale's quotes": translated,
    "shouted": str.upper,
    "in a long log": lambda text: "debug3: nothing of note\n" * 500 + text + "\ndebug3: nothing\n" * 500,
    "after noise": lambda text: f'Xlib:  extension "RANDR" missing on display "localhost:10.0".\n{text}',
    "with spaces that do not break": lambda text: text.replace(" ", "\xa0"),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_does_not_matter_how_a_message_was_pasted(way: str) -> None:
    missed = [(one, text) for one, text in TABLE if one not in first_three(explain_text(WAYS[way](text)))]
    assert missed == []


def test_of_several_messages_the_earliest_is_the_cause() -> None:
    log = (
        "debug1: Requesting X11 forwarding with authentication spoofing.\n"
        "debug1: Remote: No xauth program; cannot forward X11.\n"
        "X11 forwarding request failed on channel 0\n"
        "UserWarning: FigureCanvasAgg is non-interactive, and thus cannot be shown\n"
    )
    found = explain_text(log)
    assert found.cause
    assert (found.cause.number, found.cause.candidates[0].id) == (2, "remote-xauth-missing")
    assert [sighting.number for sighting in found.later] == [3, 4]
    assert found.candidates[0].id == "remote-xauth-missing"


def test_noise_is_named_and_never_wins() -> None:
    noise = 'Xlib:  extension "RANDR" missing on display "localhost:10.0".'
    found = explain_text(f"{noise}\nX11 connection rejected because of wrong authentication.\n")
    assert found.cause
    assert found.cause.number == 2
    assert [(one.number, one.line) for one in found.noise] == [(1, " ".join(noise.split()))]
    alone = explain_text(noise)
    assert alone.cause is None
    assert alone.noise


def test_a_line_that_is_the_cause_is_not_called_harmless() -> None:
    found = explain_text("Gtk-WARNING **: cannot open display: ")
    assert found.cause
    assert found.noise == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello world",
        "connect_to localhost port 80: failed.",
        "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2+deb12u7",
        "debug1: Remote: /home/ana/.ssh/authorized_keys:1: key options: pty x11-forwarding",
        "Traceback (most recent call last):\nZeroDivisionError: division by zero",
        "debug1: Requesting X11 forwarding with authentication spoofing.\ndebug1: Sending command: x",
        "debug1: auto-mux: Trying existing master at '/x'\ndebug1: Control socket \"/x\" does not exist",
        "import matplotlib.pyplot as plt\nplt.show()",
        "\x00\xff" * 50,
    ],
)
def test_what_is_no_known_message_is_left_alone(text: str) -> None:
    found = explain_text(text)
    assert found.cause is None
    assert found.noise == ()


def test_a_log_of_ssh_without_a_word_about_x11_was_never_asked_for_it() -> None:
    log = "debug1: Authentication succeeded (publickey).\ndebug1: Entering interactive session.\n"
    found = explain_text(log)
    assert found.candidates[0].id == "ssh-no-x11-request"
    with_x11 = log + "debug1: Requesting X11 forwarding with authentication spoofing.\n"
    assert explain_text(with_x11).cause is None


def test_megabytes_are_read_in_a_moment() -> None:
    line = "debug3: channel 1: x11 connect /tmp/.X11-unix warning xauth X11 forwarding unsupported option\n"
    start = time.process_time()
    found = explain_text(line * 42_000 + "Maximum number of clients reached")
    assert found.cause
    assert found.cause.number == 42_001
    assert time.process_time() - start < 10


def test_every_reason_is_one_short_line() -> None:
    for message in all_messages():
        for one, why in message.ids.items():
            assert why == why.strip().rstrip("."), (one, why)
            assert len(why) <= 90, (one, why)
            assert "\n" not in why
