"""A private ControlMaster of the system's ssh: started, watched, ended; for the openssh transport only."""

from __future__ import annotations

import contextlib
import os
import subprocess  # noqa: TID251  transports are where processes are run
import time
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import AuthError, ConnectError
from x11fwd.transports.askpass import Askpass, private_folder
from x11fwd.transports.local import kill_group
from x11fwd.transports.patience import Patience
from x11fwd.transports.scratch import started
from x11fwd.transports.ssh_words import connect_failure, said, x11_remarks

if TYPE_CHECKING:
    from x11fwd.target import SshConfig
    from x11fwd.transports.base import Prompter, X11Offer
    from x11fwd.transports.hops import Hop

__all__ = ["Master", "master_options"]

# The master must not outlive us, not even a SIGKILL: its guard reads a pipe that we hold, and when the pipe
# ends it ends ssh and removes the folder ($1).
_GUARDED = """\
d=$1; shift
exec 3<&0
"$@" < /dev/null 3<&- &
p=$!
{ cat <&3; rm -rf -- "$d"; kill "$p"; } > /dev/null 2>&1 &
g=$!
exec 3<&-
wait "$p"; s=$?
kill "$g" 2> /dev/null
exit "$s"
"""
_TICK = 0.01
# Neither 0, with which ssh leaves the cookie's life to xauth and the X server forgets it after 60 s without a
# window (measured with OpenSSH 9.2 and Xvfb 21.1), nor the default of 20 minutes. Nor more than 2^31 ms, 24.8
# days: its timer then runs out before it is stored, and an assertion ends the X server with all that runs on
# it (SecurityAuthorizationExpired in Xext/security.c; seen with Xvfb 21.1.7). ssh adds a minute of its own.
_LONGEST = "24d"
_SILENCE = 30.0  # seconds that the server may be silent during a login, beside the connect time-out


def master_options(config: SshConfig, control: str, offer: X11Offer | None, timeout: float) -> list[str]:
    """Options for the master, in front of the user's: ssh keeps the first value it meets.

    Words that came with later versions (RemoteCommand 7.6, ForkAfterAuthentication 8.7) are only used where
    this ssh itself printed them.
    """
    options = {
        "ControlMaster": "yes",
        "ControlPath": control.replace("%", "%%"),
        "ControlPersist": "no",
        "LogLevel": "DEBUG1",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "ForwardX11": "no" if offer is None else "yes",
    }
    if offer is not None:
        options["ForwardX11Trusted"] = "yes" if offer.trusted else "no"
        options["ForwardX11Timeout"] = _LONGEST
        if offer.xauth is not None:
            options["XAuthLocation"] = offer.xauth
    patience = Patience.of(config)
    if not patience.asked_for:
        options["ServerAliveInterval"] = str(patience.interval)
    if config.connect_timeout is None:
        options["ConnectTimeout"] = str(max(1, round(timeout)))
    if config.named("remotecommand") is not None:
        options["RemoteCommand"] = "none"
    if config.is_yes("forkafterauthentication"):
        options["ForkAfterAuthentication"] = "no"
    words = ["-N", "-T"]
    for keyword, value in options.items():
        words += ["-o", f"{keyword}={value}"]
    return words


class Master:
    """An authenticated connection that sessions are opened through."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], askpass: Askpass) -> None:
        self.control = str(folder / "m")
        self._folder = folder
        self._process = process
        self._askpass = askpass

    @classmethod
    def start(cls, hop: Hop, prompter: Prompter, offer: X11Offer | None, timeout: float) -> Master:
        """Log in; questions go to the prompter on the calling thread.

        Raises:
            ConnectError, HostKeyError, AuthError: in our words, from ssh's.
        """
        folder = private_folder()
        askpass = Askpass(folder, prompter)
        control = str(folder / "m")
        environment = {**os.environ, "LC_ALL": "C", **askpass.environment()}
        if offer is not None:
            environment["DISPLAY"] = offer.display
            if offer.authority is not None:
                environment["XAUTHORITY"] = offer.authority
        # before 8.4 ssh uses its askpass program only where DISPLAY is set; ForwardX11 is `no` then
        environment.setdefault("DISPLAY", ":0")
        options = master_options(hop.config, control, offer, timeout)
        # not -E: the server's banner and what jump hosts say only go to standard error
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            process = started(
                lambda: subprocess.Popen(
                    [
                        "/bin/sh",
                        "-c",
                        _GUARDED,
                        "x11fwd",
                        str(folder),
                        "ssh",
                        *options,
                        *hop.target.ssh_argv(),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                ),
                kill_group,
            )
        except OSError as error:
            askpass.close()
            raise ConnectError(f"ssh cannot be started: {error.strerror}") from error
        finally:
            os.close(log)
        master = cls(folder, process, askpass)
        try:
            master._wait_for_login(hop, timeout)
        except BaseException:
            master.close()
            raise
        spoken = set(x11_remarks(master.log()))
        text = "\n".join(line for line in said(master.log()) if line not in spoken)
        if text:
            prompter.notice(text)  # the server's banner, and ssh's own warnings
        return master

    def _wait_for_login(self, hop: Hop, timeout: float) -> None:
        place = hop.place
        deadline = time.monotonic() + timeout + _SILENCE
        while not Path(self.control).exists():
            if self._askpass.serve(_TICK):
                deadline = time.monotonic() + timeout + _SILENCE
            if self._askpass.unanswered:
                raise AuthError(
                    f"{place} cannot log in: nobody was there to answer {self._askpass.unanswered!r}",
                    hint="run it in a terminal, or load the key into an ssh agent (`ssh-add`)",
                )
            if not self.alive:
                raise connect_failure(self.log(), self._askpass.refused or place, hop.command)
            if time.monotonic() > deadline:
                raise ConnectError(f"{place} did not let us in within {timeout + _SILENCE:g} s")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """What the master has written so far, debug lines included."""
        try:
            return (self._folder / "log").read_text("utf-8", "replace")
        except OSError:
            return ""

    def close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        kill_group(self._process)
        self._askpass.close()
