"""Section B of the catalogue: this machine's ssh and its settings; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import client_config, client_master, client_trust, local_display
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_L = Side.LOCAL

CHECKS: tuple[Check, ...] = (
    Check("local-xauth-missing-trusted", _L, local_display.xauth_missing, Link.DISPLAY, shown=True),
    Check("ssh-config-says-no", _L, client_config.config_says_no),
    Check("untrusted-security-extension", _L, client_trust.no_security_extension),
    Check(
        "untrusted-no-xauth-data",
        _L,
        client_trust.no_untrusted_cookie,
        needs=(Link.DISPLAY, "xquartz-xauthlocation-lost", "untrusted-security-extension"),
    ),
    Check("untrusted-20-minutes", _L, client_trust.timeout, needs=("untrusted-no-xauth-data",)),
    Check("debian-trusted-by-default", _L, client_trust.trusted_by_default),
    Check("mux-max-sessions", _L, client_master.max_sessions),
    Check("mux-master-other-display", _L, client_master.other_display),
    Check("mux-master-without-x11", _L, client_master.without_x11),
    Check("forwardx11-for-all-hosts", _L, client_config.for_all_hosts),
    Check("quiet-hides-everything", _L, client_config.quiet),
)
