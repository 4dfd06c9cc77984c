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

__all__ = ["CURES", "Cure", "Machine", "Shows"]


class Machine(Enum):
    """Where a cure acts."""

    HERE = "here"  # the machine with the screen
    THERE = "there"  # the machine with the program


class Shows(Enum):
    """From when on doctor can see that it took."""

    AT_ONCE = "at once"
    NEW_LOGIN = "in a new login"  # or terminal: start files are read then


@dataclass(frozen=True)
class Cure:
    """One way to cure one finding.

    Attributes:
        plan: notes edits and commands on the ground; does nothing where this case is beyond it.
    """

    machine: Machine
    plan: Callable[[Ground], None]
    shows: Shows = Shows.AT_ONCE


_H, _T, _LOGIN = Machine.HERE, Machine.THERE, Shows.NEW_LOGIN

CURES: dict[str, Cure] = {
    # this machine
    "xquartz-xauthlocation-lost": Cure(_H, ssh_config.xauth_location),
    "untrusted-20-minutes": Cure(_H, ssh_config.forward_timeout),
    "local-display-unset": Cure(_H, desktop.start_xquartz),
    "local-display-dead": Cure(_H, desktop.start_xquartz),
    "xquartz-display-overridden": Cure(_H, start_files.never_display, _LOGIN),
    "xauthority-readable-by-others": Cure(_H, authority.close_to_others),
    # the other one
    "xauthority-stale-lock": Cure(_T, authority.remove_locks),
    "xauthority-owned-by-root": Cure(_T, authority.move_aside, _LOGIN),
    "xauthority-is-a-directory": Cure(_T, authority.move_aside, _LOGIN),
    "xauthority-env-override": Cure(_T, start_files.guard_authority, _LOGIN),
    "ssh-rc-eats-cookie": Cure(_T, login_rc.take_cookie, _LOGIN),
    "start-file-overwrites-display": Cure(_T, start_files.guard_display, _LOGIN),
    "mpl-mplbackend-wins": Cure(_T, start_files.guard_backend, _LOGIN),
    "mpl-mplbackend-from-ide": Cure(_T, start_files.guard_backend, _LOGIN),
    "mpl-backend-typo": Cure(_T, start_files.guard_backend, _LOGIN),
    "qt-platform-variable": Cure(_T, start_files.guard_qt_platform, _LOGIN),
    "tmux-stale-display": Cure(_T, tmux.refresh, _LOGIN),
}
