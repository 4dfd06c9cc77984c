"""Keys on their way to a script over there, and whether it gets a terminal."""

from __future__ import annotations

import os
import pty
import termios
import threading
from contextlib import suppress

import pytest

from x11fwd.transports.local import wait_readable
from x11fwd.ui.progress import Waiting
from x11fwd.ui.prompt import TerminalPrompter
from x11fwd.ui.run import RunEnds
from x11fwd.ui.run_terminal import Keys, OwnTerminal, gives_terminal


@pytest.mark.parametrize(
    ("typed", "passed", "left"),
    [
        (b"plain\r", b"plain\r", 0),
        (b"~.", b"", 1),
        (b"a~.\r", b"a~.\r", 0),
        (b"a\r~.", b"a\r", 1),
        (b"~~.\r", b"~.\r", 0),
        (b"~x\r~", b"~x\r", 0),
        (b"\x03\x04\x1a\xff", b"\x03\x04\x1a\xff", 0),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_every_key_is_the_scripts_but_a_tilde_and_a_dot(
    typed: bytes, passed: bytes, left: int, size: int
) -> None:
    gone: list[int] = []
    keys = Keys(lambda: gone.append(1))
    pieces = [typed[at : at + size] for at in range(0, len(typed), size)]
    assert b"".join(map(keys.passed, pieces)) == passed
    assert len(gone) == left


def test_what_the_person_says_counts_and_a_pipe_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gives_terminal(True)
    assert not gives_terminal(False)
    monkeypatch.setattr(os, "isatty", lambda _descriptor: False)
    assert not gives_terminal(None)


def test_a_program_in_the_background_leaves_the_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _descriptor: True)
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: os.getpgrp() + 1)
    assert not gives_terminal(None)
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: os.getpgrp())
    assert gives_terminal(None)


def test_the_terminal_is_as_before_for_what_we_say_and_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    kept = os.dup(0)
    os.dup2(slave, 0)
    try:

        def cooked() -> bool:
            modes = termios.tcgetattr(slave)
            return bool(modes[1] & termios.OPOST and modes[3] & termios.ISIG)

        own = OwnTerminal()
        with own.cooked():
            assert cooked()
        with suppress(RuntimeError), own.raw(lambda _rows, _columns: None):
            assert not cooked()
            with own.cooked():
                assert cooked()
            assert not cooked()
            raise RuntimeError
        assert cooked()
    finally:
        os.dup2(kept, 0)
        for one in (kept, master, slave):
            os.close(one)


@pytest.mark.parametrize(("later", "told"), [((24, 80), []), ((40, 100), [(40, 100)])])
def test_a_window_that_changes_while_the_script_starts_is_told(
    later: tuple[int, int], told: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompter = TerminalPrompter()
    ends = RunEnds(prompter, "", Waiting(prompter), None, terminal=True)
    monkeypatch.setattr(OwnTerminal, "size", lambda _self: (24, 80))
    terminal = ends.terminal()
    assert terminal is not None
    assert (terminal.rows, terminal.columns) == (24, 80)
    monkeypatch.setattr(OwnTerminal, "size", lambda _self: later)
    heard: list[tuple[int, int]] = []
    with ends.raw(lambda rows, columns: heard.append((rows, columns)), lambda: None):
        assert heard == told


def test_streams_that_another_program_has_made_non_blocking_lose_and_end_nothing() -> None:
    """They belong to whoever shares the terminal or the pipe, too; on a quiet machine nobody sees it."""
    prompter = TerminalPrompter()
    ends = RunEnds(prompter, "", Waiting(prompter), None, terminal=False)
    keyboard, typed = os.pipe()
    taken, screen = os.pipe()
    kept = os.dup(0), os.dup(1)
    os.set_blocking(keyboard, False)
    os.set_blocking(screen, False)
    os.dup2(keyboard, 0)
    os.dup2(screen, 1)
    try:
        said: list[bytes] = []
        heard = b""
        reading = threading.Thread(target=lambda: said.append(ends.read_input(100)), daemon=True)
        writing = threading.Thread(target=lambda: ends.output(b"x" * (1 << 20)), daemon=True)
        for one in (reading, writing):
            one.start()
            one.join(0.2)  # it finds nothing to read, no room to write; late, it finds what it waits for
        os.write(typed, b"word")
        while len(heard) < 1 << 20 and wait_readable(taken, 60):
            heard += os.read(taken, 1 << 16)
        for one in (reading, writing):
            one.join(60)
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
        for number in (*kept, keyboard, typed, taken, screen):
            os.close(number)
    assert (said, len(heard)) == ([b"word"], 1 << 20)
