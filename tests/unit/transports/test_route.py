"""What a ProxyCommand says before it ends is heard, however late that is."""

from __future__ import annotations

import time

import pytest

from x11fwd.transports.route import start_proxy


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("echo no route >&2; exit 1", id="at once"),
        pytest.param(
            "exec 0<&- 1>&-; sleep 0.7; echo no route >&2; exit 1", id="after the end of its streams"
        ),
    ],
)
def test_the_last_words_of_a_broken_proxy_command_are_heard(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    route = start_proxy(f"/bin/sh -c '{words}'")
    route.socket.settimeout(60)
    assert route.socket.recv(10) == b""
    assert route.said() == "no route"
    route.close()


def test_one_that_lives_has_said_what_it_has_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setattr("x11fwd.transports.route._LAST_WORDS", 0.1)
    route = start_proxy("/bin/sh -c 'echo hm >&2; echo there; exec cat'")
    route.socket.settimeout(60)
    assert route.socket.recv(10) == b"there\n"
    end = time.monotonic() + 60
    while route.said() != "hm":
        assert time.monotonic() < end
    route.close()
