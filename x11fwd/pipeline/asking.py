"""Questions to the person while setup logs in more than once, or to many hosts; for setup and undo.

One question stands on the screen at a time, and a password that let us in is not asked for again by the
second login of the same run. One-time codes are asked each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from x11fwd.transports.base import HostKeyQuestion, Prompter

__all__ = ["OneAtATime", "Remembering"]


class OneAtATime:
    """A prompter for several threads: the next question waits until the last one is answered."""

    def __init__(self, prompter: Prompter, lock: threading.RLock) -> None:
        self._prompter = prompter
        self._lock = lock

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        with self._lock:
            return self._prompter.accept_host_key(question)

    def secret(self, prompt: str) -> str | None:
        with self._lock:
            return self._prompter.secret(prompt)

    def visible(self, prompt: str) -> str | None:
        with self._lock:
            return self._prompter.visible(prompt)

    def notice(self, text: str) -> None:
        with self._lock:
            self._prompter.notice(text)


class Remembering:
    """Answers the passwords and passphrases of one host a second time by itself.

    An answer counts once the login it was given for has succeeded (`logged_in`); asked for twice within one
    login it was wrong, and the person is asked.
    """

    def __init__(self, prompter: Prompter) -> None:
        self._prompter = prompter
        self._kept: dict[str, str] = {}
        self._fresh: dict[str, str] = {}
        self._used: set[str] = set()

    def __repr__(self) -> str:
        return "Remembering(…)"  # holds passwords

    def logged_in(self) -> None:
        """The login that is under way has succeeded; the next one begins."""
        self._kept.update(self._fresh)
        self._fresh.clear()
        self._used.clear()

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        return self._prompter.accept_host_key(question)

    def secret(self, prompt: str) -> str | None:
        return self._answer(prompt, self._prompter.secret)

    def visible(self, prompt: str) -> str | None:
        return self._prompter.visible(prompt)

    def notice(self, text: str) -> None:
        self._prompter.notice(text)

    def _answer(self, prompt: str, ask: Callable[[str], str | None]) -> str | None:
        reusable = any(word in prompt.lower() for word in ("password", "passphrase")) and not any(
            word in prompt.lower() for word in ("one-time", "otp", "verification", "token")
        )
        if reusable and prompt in self._kept and prompt not in self._used:
            self._used.add(prompt)
            return self._kept[prompt]
        answer = ask(prompt)
        if reusable and answer is not None:
            self._fresh[prompt] = answer
        return answer
