"""The one line under a message of ssh's; `relay` shows it. What it says stands in `x11fwd.explain.messages`.

Nothing is loaded before a line looks as if it were about X11: that table costs 15 ms, and most sessions never
need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# One of these is in every line of ssh's that has an explanation.
GATE = (b"X11", b"xauth", b"DISPLAY", b"connect ")


class Said:
    """What is said under a line.

    Attributes:
        sentence: one line.
        opening: ssh has written the line before the remote program of its session has started.
        own: the session is this login's, and not one that another ssh runs through it (their refusals go to
            the other ssh, all else comes here: client_status_confirm in clientloop.c).
    """

    __slots__ = ("opening", "own", "sentence")

    def __init__(self, sentence: str, *, opening: bool, own: bool) -> None:
        self.sentence = sentence
        self.opening = opening
        self.own = own


def explain(line: bytes, target: Sequence[str]) -> Said | None:
    """What to say under one line of ssh's, None where it is not about X11.

    Args:
        line: as ssh wrote it, with or without its line end.
        target: options and destination that `x11fwd doctor` takes for this host.
    """
    if not any(word in line for word in GATE):
        return None
    from x11fwd.explain.message import Squeezed
    from x11fwd.explain.messages import login, session

    text = Squeezed(line.decode("utf-8", "replace")).text
    for message in (*login.MESSAGES, *session.MESSAGES):
        if message.session and message.find(text) >= 0:
            import shlex

            sentence = message.session.format(target=shlex.join(target))
            return Said(sentence, opening=message.opening, own=b"X11 forwarding request failed on" in line)
    return None
