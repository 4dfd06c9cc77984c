"""The table of verbatim messages, one file per part of the way; imported by matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.explain.message import Message

__all__ = ["all_messages"]


def all_messages() -> tuple[Message, ...]:
    """Every row; of two that begin at the same place the first one counts, so the special come first."""
    from x11fwd.explain.messages import (
        account,
        connection,
        desktop,
        display,
        login,
        noise,
        python,
        qt,
        session,
        sshd,
    )

    return (
        *login.MESSAGES,
        *session.MESSAGES,
        *sshd.MESSAGES,
        *account.MESSAGES,
        *desktop.MESSAGES,
        *python.MESSAGES,
        *qt.MESSAGES,
        *display.MESSAGES,
        *connection.MESSAGES,
        *noise.MESSAGES,
    )
