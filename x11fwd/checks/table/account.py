"""Section D of the catalogue: the user's account on the remote; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import remote_user
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE

CHECKS: tuple[Check, ...] = (
    Check("home-missing", _R, remote_user.home_missing, Link.COOKIE),
    Check("home-full-or-quota", _R, remote_user.home_full, Link.COOKIE),
    Check(
        "home-read-only",
        _R,
        remote_user.home_read_only,
        Link.COOKIE,
        needs=("home-full-or-quota",),
        shown=True,
    ),
    Check("xauthority-is-a-directory", _R, remote_user.authority_is_directory, Link.COOKIE),
    Check(
        "xauthority-owned-by-root", _R, remote_user.authority_of_root, Link.COOKIE, needs=("home-read-only",)
    ),
    Check(
        "xauthority-stale-lock",
        _R,
        remote_user.authority_locked,
        Link.COOKIE,
        needs=("xauthority-owned-by-root",),  # before which xauth gives up, and leaves its locks behind
    ),
    Check("ssh-rc-eats-cookie", _R, remote_user.ssh_rc, Link.COOKIE),
    Check("xauthority-env-override", _R, remote_user.xauthority_overridden, Link.COOKIE),
    Check("start-file-overwrites-display", _R, remote_user.display_overwritten, Link.REACH),
    Check(
        "remote-display-dead",
        _R,
        remote_user.display_dead,
        needs=(
            *(Link.DISPLAY, Link.REQUEST, Link.SWITCH, Link.GRANT, Link.COOKIE, Link.REACH),
            "x11-request-refused",
        ),
        shown=True,
    ),
)
