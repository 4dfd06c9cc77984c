"""Section C of the catalogue: the remote's sshd; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import sshd, sshd_forwarding
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE

CHECKS: tuple[Check, ...] = (
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
    Check("sshd-config-syntax", _R, sshd.config_syntax, Link.GRANT),
    Check("remote-xauth-missing", _R, sshd.xauth_missing, Link.GRANT, shown=True),
    Check("sshd-xauthlocation", _R, sshd.xauth_location, Link.GRANT),
    Check("sshd-not-reloaded", _R, sshd.not_reloaded, needs=(Link.SWITCH, Link.GRANT)),
)
