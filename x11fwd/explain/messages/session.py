"""What ssh says of X11 once a program runs over there; imported by the table and, late, by `x11fwd ssh`.

Texts are those of channels.c, clientloop.c and mux.c, OpenSSH 7.4 to 10.5.
"""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

_WINDOWS = ("c:\\", "ssh.exe", "openssh_for_windows", "xauth.exe", "vcxsrv", "x410")
_GONE = (
    "the X server of this machine is gone: DISPLAY names one that does not answer; "
    "`x11fwd doctor` names the cause"
)
_TCP = (
    "DISPLAY asks for an X server that listens on TCP, and none does on this machine; "
    "`x11fwd doctor` names the cause"
)
_COOKIE = (
    "a program over there showed a cookie that is not this login's (sudo, another HOME, XAUTHORITY); "
    "`x11fwd doctor {target}` names the cause"
)

MESSAGES = (
    # later: a window was asked for
    row(
        "connect /private/tmp/com.apple.launchd.{x}: No such file",
        ids={
            "xquartz-no-logout": "DISPLAY names a socket of an earlier XQuartz: log out and in",
            "local-display-dead": "DISPLAY is older than the server",
            "xquartz-start-fails-other": "XQuartz does not come up",
        },
        session="XQuartz does not answer; start it with `open -a XQuartz`, or see `x11fwd doctor`",
    ),
    row(
        "connect /private/tmp/com.apple.launchd.",
        ids={
            "xquartz-start-fails-other": "macOS should start XQuartz here, and it does not come up",
            "local-display-dead": "the X server is gone",
            "xquartz-background-item-off": "its helper may be switched off",
        },
        session="XQuartz does not answer; start it with `open -a XQuartz`, or see `x11fwd doctor`",
    ),
    row(
        "connect /tmp/.X11-unix/X{n}",
        along=_WINDOWS,
        ids={
            "windows-unix-socket": "X servers of Windows listen on TCP: DISPLAY must be 127.0.0.1:0.0",
            "local-display-dead": "DISPLAY names a server that is gone",
        },
    ),
    row(
        "connect /tmp/.X11-unix/X{n}",
        ids={
            "local-display-dead": "DISPLAY names a server that is gone",
            "windows-unix-socket": "on Windows: X servers there listen on TCP only",
            "wslg-socket-missing": "under WSL: the link to WSLg's socket is broken",
            "x-server-died": "it was there, and died during the session",
            "remote-display-dead": "seen from over there: nothing answers behind DISPLAY",
        },
        session=_GONE,
    ),
    row(
        "connect {ip} port 60{n}: Connection timed out",
        "connect {ip} port 60{n}: No route",
        ids={
            "wsl2-display-points-at-windows": "DISPLAY holds an address behind a firewall, or an old one",
            "local-display-dead": "no X server answers there",
        },
        session=_TCP,
    ),
    row(
        "connect localhost port 60{n}",
        "connect {ip} port 60{n}",
        ids={
            "local-display-tcp-not-listening": "DISPLAY asks for TCP, and X servers listen on a socket file",
            "local-display-dead": "no X server runs there",
            "wsl2-display-points-at-windows": "under WSL: an old recipe for DISPLAY",
        },
        session=_TCP,
    ),
    row(
        "Rejected X11 connection after ForwardX11Timeout expired",
        ids={
            "untrusted-20-minutes": "untrusted forwarding ends after ForwardX11Timeout, 20 minutes by default"
        },
        session=(
            "this login may open no more windows: its time (ForwardX11Timeout) is over; log in anew, "
            "with `-o ForwardX11Timeout=24d` for a longer one"
        ),
    ),
    # connections that are shared
    row(
        "mux_client_request_session: session request failed: Session open refused by peer",
        "Master refused session request",
        "already exists, disabling multiplexing",
        "Session open refused by peer",
        ids={"mux-max-sessions": "the server allows no more sessions on one connection"},
    ),
    row(
        "different $DISPLAY already forwarded",
        ids={"mux-master-other-display": "the open connection forwards another display"},
        session=(
            "the connection that is shared forwards another display; "
            "`x11fwd ssh -S none …` makes one of its own"
        ),
    ),
    row(
        "mux_client_request_session: master session id",
        "Shared connection to {w} closed",
        weak=True,
        ids={
            "mux-master-without-x11": "an open connection was reused, and X11 counts only as that one asked",
            "mux-master-other-display": "it keeps the display of its own start",
        },
    ),
    row(
        "auto-mux: Trying existing master",
        without=("Control socket {x} does not exist", "Stale control socket", "Requesting X11 forwarding"),
        weak=True,
        ids={
            "mux-master-without-x11": "an open connection was found, and X11 counts only as that one asked",
            "mux-master-other-display": "it keeps the display of its own start",
        },
    ),
    row(
        "ssh server tried X11 forwarding",
        "X11 forwarding opened before X11 forwarding requested",
        ids={
            "mux-master-without-x11": "a window came over a connection that never asked for X11",
            "ssh-no-x11-request": "this ssh did not ask for X11",
        },
        session=(
            "a program over there opens a window, and this ssh did not ask for X11; "
            "`x11fwd ssh {target}` does"
        ),
    ),
    row(
        "X11 forwarding channel already open",
        ids={"gateway-not-passing-x11": "a gateway in between knows X11 only in part"},
    ),
    row(
        "The following connections are open:",
        along=("x11-connection", "x11 (", " x11 "),
        ids={"ssh-hangs-at-exit": "windows that are open keep ssh from ending"},
    ),
    # the server's word for the cookie
    row(
        "X11 connection rejected because of wrong authentication",
        along=("uses different authentication protocol", "#ffff#"),
        ids={"xauth-foreign-entries": "entries of another kind are found before the right one"},
        session=_COOKIE,
    ),
    row(
        "X11 connection rejected because of wrong authentication",
        along=("file {x} does not exist",),
        ids={
            "ssh-rc-eats-cookie": "the file was never written: ~/.ssh/rc keeps sshd from doing it",
            "sudo-loses-cookie": "or another user's home is looked at",
        },
        session=_COOKIE,
    ),
    row(
        "X11 connection rejected because of wrong authentication",
        along=("snap run", "/snap/", "flatpak"),
        ids={"snap-flatpak-app": "snaps and flatpaks see another home"},
        session=_COOKIE,
    ),
    row(
        "X11 connection rejected because of wrong authentication",
        along=("docker", "podman", "apptainer", "singularity", "--network host", "--net=host"),
        ids={"container-cookie": "the container has another home, host name or user"},
        session=_COOKIE,
    ),
    row(
        "X11 connection rejected because of wrong authentication",
        along=("/unix:{n} MIT-MAGIC-COOKIE-1",),
        ids={
            "hostname-changed": "the entry is there, under a name that this host no longer has",
            "xauthority-env-override": "or the program reads another file",
        },
        session=_COOKIE,
    ),
    row(
        "X11 connection rejected because of wrong authentication",
        ids={
            "sudo-loses-cookie": "a program of another user (sudo) does not find the cookie",
            "xauthority-env-override": "XAUTHORITY points at another file",
            "ssh-rc-eats-cookie": "~/.ssh/rc keeps sshd from writing the cookie",
            "home-read-only": "the cookie could not be written: home is read-only",
            "home-full-or-quota": "the cookie could not be written: home is full",
            "xauthority-owned-by-root": "the cookie could not be written: the file is root's",
            "xauthority-stale-lock": "the cookie could not be written: a lock was left behind",
            "xauthority-is-a-directory": "the cookie could not be written: there is a directory in its place",
            "home-missing": "the cookie could not be written: there is no home",
            "hostname-changed": "the host has another name than when the cookie was written",
            "tmux-number-reused": "an old DISPLAY leads to somebody else's connection",
            "container-cookie": "a container does not see the cookie",
            "snap-flatpak-app": "snaps and flatpaks see another home",
            "xauth-foreign-entries": "an entry of another kind is found first",
            "selinux-blocks-xauth": "SELinux kept xauth from writing",
            "remote-display-dead": "doctor's own words for this line where no reason is found",
        },
        session=_COOKIE,
    ),
    row(
        "X11 connection uses different authentication protocol",
        ids={"xauth-foreign-entries": "entries of another kind are found before the right one"},
    ),
    row(
        "X11 auth data does not match fake data",
        ids={
            "sudo-loses-cookie": "a program of another user shows another cookie",
            "xauthority-env-override": "XAUTHORITY points at another file",
            "tmux-number-reused": "an old DISPLAY leads to somebody else's connection",
        },
    ),
    row(
        "remote software version dropbear",
        "remote software version tailscale",
        "remote software version go",
        "remote software version aws_",
        "remote software version cisco",
        weak=True,
        ids={"server-not-openssh": "such servers seldom know X11"},
    ),
)
