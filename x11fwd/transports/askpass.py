"""ssh's questions answered by our Prompter: a private folder with a tiny SSH_ASKPASS program and two fifos.

ssh runs the program for each question; it writes the question to a fifo and waits for the answer on another.
So no secret is ever in an argument, an environment variable or a file. For the openssh transport only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectError
from x11fwd.transports.local import wait_readable
from x11fwd.transports.scratch import drop_folder, make_folder, usual_place
from x11fwd.transports.ssh_words import host_key_question

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.transports.base import Prompter

__all__ = ["Askpass", "private_folder"]

# $1 is the question; SSH_ASKPASS_PROMPT says `none` where nothing is to be answered (touch your key). `read`
# in sh takes one byte at a time from a pipe, so that `cat` finds the rest.
_PROGRAM = """\
#!/bin/sh
d=${0%/*}
a=$d/answer.$$
mkfifo -m 600 "$a" || exit 1
trap 'rm -f "$a"' 0
trap 'exit 1' 1 2 15
printf '%s\\0%s\\0%s\\0' "$$" "${SSH_ASKPASS_PROMPT-}" "$1" > "$d/ask"
{ read -r v && [ "$v" = ok ] && cat; } < "$a"
"""
_OPENING = 60.0  # seconds for the program to come to its answer, on a machine that is busy
_LONGEST_PATH = 104 - 18  # sun_path on macOS and BSD, less the random end that ssh adds while it binds


def private_folder() -> Path:
    """A new folder, mode 0700, where programs may be run and a socket's name fits.

    Raises:
        ConnectError: there is no such place.
    """
    places = dict.fromkeys((usual_place(), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp", "/var/tmp"))  # noqa: S108
    for place in filter(None, places):
        if len(place) + len("/x11fwd-12345678/m") > _LONGEST_PATH or _noexec(place):
            continue
        with contextlib.suppress(OSError):
            return make_folder(place=place)
    raise ConnectError(
        "there is no folder for a private ssh connection", hint="set TMPDIR to a short path on a local disk"
    )


def _noexec(place: str) -> bool:
    try:
        return bool(os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0))
    except OSError:
        return True


class Askpass:
    """Args: folder: private; prompter: whom to ask."""

    def __init__(self, folder: Path, prompter: Prompter) -> None:
        self._folder = folder
        self._prompter = prompter
        self._buffer = b""
        self.refused = ""  # the host whose key was not accepted
        self.unanswered = ""  # the question that nobody could answer
        self.program = folder / "askpass"
        handle = os.open(self.program, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(handle, "w") as file:
            file.write(_PROGRAM)
        os.mkfifo(folder / "ask", 0o600)
        # for reading and writing: the end of one question is then not the end of the file
        self._ask = os.open(folder / "ask", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def environment(self) -> dict[str, str]:
        """Variables for ssh. Before 8.4 it needs DISPLAY (any) and no terminal to use the program."""
        return {"SSH_ASKPASS": str(self.program), "SSH_ASKPASS_REQUIRE": "force"}

    def serve(self, seconds: float) -> bool:
        """Wait for a question up to `seconds` and answer it; True if there was one."""
        if not wait_readable(self._ask, seconds):
            return False
        with contextlib.suppress(BlockingIOError):
            self._buffer += os.read(self._ask, 65536)
        served = False
        while self._buffer.count(b"\0") >= 3:
            process, hint, prompt, self._buffer = self._buffer.split(b"\0", 3)
            self._answer(process.decode(), hint.decode(), prompt.decode("utf-8", "replace"))
            served = True
        return served

    def _answer(self, process: str, hint: str, prompt: str) -> None:
        if hint == "none":
            self._prompter.notice(prompt)  # ssh ends the program itself once the key was touched
            return
        question = host_key_question(prompt)
        answer: str | None
        if question is not None:
            accepted = self._prompter.accept_host_key(question)
            answer = "yes" if accepted else "no"
            self.refused = "" if accepted else question.host
        elif hint == "confirm":
            answer = self._prompter.visible(f"{prompt} (yes/no) ")
            answer = answer if (answer or "").lower() in {"y", "yes"} else None
        else:
            answer = self._prompter.secret(prompt)
            if answer is None:
                self.unanswered = prompt.strip().rstrip(":")
        self._write(process, b"no\n" if answer is None else b"ok\n" + answer.encode() + b"\n")

    def _write(self, process: str, data: bytes) -> None:
        """Hand the answer over; the program may be gone meanwhile."""
        deadline = time.monotonic() + _OPENING
        while time.monotonic() < deadline and _runs(int(process)):
            try:
                handle = os.open(
                    self._folder / f"answer.{process}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
                )
            except OSError as error:
                if error.errno != errno.ENXIO:  # ENXIO: it has not opened the fifo yet
                    return
                time.sleep(0.005)
                continue
            with contextlib.suppress(OSError):
                os.write(handle, data)
            os.close(handle)
            return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._ask)
        drop_folder(self._folder)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
