"""Signs of life over one connection: what counts as an answer, and what ends a silent connection."""

from __future__ import annotations

import socket
import threading

import paramiko
import pytest

from tests.unit.transports.login_server import Rules, Served
from x11fwd.errors import ConnectError
from x11fwd.target import SshConfig
from x11fwd.transports.paramiko_link import Link
from x11fwd.transports.patience import Patience

_ROUNDS = 12


class _LateLooks(threading.Event):
    """Stands for the pause between two looks: over as soon as the answer to the last question has come.

    So every answer is older than one interval, as on a machine that wakes its threads late.
    """

    def __init__(self, answered: threading.Semaphore) -> None:
        super().__init__()
        self.answered = answered
        self.looks = 0

    def wait(self, timeout: float | None = None) -> bool:
        if self.is_set():
            return True
        if self.looks and not self.answered.acquire(timeout=90):
            self.set()
        self.looks += 1
        if self.looks > _ROUNDS:
            self.set()
        return self.is_set()


def test_a_host_that_answers_at_once_is_alive_however_late_we_look(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Semaphore(0)
    hear = paramiko.Transport._parse_request_failure  # type: ignore[attr-defined]

    def heard(self: Link, message: paramiko.Message) -> None:
        hear(self, message)
        answered.release()

    monkeypatch.setattr(paramiko.Transport, "_parse_request_failure", heard)
    served = Served(Rules())
    looks = _LateLooks(answered)
    served.link._ended = looks
    served.link.keep_alive(0.0, 3)

    assert looks.is_set() or threading.Event.wait(looks, 120)
    assert looks.looks > _ROUNDS, "an answer did not come"
    assert served.link.is_active()
    assert not served.link.lost
    served.close()


def test_output_without_answers_is_a_sign_of_life() -> None:
    served = Served(Rules())
    link = served.link
    link._unanswered = 3
    served.server._send_message(_debug("Setting up tk8.6"))  # type: ignore[attr-defined]
    for _ in range(1800):
        if link.remarks:
            break
        threading.Event().wait(0.05)

    assert link.remarks == ["Setting up tk8.6"]
    assert link._unanswered == 0
    served.close()


def test_a_host_that_is_silent_is_given_up_with_the_time_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(Rules())
    monkeypatch.setattr(served.link, "_ask_for_life", lambda: None)  # what is never heard is never answered
    served.link.keep_alive(0.1, 3)

    served.link.join(90)
    assert not served.link.is_active()
    assert served.link.lost == "it did not answer for 0.3 s"
    served.close()


@pytest.mark.parametrize(
    ("config", "line", "shell", "answer"),
    [
        ({}, 45, 70.0, 30.0),
        ({"serveraliveinterval": ("0",), "serveralivecountmax": ("3",)}, 45, 70.0, 30.0),
        ({"serveraliveinterval": ("5",), "serveralivecountmax": ("2",)}, 10, 35.0, 10.0),
        ({"serveraliveinterval": ("60",), "serveralivecountmax": ("3",)}, 180, 70.0, 30.0),  # never longer
    ],
    ids=["nothing set", "set to none", "short", "long"],
)
def test_who_wants_to_hear_soon_of_a_silent_line_waits_less_for_a_shell_and_a_login(
    config: dict[str, tuple[str, ...]], line: int, shell: float, answer: float
) -> None:
    patience = Patience.of(SshConfig(config))
    assert (patience.line, patience.shell, patience.answer(30.0)) == (line, shell, answer)


def test_a_line_without_an_end_before_the_banner_is_given_up() -> None:
    here, there = socket.socketpair()
    with here, there:
        link = Link(here, SshConfig({}))
        there.sendall(b"fine\r\n" * 20 + b"x" * (1 << 17))  # and no more: only its length can end it
        with pytest.raises(ConnectError, match="no ssh server") as raised:
            link.exchange_keys(("ssh-ed25519",), 120.0)
        assert "a line without an end" in str(raised.value.__cause__)


def _debug(text: str) -> paramiko.Message:
    """SSH_MSG_DEBUG (RFC 4253 section 11.3)."""
    message = paramiko.Message()
    message.add_byte(bytes([4]))
    message.add_boolean(True)
    message.add_string(text)
    message.add_string("")
    return message
