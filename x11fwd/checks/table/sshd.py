"""Section C of the catalogue: the remote's sshd; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import other_program, selinux, sshd, sshd_forwarding, sshd_listener
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE

CHECKS: tuple[Check, ...] = (
    Check("forced-command", _R, other_program.forced_command, Link.CONNECTION),
    Check("no-shell-account", _R, other_program.no_shell, Link.CONNECTION),
    Check("start-file-execs-shell", _R, other_program.start_file_execs_shell, Link.CONNECTION),
    Check("sshd-dropin-wins", _R, sshd_forwarding.dropin_wins, Link.SWITCH),
    Check("sshd-append-lands-in-match", _R, sshd_forwarding.append_lands_in_match, Link.SWITCH),
    Check("sshd-match-block", _R, sshd_forwarding.match_block, Link.SWITCH),
    Check(
        "sshd-x11forwarding-no",
        _R,
        sshd_forwarding.forwarding_off,
        Link.GRANT,
        needs=(Link.SWITCH,),
        shown=True,
    ),
    Check("sshd-disableforwarding", _R, sshd.disable_forwarding, Link.GRANT),
    Check("sshd-append-breaks-daemon", _R, sshd.append_breaks_daemon, Link.GRANT),
    Check("sshd-config-syntax", _R, sshd.config_syntax, Link.GRANT),
    Check("remote-xauth-missing", _R, sshd.xauth_missing, Link.GRANT, shown=True),
    Check("sshd-xauthlocation", _R, sshd.xauth_location, Link.GRANT),
    Check("sshd-ipv6-off", _R, sshd_listener.ipv6_off, Link.GRANT),
    Check("sshd-offset-out-of-range", _R, sshd_listener.offset_out_of_range, Link.GRANT),
    Check("sshd-ports-exhausted", _R, sshd_listener.ports_exhausted, Link.GRANT),
    Check("sshd-t-needs-root", _R, sshd.needs_root),
    Check("sshd-not-reloaded", _R, sshd.not_reloaded, Link.RELOAD, needs=(Link.SWITCH, Link.GRANT)),
    Check("sshd-uselocalhost-no-hostname", _R, sshd_listener.hostname_unknown, Link.REACH),
    Check(
        "sshd-uselocalhost-no-exposed",
        _R,
        sshd_listener.exposed,
        needs=("sshd-uselocalhost-no-hostname",),
    ),
    Check("sshd-localhost-v6-only", _R, sshd_listener.localhost_elsewhere, Link.REACH),
    Check(
        "selinux-blocks-xauth",
        _R,
        selinux.blocks_xauth,
        Link.COOKIE,
        needs=(
            *(Link.SWITCH, Link.GRANT, Link.REACH, "home-missing", "home-full-or-quota", "home-read-only"),
            *("xauthority-is-a-directory", "xauthority-owned-by-root", "xauthority-stale-lock"),
            *("ssh-rc-eats-cookie", "xauthority-env-override"),
        ),
    ),
)
