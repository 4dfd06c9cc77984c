"""Section D of the catalogue: the user's account on the remote; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import remote_cookie, remote_shell, remote_user, session, session_elsewhere, session_job
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE
_SSHD = (Link.SWITCH, Link.GRANT, "x11-request-refused")
_COOKIE = (*_SSHD, "home-missing", "home-full-or-quota", "home-read-only")

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
        needs=("home-full-or-quota", "home-read-only", "xauthority-owned-by-root"),
    ),
    Check("ssh-rc-eats-cookie", _R, remote_user.ssh_rc, Link.COOKIE),
    Check("xauthority-env-override", _R, remote_user.xauthority_overridden, Link.COOKIE),
    Check("hostname-changed", _R, remote_cookie.hostname_changed, Link.COOKIE, needs=_COOKIE),
    Check("xauth-foreign-entries", _R, remote_cookie.foreign_entries, Link.COOKIE, needs=_COOKIE),
    Check("snap-flatpak-app", _R, remote_cookie.snap, Link.COOKIE, needs=_COOKIE),
    Check("hardening-auto-tmux", _R, remote_shell.auto_tmux),
    Check("start-file-overwrites-display", _R, remote_user.display_overwritten, Link.REACH),
    # what a session does to DISPLAY and the cookie after sshd has made them; each one excludes the others
    Check("sudo-loses-cookie", _R, session_elsewhere.sudo_loses_cookie, Link.COOKIE, needs=_SSHD),
    Check("su-dash-loses-display", _R, session_elsewhere.su_loses_display, Link.REACH, needs=_SSHD),
    Check("transport-without-x11", _R, session.transport_without_x11, Link.REACH, needs=_SSHD),
    Check("ide-remote-stale-display", _R, session.ide_stale, Link.REACH, needs=_SSHD),
    Check("tmux-stale-display", _R, session.tmux_stale, Link.REACH, needs=_SSHD),
    Check("tmux-number-reused", _R, session.number_reused, Link.REACH, needs=_SSHD),
    Check("container-network", _R, session_elsewhere.container_network, Link.REACH, needs=_SSHD),
    Check("container-cookie", _R, session_elsewhere.container_cookie, Link.COOKIE, needs=_SSHD),
    Check("slurm-no-x11", _R, session_job.slurm, Link.REACH, needs=_SSHD, shown=True),
    Check("batch-inherits-display", _R, session_job.batch, Link.REACH, needs=_SSHD),
    Check("jupyter-kernel-display", _R, session.jupyter, Link.REACH, needs=_SSHD),
    Check(
        "session-without-display",
        _R,
        session_elsewhere.without_display,
        Link.REACH,
        needs=(*_SSHD, "ssh-no-x11-request", "su-dash-loses-display", "start-file-overwrites-display"),
    ),
    Check("login-shell-not-posix", _R, remote_shell.not_posix),
    Check("noisy-start-files", _R, remote_shell.noisy),
    Check("remote-is-macos", _R, remote_shell.macos, Link.TOOLKIT),
    Check("no-tty-no-profile", _R, remote_shell.no_profile),
    Check(
        "remote-display-dead",
        _R,
        remote_user.display_dead,
        needs=(
            *(Link.DISPLAY, Link.REQUEST, Link.SWITCH, Link.GRANT, Link.COOKIE, Link.REACH),
            "x11-request-refused",
            "libx11-missing",  # which xauth needs as well
            "x-server-died",
        ),
        shown=True,
    ),
)
