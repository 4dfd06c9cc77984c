"""What ssh's X11 messages mean and what to type, one line each; `relay` shows them, doctor has the details.

A message of ssh's that means something about X11 gets its row here and nowhere else. Texts are those of
OpenSSH 7.4 to 10.5: clientloop.c, channels.c, ssh.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# How a line of ssh's begins, and the sentence. `{target}` is what our other commands take for this host.
EXPLANATIONS: tuple[tuple[bytes, str], ...] = (
    (
        b"X11 forwarding request failed on channel",
        (
            "the server does not let X11 through, so no window can open; "
            "`x11fwd doctor {target}` names the cause, `x11fwd setup {target}` cures it"
        ),
    ),
    (
        b"Warning: untrusted X11 forwarding setup failed",
        (
            "xauth could make no cookie on this machine, so no window can open; "
            "`x11fwd doctor` names the cause, `x11fwd ssh -Y …` does without that cookie"
        ),
    ),
    (
        b"Warning: No xauth data",
        (
            "this machine has no cookie for its own display, so the X server will refuse the windows; "
            "`x11fwd doctor` names the cause"
        ),
    ),
    (
        b"X11 connection rejected because of wrong authentication",
        (
            "a program over there showed a cookie that is not this login's (sudo, another HOME, XAUTHORITY); "
            "`x11fwd doctor {target}` names the cause"
        ),
    ),
    (
        b"connect /tmp/.X11-unix/",
        (
            "the X server of this machine is gone: DISPLAY names one that does not answer; "
            "`x11fwd doctor` names the cause"
        ),
    ),
    (
        b"connect localhost port 60",
        (
            "DISPLAY asks for an X server that listens on TCP, and none does on this machine; "
            "`x11fwd doctor` names the cause"
        ),
    ),
    (
        b"connect /private/tmp/com.apple.launchd.",
        "XQuartz does not answer; start it with `open -a XQuartz`, or see `x11fwd doctor`",
    ),
    (
        b'DISPLAY "',
        "ssh takes only letters, digits and :/.-_ in DISPLAY, so no window can open; `x11fwd doctor` helps",
    ),
    (
        b"Rejected X11 connection after ForwardX11Timeout",
        (
            "this login may open no more windows: its time (ForwardX11Timeout) is over; log in anew, "
            "with `-o ForwardX11Timeout=0` for no such limit"
        ),
    ),
)


def explain(line: bytes, target: Sequence[str]) -> str | None:
    """The sentence for one line of ssh's, None where it is not about X11.

    Args:
        line: as ssh wrote it, with or without its line end.
        target: options and destination that `x11fwd doctor` takes for this host.
    """
    for beginning, sentence in EXPLANATIONS:
        if line.startswith(beginning):
            import shlex  # only where a sentence is shown: it loads re

            return sentence.format(target=shlex.join(target))
    return None
