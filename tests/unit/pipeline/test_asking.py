"""Questions while setup logs in twice, or to many hosts at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from x11fwd.pipeline.asking import OneAtATime, Remembering

if TYPE_CHECKING:
    from x11fwd.transports.base import HostKeyQuestion

PASSWORD = "ana@gpu1's password: "


class Person:
    """Answers in order and remembers what was asked."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        self.asked.append(question.fingerprint)
        return True

    def secret(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.answers.pop(0)

    def visible(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.answers.pop(0)

    def notice(self, text: str) -> None: ...


def test_a_password_that_let_us_in_is_not_asked_for_again() -> None:
    person = Person("right")
    prompter = Remembering(person)
    assert prompter.secret(PASSWORD) == "right"
    prompter.logged_in()
    assert prompter.secret(PASSWORD) == "right"
    prompter.logged_in()
    assert prompter.secret(PASSWORD) == "right"
    assert len(person.asked) == 1


def test_an_answer_that_is_wanted_twice_in_one_login_was_wrong() -> None:
    person = Person("nope", "right", "changed")
    prompter = Remembering(person)
    assert (prompter.secret(PASSWORD), prompter.secret(PASSWORD)) == ("nope", "right")
    prompter.logged_in()
    # by now the server does not take it any more
    assert (prompter.secret(PASSWORD), prompter.secret(PASSWORD)) == ("right", "changed")


def test_one_time_codes_are_asked_each_time() -> None:
    person = Person("111", "222", "333")
    prompter = Remembering(person)
    for prompt in ("Verification code: ", "One-time password (OTP): "):
        prompter.secret(prompt)
        prompter.logged_in()
    assert prompter.secret("Verification code: ") == "333"


def test_passwords_do_not_show_in_its_repr() -> None:
    prompter = Remembering(Person("correct horse"))
    prompter.secret(PASSWORD)
    assert "horse" not in repr(prompter)


def test_two_hosts_never_ask_at_the_same_time() -> None:
    at_once: list[int] = []
    inside = 0

    class Slow(Person):
        def secret(self, prompt: str) -> str | None:
            nonlocal inside
            inside += 1
            at_once.append(inside)
            time.sleep(0.01)
            inside -= 1
            return "x"

    lock = threading.RLock()
    prompters = [OneAtATime(Slow(), lock) for _ in range(4)]
    threads = [threading.Thread(target=prompter.secret, args=(PASSWORD,)) for prompter in prompters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == [1, 1, 1, 1]
