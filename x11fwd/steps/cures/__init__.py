"""Cures that need nobody's rights but the user's own, by the id of the finding they cure; for `doctor --fix`.

A cure decides only, like a step of a playbook: it turns what was seen into `Change`s, and the engine makes
them, with a journal, so that `undo` knows them. To add one: a module or function here, a row in `CURES`, and
tests that it cures, that its second plan is empty, and that undo leaves the files as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.steps.cures import authority, desktop, login_rc, ssh_config, start_files, tmux

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.steps.cures.ground import Ground

__all__ = ["CURES", "Cure", "Machine"]


class Machine(Enum):
    """Where a cure acts."""

    HERE = "here"  # the machine with the screen
    THERE = "there"  # the machine with the program


@dataclass(frozen=True)
class Cure:
    """One way to cure one finding.

    Attributes:
        plan: notes edits and commands on the ground; does nothing where this case is beyond it.
    """

    machine: Machine
    plan: Callable[[Ground], None]


CURES: dict[str, Cure] = {
    # this machine
    "xquartz-xauthlocation-lost": Cure(Machine.HERE, ssh_config.xauth_location),
    "untrusted-20-minutes": Cure(Machine.HERE, ssh_config.forward_timeout),
    "local-display-unset": Cure(Machine.HERE, desktop.start_xquartz),
    "local-display-dead": Cure(Machine.HERE, desktop.start_xquartz),
    "xquartz-display-overridden": Cure(Machine.HERE, start_files.never_display),
    "xauthority-readable-by-others": Cure(Machine.HERE, authority.close_to_others),
    # the other one
    "xauthority-stale-lock": Cure(Machine.THERE, authority.remove_locks),
    "xauthority-owned-by-root": Cure(Machine.THERE, authority.move_aside),
    "xauthority-is-a-directory": Cure(Machine.THERE, authority.move_aside),
    "xauthority-env-override": Cure(Machine.THERE, start_files.guard_authority),
    "ssh-rc-eats-cookie": Cure(Machine.THERE, login_rc.take_cookie),
    "start-file-overwrites-display": Cure(Machine.THERE, start_files.guard_display),
    "mpl-mplbackend-wins": Cure(Machine.THERE, start_files.guard_backend),
    "mpl-mplbackend-from-ide": Cure(Machine.THERE, start_files.guard_backend),
    "mpl-backend-typo": Cure(Machine.THERE, start_files.guard_backend),
    "qt-platform-variable": Cure(Machine.THERE, start_files.guard_qt_platform),
    "tmux-stale-display": Cure(Machine.THERE, tmux.refresh),
}
