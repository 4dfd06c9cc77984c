"""ssh's questions reach the prompter and its answers reach ssh, through the real little program."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.transports.test_hostkeys import Asked
from tests.unit.transports.test_ssh_words import QUESTION
from x11fwd.transports import askpass as askpass_module
from x11fwd.transports.askpass import Askpass, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Person(Asked):
    answer: str | None = "secret with spaces & 'quotes' ü"

    def secret(self, prompt: str) -> str | None:
        self.notices.append(f"secret {prompt}")
        return self.answer

    def visible(self, prompt: str) -> str | None:
        self.notices.append(f"visible {prompt}")
        return self.answer


@pytest.fixture
def folder() -> Iterator[Path]:
    made = private_folder()
    yield made
    assert not made.exists()


def ask(askpass: Askpass, prompt: str, hint: str = "") -> subprocess.CompletedProcess[bytes]:
    done: list[subprocess.CompletedProcess[bytes]] = []

    def run() -> None:
        env = {**os.environ, **({"SSH_ASKPASS_PROMPT": hint} if hint else {})}
        done.append(
            subprocess.run(
                [str(askpass.program), prompt], env=env, capture_output=True, timeout=90, check=False
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 90
    while not askpass.serve(0.1) and time.monotonic() < deadline:
        pass
    thread.join(90)
    return done[0]


def test_a_secret_comes_back_as_it_was_typed(folder: Path) -> None:
    person = Person()
    askpass = Askpass(folder, person)
    done = ask(askpass, "ana@gpu1's password: ")
    assert (done.returncode, done.stdout.decode()) == (0, f"{person.answer}\n")
    assert person.notices == ["secret ana@gpu1's password: "]
    assert not [path for path in folder.iterdir() if path.name.startswith("answer")]
    askpass.close()


def test_nobody_there_is_a_refusal_that_is_remembered(folder: Path) -> None:
    person = Person()
    person.answer = None
    askpass = Askpass(folder, person)
    done = ask(askpass, "Code: ")
    assert (done.returncode, done.stdout) == (1, b"")
    assert askpass.unanswered == "Code"
    askpass.close()


@pytest.mark.parametrize("accept", [True, False])
def test_a_host_key_question_is_asked_as_one(folder: Path, accept: bool) -> None:
    person = Person(accept=accept)
    askpass = Askpass(folder, person)
    assert ask(askpass, QUESTION).stdout == (b"yes\n" if accept else b"no\n")
    assert person.questions[0].host == "[127.0.0.1]:2222"
    assert askpass.refused == ("" if accept else "[127.0.0.1]:2222")
    askpass.close()


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1), (None, 1)])
def test_a_confirmation_is_yes_or_no(folder: Path, answer: str | None, status: int) -> None:
    person = Person()
    person.answer = answer
    askpass = Askpass(folder, person)
    assert ask(askpass, "Allow use of key?", "confirm").returncode == status
    askpass.close()


def test_a_touch_of_the_token_is_only_announced(folder: Path) -> None:
    person = Person()
    askpass = Askpass(folder, person)
    process = subprocess.Popen(
        [str(askpass.program), "Confirm user presence for key"],
        env={**os.environ, "SSH_ASKPASS_PROMPT": "none"},
        stdout=subprocess.DEVNULL,
    )
    assert askpass.serve(90)
    assert person.notices == ["Confirm user presence for key"]
    assert process.poll() is None
    process.terminate()  # as ssh does once the key was touched
    process.wait(90)
    askpass.close()


def test_the_folder_is_private_and_its_sockets_name_fits(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(str(folder / "m")) + 18 <= 104
    Askpass(folder, Person()).close()


def test_a_long_temporary_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    made = private_folder()
    assert long not in made.parents
    made.rmdir()


@pytest.mark.parametrize("runs", [True, False])
def test_a_program_that_is_slow_to_take_its_answer_gets_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    """A busy machine: the program comes to the answer a quarter of a minute later, if it still runs."""
    askpass = Askpass(folder, Person())
    ended = subprocess.Popen(["true"])
    ended.wait(60)
    fifo = folder / f"answer.{os.getpid() if runs else ended.pid}"
    os.mkfifo(fifo)
    opened: list[int] = []

    class Clock:
        now = 0.0

        @classmethod
        def monotonic(cls) -> float:
            return cls.now

        @classmethod
        def sleep(cls, _seconds: float) -> None:
            cls.now += 1.0
            if cls.now == 15.0 and runs:
                opened.append(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))

    monkeypatch.setattr(askpass_module, "time", Clock)
    askpass._write(fifo.name.partition(".")[2], b"ok\nsecret\n")
    assert [os.read(one, 100) for one in opened] == ([b"ok\nsecret\n"] if runs else [])
    assert Clock.now < 16.0
    for one in opened:
        os.close(one)
    askpass.close()
