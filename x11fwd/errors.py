"""Every error the program raises on purpose; any module may import it, it imports nothing of ours.

    X11fwdError                 exit code, sentence, hint
    ├── UsageError              2   what was typed cannot be meant
    │   └── PlaybookError       2   a playbook says something impossible, at a file and a line
    ├── ConnectError            3   no connection
    │   ├── HostKeyError        3   the host key is changed, revoked or was not accepted
    │   ├── AuthError           3   connected, but not let in
    │   └── ConnectionLost      3   was connected, and the line went dead
    ├── ChangeError             4   a change was refused or failed, and was undone
    ├── DisplayError            1   the X server on this machine cannot be used
    ├── ProbeError              1   the remote answered something that cannot be understood
    └── Interrupted             130 the user said stop
    KeyboardInterrupt
    └── Stopped                 128 + the signal: the process was told to end, by Ctrl-C or otherwise

The message says what happened to what; `hint` says what to do next.
"""

from __future__ import annotations

__all__ = [
    "AuthError",
    "ChangeError",
    "ConnectError",
    "ConnectionLost",
    "DisplayError",
    "HostKeyError",
    "Interrupted",
    "PlaybookError",
    "ProbeError",
    "Stopped",
    "UsageError",
    "X11fwdError",
]


class X11fwdError(Exception):
    """The root of the tree: a sentence for a person, a hint, and the exit code of DESIGN.md's table.

    Args:
        message: what happened to what, one sentence without the hint.
        hint: what to do next (`""` when there is nothing to do); may hold a command in backticks.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Stopped(KeyboardInterrupt):
    """A signal that says end: whatever is begun is taken back on the way out, as after any Ctrl-C.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class UsageError(X11fwdError):
    exit_code = 2


class PlaybookError(UsageError):
    """A playbook or family file that cannot be meant; names the file and the line (1-based)."""

    def __init__(self, message: str, *, file: str, line: int, hint: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}", hint=hint)
        self.file = file
        self.line = line


class ConnectError(X11fwdError):
    exit_code = 3


class HostKeyError(ConnectError):
    pass


class AuthError(ConnectError):
    pass


class ConnectionLost(ConnectError):
    pass


class ChangeError(X11fwdError):
    exit_code = 4


class DisplayError(X11fwdError):
    exit_code = 1


class ProbeError(X11fwdError):
    """The remote answered something that cannot be understood.

    Args:
        said: what came instead of our command's output, its first 4 kB; "" where nothing did.
        hung: whatever runs there had not ended when our patience did.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", said: str = "", hung: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.said = said
        self.hung = hung


class Interrupted(X11fwdError):
    exit_code = 130

    def __init__(self, message: str = "interrupted", *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
