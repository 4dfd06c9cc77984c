"""What ssh itself will keep silent about, told to a person before the login; `ssh_session` imports it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.screen import screen_is_free

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine
    from x11fwd.pipeline.ssh.decision import Screen

_SOON = 86400  # seconds: a login may well outlive a shorter ForwardX11Timeout


def forewarn(
    line: CommandLine, config: Mapping[str, str], environ: Mapping[str, str], screen: Screen
) -> bool:
    """No display, a shared connection without X11, a limit of time. True if something was said.

    ssh says nothing of these, and so do we in scripts and for single commands; a person is told, once.
    """
    if "v" in line.flags or line.command or not os.isatty(2) or not screen_is_free():
        return False
    if not screen.usable:
        sentence = f"{screen.problem}; no window can open: see `x11fwd doctor`"
    else:
        sentence = _trouble(line, config, environ)
    if sentence:
        os.write(2, f"x11fwd: {sentence}\r\n".encode())
    return bool(sentence)


def _trouble(line: CommandLine, config: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """What will go wrong in this login as the user has asked for it, "" where nothing is known."""
    if line.has("SM") or line.setting("controlpath") is not None:
        # elsewhere decide() has put `-S none` in front, so that no connection is shared
        from x11fwd.pipeline.ssh.master import stale

        why = stale(line, environ) if os.path.exists(config.get("controlpath", "none")) else None  # noqa: PTH110
        if why is not None:
            return f"{why}; `x11fwd ssh -S none …` makes one of its own"
    limit = config.get("forwardx11timeout", "0")
    # where the person chose the kind of forwarding and not the time, decide() has left both alone
    own_choice = line.has("XY") or line.setting("forwardx11trusted") is not None
    untold = line.setting("forwardx11timeout") is None
    if (
        own_choice
        and untold
        and config.get("forwardx11trusted") == "no"
        and limit.isdigit()
        and 0 < int(limit) < _SOON
    ):
        return (
            f"this login opens windows for its first {max(int(limit) // 60, 1)} minutes only "
            "(ForwardX11Timeout); `-o ForwardX11Timeout=24d` lifts that"
        )
    return ""
