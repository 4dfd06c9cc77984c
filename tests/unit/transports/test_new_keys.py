"""New keys in the middle of a connection, over a thin line."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import paramiko

from tests.unit.transports.login_server import Rules, Served

if TYPE_CHECKING:
    import pytest


def test_what_is_to_be_sent_waits_for_new_keys_however_long_the_line_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = Served(Rules())
    link = served.link
    hours = itertools.count()
    monkeypatch.setattr(time, "time", lambda: 4e9 + 3600.0 * next(hours))  # also a clock that is set
    assert link.clear_to_send.wait(90)  # paramiko sets it behind the event that tells of the first keys
    link.clear_to_send.clear()
    problems: list[Exception] = []

    def ask() -> None:
        message = paramiko.Message()
        message.add_byte(bytes([80]))
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        try:
            link._send_user_message(message)  # type: ignore[attr-defined]
        except paramiko.SSHException as error:
            problems.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(1.0)
    assert asking.is_alive(), problems
    link.clear_to_send.set()
    asking.join(60)
    assert not asking.is_alive()
    assert problems == []
    served.close()
