"""Where this process itself runs: in a session of ssh, under sudo, in tmux, in a container; for pipeline."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PlaceFacts", "find_place"]


@dataclass(frozen=True)
class PlaceFacts:
    """What stands between this process and the session that sshd opened.

    Attributes:
        in_session: an sshd is among the ancestors, or SSH_CONNECTION says so: this machine is the remote one.
    """

    in_session: bool = False


def find_place() -> PlaceFacts:
    """Look at this process and its ancestors."""
    return PlaceFacts()
