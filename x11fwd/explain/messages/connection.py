"""What ssh says where no connection comes about, and what x11fwd says itself; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

MESSAGES = (
    row(
        "ssh: command not found",
        "ssh is not recognized as an internal or external command",
        ids={"local-ssh-missing": "this machine has no ssh"},
    ),
    row(
        "ssh: Could not resolve hostname",
        "ssh: connect to host {w} port {n}:",
        "Host key verification failed.",
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "Permission denied (publickey",
        "Permission denied (password",
        "Permission denied (keyboard-interactive",
        "Too many authentication failures",
        "kex_exchange_identification:",
        weak=True,  # a log may hold a first try that failed
        ids={"ssh-connection": "ssh itself does not get in, so there is no question of windows yet"},
    ),
    row(
        "opened no window: its backend is",
        "refused to forward X11, so nothing was drawn",
        "Python on {w} did not start within",
        "no window came from {w} within",
        "came, but its picture is not right",
        "the window was closed before its picture was whole",
        "this machine has no display to show a window on",
        ids={"plot-window": "x11fwd's own proof says so"},
    ),
)
