"""Section A of the catalogue: the X server on this machine; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import local_access, local_display, wayland, windows, xquartz
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_L = Side.LOCAL
_X = Link.DISPLAY
# why a display that is set does not answer
_DEAD = (
    *("local-display-bad-chars", "local-display-malformed", "local-display-tcp-not-listening"),
    *("xquartz-missing", "xquartz-no-logout", "xquartz-display-overridden", "xquartz-background-item-off"),
    *(
        "xquartz-start-fails-other",
        "xquartz-xauth-hang",
        "wslg-socket-missing",
        "wsl2-display-points-at-windows",
    ),
    "windows-unix-socket",
)

CHECKS: tuple[Check, ...] = (
    Check("local-ssh-missing", _L, local_display.ssh_missing),
    Check("xquartz-missing", _L, xquartz.missing, _X),
    Check("xquartz-no-logout", _L, xquartz.no_logout, _X),
    Check("xquartz-display-overridden", _L, xquartz.display_overridden, _X),
    Check("wayland-no-xwayland", _L, wayland.no_xwayland, _X),
    Check("wsl-exec-without-rc", _L, windows.exec_without_rc, _X),
    Check("wslg-socket-missing", _L, windows.wslg_socket_missing, _X),
    Check(
        "local-display-unset",
        _L,
        local_display.unset,
        _X,
        needs=(
            *("xquartz-missing", "xquartz-no-logout", "wayland-no-xwayland", "wsl-exec-without-rc"),
            "wslg-socket-missing",
        ),
    ),
    Check("local-display-bad-chars", _L, local_display.bad_chars, _X),
    Check("local-display-malformed", _L, local_display.malformed, _X),
    Check("windows-unix-socket", _L, windows.unix_socket, _X),
    Check("wsl2-display-points-at-windows", _L, windows.points_at_windows, _X),
    Check("xquartz-background-item-off", _L, xquartz.background_item_off, _X, needs=("xquartz-no-logout",)),
    Check("xquartz-start-fails-other", _L, xquartz.start_fails, _X, needs=("xquartz-background-item-off",)),
    Check("xquartz-xauth-hang", _L, xquartz.xauth_hang, _X),
    Check(
        "local-display-tcp-not-listening",
        _L,
        local_display.tcp_not_listening,
        _X,
        needs=("xquartz-display-overridden", "wsl2-display-points-at-windows"),
    ),
    Check("local-display-dead", _L, local_display.dead, _X, needs=_DEAD, shown=True),
    Check("x-server-client-limit", _L, local_display.client_limit, _X),
    Check("xwayland-no-cookie-file", _L, wayland.no_cookie_file, _X),
    Check("xwayland-cookie-not-exported", _L, wayland.cookie_not_exported),
    Check("xquartz-cookie-after-wake", _L, xquartz.cookie_after_wake, _X),
    Check(
        "local-xauthority-wrong",
        _L,
        local_access.xauthority_wrong,
        _X,
        needs=("xwayland-no-cookie-file", "xquartz-cookie-after-wake"),
        shown=True,
    ),
    Check("xquartz-xauthlocation-lost", _L, local_access.xauth_location),
    Check("windows-openssh-askpass", _L, windows.openssh_askpass),
    Check("windows-xauth-unix-name", _L, windows.xauth_unix_name),
    Check("wslg-no-cookie", _L, windows.wslg_no_cookie),
    Check("xquartz-prefs-domain", _L, xquartz.prefs_domain),
    Check("xquartz-indirect-glx", _L, xquartz.indirect_glx),
    Check("xquartz-network-clients", _L, xquartz.network_clients),
    Check("local-access-control-off", _L, local_access.access_control_off),
    Check("xauthority-readable-by-others", _L, local_access.readable_by_others),
)
