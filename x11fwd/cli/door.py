"""The one try at the top: parse, run the command's job, turn what it raises into words and an exit code."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from x11fwd.cli.streams import folder_is_gone, give_up_stdout, no_room, printed
from x11fwd.errors import UsageError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.cli.job import Job

_INTERRUPTED = 130
_BUG = 70  # sysexits.h, EX_SOFTWARE: none of DESIGN.md's codes, because none of them would be true


def run(words: Sequence[str]) -> int:
    """Run one command line; never raises but with `--debug`."""
    words = list(words)
    debug = "--debug" in words
    if debug:
        words = [word for word in words if word != "--debug"]
        if words[:1] == ["ssh"]:
            from x11fwd.pipeline.ssh_session import main as ssh

            return ssh(words[1:])
    for stream in (sys.stdout, sys.stderr):
        # a remote's text may hold anything; no sentence of ours shall end in a UnicodeEncodeError
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command, as_json = _asked(words)
    try:
        job = _parse(words)
        code = job if isinstance(job, int) else job.run()
        sys.stdout.flush()
    except BrokenPipeError:
        if debug:
            raise
        # `x11fwd doctor | head`: the reader has gone, which is no fault of anybody's (Python docs, signal)
        give_up_stdout()
        return 128 + 13
    except KeyboardInterrupt:
        if debug:
            raise
        with suppress(OSError):  # the terminal was closed, and nobody reads it
            interrupted(words)
        return _INTERRUPTED
    except X11fwdError as error:
        if debug:
            raise
        return _tell(error.message, error.hint, error.exit_code, command, as_json=as_json)
    except Exception as error:  # the last word on a bug is a sentence, not a traceback
        if debug:
            raise
        if isinstance(error, OSError) and (why := no_room(error)):
            return _tell(why, "`df -h` shows which disk is full", 1, command, as_json=as_json)
        if isinstance(error, FileNotFoundError) and folder_is_gone():
            message, hint = "the folder that you are in has been deleted", "`cd` into another one"
            return _tell(message, hint, 2, command, as_json=as_json)
        message = f"x11fwd itself failed: {type(error).__name__}: {error}"
        hint = "`x11fwd --debug …` shows where; please report it with that"
        return _tell(message, hint, _BUG, command, as_json=as_json)
    return code


def interrupted(words: Sequence[str]) -> int:
    """Tell whoever pressed Ctrl-C that it was heard; returns the exit code."""
    command, as_json = _asked(words)
    return _tell("interrupted", "", _INTERRUPTED, command, as_json=as_json)


def _asked(words: Sequence[str]) -> tuple[str, bool]:
    """The command of a line, and whether its answer is to be JSON."""
    return next((word for word in words if not word.startswith("-")), ""), "--json" in words


def _parse(words: list[str]) -> Job | int:
    """The job that the command line asks for, or the exit code where help or completion was all of it.

    Raises:
        UsageError: typer's own complaints, in our words.
    """
    import typer

    from x11fwd.cli.app import app

    try:
        # not standalone: errors and Ctrl-C come out here instead of ending the process
        answer = app(words, prog_name="x11fwd", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.Exit as end:
        return end.exit_code
    except Exception as error:
        # typer's usage errors have no public base class; all of them can say what is wrong
        speak = getattr(error, "format_message", None)
        if speak is None:
            raise
        if speak().startswith("Usage: "):  # a group of commands without one of them: its help, no mistake
            print(speak())
            return 0
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "x11fwd"
        raise UsageError(_sentence(speak()), hint=f"`{path} --help` shows what can be typed") from error
    return 0 if answer is None else answer


def _sentence(words: str) -> str:
    words = " ".join(words.split()).rstrip(".").replace(": Value error, ", ": ")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def _tell(message: str, hint: str, code: int, command: str, *, as_json: bool) -> int:
    from x11fwd.ui.console import message_console
    from x11fwd.ui.message import error_json, show_error

    if not (as_json and printed(error_json(command, message, hint, code))):
        show_error(message, hint, message_console())
    return code
