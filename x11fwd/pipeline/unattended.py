"""Answers for a connection that is made again by itself, when there may be nobody to ask; the pipeline's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.transports.base import HostKeyQuestion

__all__ = ["Unattended"]


class Unattended:
    """A Prompter that knows no answer."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        del question
        return False

    def secret(self, prompt: str) -> str | None:
        del prompt
        return None

    visible = secret

    def notice(self, text: str) -> None:
        del text
