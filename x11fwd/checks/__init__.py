"""Checks: pure functions from facts to findings, and the table of them all; the pipeline calls `diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks import connection, local_display, matplotlib, python, remote_user, sshd, sshd_forwarding
from x11fwd.checks.check import Check, Seen
from x11fwd.checks.diagnosis import root_cause, run_checks
from x11fwd.checks.report import Finding, Side, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHECKS", "SHOWN", "diagnose", "exit_code", "root_cause"]

_L, _C, _R = Side.LOCAL, Side.LINK, Side.REMOTE

# What breaks the way from the remote's sshd to this screen, in the order in which sshd builds it (session.c,
# session_setup_x11fwd); everything that needs a display follows from these.
_NO_DISPLAY = (
    "local-display-unset",
    "local-display-malformed",
    "local-display-bad-chars",
    "local-display-dead",
    "x-server-client-limit",
    "local-xauthority-wrong",
    "local-xauth-missing-trusted",
)
_REFUSED = (
    "key-no-x11",
    "server-not-openssh",
    "sshd-x11forwarding-no",
    "sshd-disableforwarding",
    "sshd-config-syntax",
    "remote-xauth-missing",
    "sshd-xauthlocation",
)
_NO_COOKIE = (
    "home-missing",
    "home-full-or-quota",
    "home-read-only",
    "xauthority-is-a-directory",
    "xauthority-owned-by-root",
    "xauthority-stale-lock",
    "ssh-rc-eats-cookie",
    "xauthority-env-override",
)
_UNREACHED = (*_NO_DISPLAY, "x11-request-refused", *_NO_COOKIE, "start-file-overwrites-display")
_NO_TOOLKIT = ("tk-missing-distro-python", "tk-missing-built-python", "tk-uv-standalone", "libx11-missing")
_WISHES = (
    "mpl-mplbackend-from-ide",
    "mpl-backend-typo",
    "mpl-mplbackend-wins",
    "mpl-rc-not-interactive",
    "qt-binding-missing",
)
_SWITCHED_OFF = ("sshd-dropin-wins", "sshd-append-lands-in-match", "sshd-match-block")

# One row per check, in the order of the chain. `needs`: what explains a failure of this one.
# `shown`: has a line in the table although it holds.
CHECKS: tuple[Check, ...] = (
    # this machine
    Check("local-ssh-missing", _L, local_display.ssh_missing),
    Check("local-display-unset", _L, local_display.unset),
    Check("local-display-bad-chars", _L, local_display.bad_chars),
    Check("local-display-malformed", _L, local_display.malformed),
    Check("local-display-tcp-not-listening", _L, local_display.tcp_not_listening),
    Check(
        "local-display-dead",
        _L,
        local_display.dead,
        needs=("local-display-bad-chars", "local-display-malformed", "local-display-tcp-not-listening"),
        shown=True,
    ),
    Check("x-server-client-limit", _L, local_display.client_limit),
    Check("local-xauthority-wrong", _L, local_display.xauthority_wrong, shown=True),
    Check("local-xauth-missing-trusted", _L, local_display.xauth_missing, shown=True),
    # the connection
    Check("ssh-connection", _C, connection.connected, shown=True),
    Check("probe-unanswered", _C, connection.unanswered),
    Check("key-no-x11", _C, connection.key_options),
    Check("server-not-openssh", _C, connection.not_openssh),
    Check("x11-request-refused", _C, connection.refused, needs=(*_NO_DISPLAY, *_REFUSED), shown=True),
    # sshd
    Check("sshd-dropin-wins", _R, sshd_forwarding.dropin_wins),
    Check("sshd-append-lands-in-match", _R, sshd_forwarding.append_lands_in_match),
    Check("sshd-match-block", _R, sshd_forwarding.match_block),
    Check("sshd-x11forwarding-no", _R, sshd_forwarding.forwarding_off, needs=_SWITCHED_OFF, shown=True),
    Check("sshd-disableforwarding", _R, sshd.disable_forwarding),
    Check("sshd-config-syntax", _R, sshd.config_syntax),
    Check("remote-xauth-missing", _R, sshd.xauth_missing, shown=True),
    Check("sshd-xauthlocation", _R, sshd.xauth_location),
    Check("sshd-not-reloaded", _R, sshd.not_reloaded, needs=_REFUSED),
    # the user's account
    Check("home-missing", _R, remote_user.home_missing),
    Check("home-full-or-quota", _R, remote_user.home_full),
    Check("home-read-only", _R, remote_user.home_read_only, needs=("home-full-or-quota",), shown=True),
    Check("xauthority-is-a-directory", _R, remote_user.authority_is_directory),
    Check("xauthority-owned-by-root", _R, remote_user.authority_of_root, needs=("home-read-only",)),
    Check("xauthority-stale-lock", _R, remote_user.authority_locked),
    Check("ssh-rc-eats-cookie", _R, remote_user.ssh_rc),
    Check("xauthority-env-override", _R, remote_user.xauthority_overridden),
    Check("start-file-overwrites-display", _R, remote_user.display_overwritten),
    Check("remote-display-dead", _R, remote_user.display_dead, needs=_UNREACHED, shown=True),
    # Python
    Check("python-missing", _R, python.python_missing, shown=True),
    Check("tk-missing-distro-python", _R, python.tk_missing_distro, shown=True),
    Check("tk-missing-built-python", _R, python.tk_missing_built),
    Check("tk-uv-standalone", _R, python.tk_uv_standalone),
    Check("libx11-missing", _R, python.libx11_missing),
    Check("mpl-missing", _R, python.matplotlib_missing, shown=True),
    Check("mpl-broken", _R, python.matplotlib_broken),
    Check("qt-binding-missing", _R, matplotlib.qt_missing),
    Check("mpl-mplbackend-from-ide", _R, matplotlib.mplbackend_from_ide),
    Check("mpl-backend-typo", _R, matplotlib.backend_typo),
    Check("mpl-mplbackend-wins", _R, matplotlib.mplbackend_wins),
    Check("mpl-rc-not-interactive", _R, matplotlib.rc_not_interactive),
    Check("mpl-rc-precedence", _R, matplotlib.rc_precedence),
    Check("mpl-interactive-true", _R, matplotlib.interactive_mode),
    Check(
        "mpl-backend-not-interactive",
        _R,
        matplotlib.backend_not_interactive,
        needs=("remote-display-dead", *_WISHES, *_NO_TOOLKIT),
        shown=True,
    ),
)

SHOWN: frozenset[str] = frozenset(check.id for check in CHECKS if check.shown)


def diagnose(seen: Seen) -> tuple[Finding, ...]:
    """Every finding about these facts, in the order of the chain, symptoms folded under their causes.

    Without a target only this machine is judged.
    """
    here_only = seen.target is None and seen.remote is None
    return run_checks([check for check in CHECKS if not here_only or check.side is _L], seen)


def exit_code(findings: Iterable[Finding]) -> int:
    """DESIGN.md's table: 3 where no connection came about, 1 where something is broken, else 0.

    What nobody could look at breaks nothing: a refused request for X11 is a failure of its own.
    """
    failed = {finding.id for finding in findings if finding.status is Status.FAIL}
    if "ssh-connection" in failed:
        return 3
    return 1 if failed else 0
