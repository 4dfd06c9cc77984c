"""Questions on a real pseudo-terminal: echo, refusal without one, host keys."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

FINGERPRINT = "SHA256:WJDWZ6Yd5uJBWqYyJeWYw8YyeyVcVgKc0nQk0WTvM5o"
SETUP = f"""
from x11fwd.transports.base import HostKeyQuestion
from x11fwd.ui.prompt import TerminalPrompter
prompter = TerminalPrompter()
question = HostKeyQuestion("gpu1", "ED25519", "{FINGERPRINT}")
"""


class Terminal:
    """A program whose controlling terminal is ours; its stdin and stdout are not that terminal."""

    def __init__(self, code: str) -> None:
        # both ends stay open here, so that reading never ends because the program has none open
        self.main, self.other = pty.openpty()
        name = os.ttyname(self.other)
        # a new session takes the first terminal that it opens (credentials(7))
        start = f"import os\nos.setsid()\nos.close(os.open({name!r}, os.O_RDWR))\n"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start + SETUP + code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen = ""

    def read_until(self, words: str, limit: float = 90) -> str:
        end = time.monotonic() + limit
        while words not in self.seen:
            assert time.monotonic() < end, f"{words!r} did not come, but {self.seen!r}"
            if select.select([self.main], [], [], 0.1)[0]:
                self.seen += os.read(self.main, 4096).decode()
        return self.seen

    def send(self, text: str) -> None:
        os.write(self.main, text.encode())

    def answer(self) -> str:
        out, err = self.process.communicate(timeout=90)
        assert err == ""
        while select.select([self.main], [], [], 0)[0]:
            self.seen += os.read(self.main, 4096).decode()
        os.close(self.main)
        os.close(self.other)
        return out.strip()


def test_a_secret_is_asked_without_echo() -> None:
    terminal = Terminal("print(prompter.secret('Password for ana@gpu1:'))")
    terminal.read_until("Password for ana@gpu1: ")
    terminal.send("hunter2\n")
    assert terminal.answer() == "hunter2"
    assert "hunter2" not in terminal.seen


def test_a_one_time_code_may_be_seen() -> None:
    terminal = Terminal("print(prompter.visible('Code:'))")
    terminal.read_until("Code: ")
    terminal.send("123456\n")
    assert terminal.answer() == "123456"
    assert "123456" in terminal.seen


@pytest.mark.parametrize(
    ("typed", "trusted"),
    [("yes\n", "True"), ("no\n", "False"), ("\n", "False"), (f"{FINGERPRINT}\n", "True")],
)
def test_an_unknown_host_key_is_shown_with_its_fingerprint(typed: str, trusted: str) -> None:
    terminal = Terminal("print(prompter.accept_host_key(question))")
    shown = terminal.read_until("? ")
    assert "gpu1" in shown
    assert "ED25519" in shown
    assert FINGERPRINT in shown
    terminal.send(typed)
    assert terminal.answer() == trusted


def test_an_answer_that_is_neither_yes_nor_no_is_asked_again() -> None:
    terminal = Terminal("print(prompter.accept_host_key(question))")
    terminal.read_until("? ")
    terminal.send("y\n")  # ssh takes no short yes for a key either
    terminal.read_until("fingerprint)? y\r\nTrust it")
    terminal.send("yes\n")
    assert terminal.answer() == "True"


def test_end_of_file_is_no_answer() -> None:
    terminal = Terminal("print(prompter.secret('Password:'))")
    terminal.read_until("Password: ")
    terminal.send("\x04")
    assert terminal.answer() == "None"


@pytest.mark.parametrize(
    ("typed", "answer"), [("y\n", "True"), ("n\n", "False"), ("\n", "False"), ("YES\n", "True")]
)
def test_confirm_takes_no_for_an_answer_by_default(typed: str, answer: str) -> None:
    terminal = Terminal("print(prompter.confirm('Change gpu1 like this?'))")
    assert "[y/N]" in terminal.read_until("] ")
    terminal.send(typed)
    assert terminal.answer() == answer


def test_a_prompt_of_the_server_cannot_send_escape_sequences() -> None:
    terminal = Terminal("print(prompter.visible('\\x1b[2JCode:'))")
    terminal.read_until("Code: ")
    terminal.send("1\n")
    terminal.answer()
    assert "\x1b[2J" not in terminal.seen


def test_without_a_terminal_nobody_is_asked() -> None:
    asked = ("accept_host_key(question)", "secret('a')", "visible('b')", "confirm('c')")
    code = f"{SETUP}print({', '.join(f'prompter.{one}' for one in asked)})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=True,
    )
    assert done.stdout.strip() == "False None None None"
    assert done.stderr == ""
