"""The machines on the way: ProxyJump taken apart, each hop asked of `ssh -G`; imported by `choose`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.target import SshConfig, SshOptions, Target, parse_target
from x11fwd.transports.local import resolve

if TYPE_CHECKING:
    from x11fwd.transports.base import Transport

__all__ = ["Hop", "jump_hosts"]

_DEEPEST = 16  # ssh would start one process per hop and never notice a circle


@dataclass(frozen=True)
class Hop:
    """A machine to log in to, and what ssh_config says of it."""

    target: Target
    config: SshConfig

    @property
    def place(self) -> str:
        """`user@host`, for prompts and messages."""
        return f"{self.config.user}@{self.config.hostname}"

    @property
    def command(self) -> str:
        """The `ssh …` that a person would type to get there, for hints."""
        return shlex.join(word for word in ("ssh", *self.target.ssh_argv()) if word != "--")


def jump_hosts(hop: Hop, local: Transport, *, depth: int = 0) -> tuple[Hop, ...]:
    """The jump hosts in front of a machine, in the order in which they are passed.

    As ssh.c does it: the last of the list is reached through the others by `-J`; of the options typed for the
    target only `-F` counts for a jump host. The first one's own ProxyJump is followed as well.

    Raises:
        UsageError: a jump host is no host, or they go round in a circle.
    """
    listed = hop.config.proxy_jump
    if listed is None:
        return ()
    if depth >= _DEEPEST:
        raise UsageError(f"the jump hosts of {hop.target.typed} go round in a circle: {listed}")
    *others, last = listed.split(",")
    options = SshOptions(config_file=hop.target.options.config_file, jump=",".join(others) or None)
    target = parse_target(last, options)
    before = Hop(target, resolve(target, local))
    return (*jump_hosts(before, local, depth=depth + 1), before)
