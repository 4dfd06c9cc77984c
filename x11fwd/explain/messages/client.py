"""What ssh itself says about X11, OpenSSH 7.4 to 10.5; imported by the table and, late, by `x11fwd ssh`.

Texts are those of ssh.c, clientloop.c, channels.c and mux.c. The one line that `x11fwd ssh` puts under such a
message stands here too, so that it is written once.
"""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

_WINDOWS = ("c:\\", "ssh.exe", "openssh_for_windows", "xauth.exe", "vcxsrv", "x410")
_WSL = ("/mnt/c/", "/mnt/wslg", "microsoft-standard-wsl", "wslg")
_MACOS = ("/opt/x11", "org.xquartz", "/private/tmp/", "macbook", "/users/")
_TOOLS = ("git fetch", "git pull", "git push", "git clone", "receiving incremental", "rsync ")
_REASONS = (
    "remote: x11 forwarding disabled by",
    "remote: x11 forwarding disabled in",
    "remote: no xauth program;",
)
_REFUSED = ("X11 forwarding request failed",)  # " on channel 0"; a session through a master has no number

_REQUEST_FAILED = (
    "the server does not let X11 through, so no window can open; "
    "`x11fwd doctor {target}` names the cause, `x11fwd setup {target}` cures it"
)
_NO_XAUTH = "there is no xauth on the server, so no window can open; `x11fwd setup {target}` installs it"
_KEY = "your key may not forward X11 on that server, so no window can open; see `x11fwd explain key-no-x11`"
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
    # reasons that the server sends (`debug1: Remote: …`), the surest there are
    row(
        "Remote: X11 forwarding disabled by key options.",
        "Remote: X11 forwarding disabled in user configuration file.",
        ids={"key-no-x11": "the server says so itself: this key or certificate may not forward X11"},
        session=_KEY,
    ),
    row(
        "Remote: No xauth program; cannot forward X11.",
        "Remote: No xauth program; cannot forward with spoofing.",
        ids={
            "remote-xauth-missing": "sshd has looked for xauth and found none",
            "sshd-xauthlocation": "or xauth is there, and sshd looks in another place",
        },
        session=_NO_XAUTH,
    ),
    row(
        "Can't get IP address for X11 DISPLAY",
        ids={"sshd-uselocalhost-no-hostname": "sshd cannot resolve the server's own name"},
    ),
    # the refusal, told apart by what stands around it
    row(
        *_REFUSED,
        along=("software version teleport", "software version sshportal", "shellhub"),
        ids={"gateway-not-passing-x11": "the other end is a gateway that ends ssh by itself"},
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=("remote software version {w}",),
        without=("remote software version openssh",),
        ids={"server-not-openssh": "the banner is not OpenSSH's, and such servers seldom know X11"},
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=_TOOLS,
        ids={"forwardx11-for-all-hosts": "a tool that needs no window asked for X11: `Host *` says so"},
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=("x11forwarding yes",),
        without=_REASONS,
        ids={
            "sshd-not-reloaded": "the files say yes, the running sshd says no",
            "sshd-disableforwarding": "DisableForwarding beats X11Forwarding",
            "sshd-ipv6-off": "with IPv6 switched off sshd gets no display",
        },
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=("debug1:",),
        without=_REASONS,
        ids={
            "sshd-x11forwarding-no": "the server gave no reason, as it does when its configuration says no",
            "sshd-ipv6-off": "with IPv6 switched off sshd gets no display, and says so in its own log only",
            "sshd-not-reloaded": "the files may say yes and the running sshd no",
        },
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        ids={
            "remote-xauth-missing": "the commonest reason: minimal servers have no xauth",
            "sshd-x11forwarding-no": "sshd says no, as hardened and upstream configurations do",
            "key-no-x11": "the key in authorized_keys may not forward X11",
            "sshd-ipv6-off": "with IPv6 switched off sshd gets no display",
            "sshd-match-block": "a Match block says no for this user or address",
            "sshd-dropin-wins": "a file that is read earlier says no",
            "sshd-append-lands-in-match": "the yes stands below a Match line and belongs to it",
            "sshd-not-reloaded": "the files say yes, the running sshd says no",
            "sshd-disableforwarding": "DisableForwarding beats X11Forwarding",
            "sshd-xauthlocation": "sshd looks for xauth in another place",
            "server-not-openssh": "the server is no OpenSSH",
            "gateway-not-passing-x11": "a gateway in between ends ssh by itself",
            "sshd-ports-exhausted": "all 1000 display numbers of the server are in use",
            "sshd-offset-out-of-range": "X11DisplayOffset is too large",
            "forwardx11-for-all-hosts": "where a tool prints it: `Host *` asks for X11 everywhere",
        },
        session=_REQUEST_FAILED,
    ),
    # before the login: this machine's display
    row(
        "X11 forwarding requested but DISPLAY not set",
        ids={
            "local-display-unset": "the program that started ssh has no DISPLAY",
            "xquartz-no-logout": "on a Mac: XQuartz sets DISPLAY at the next login only",
            "wayland-no-xwayland": "under Wayland: there is no Xwayland",
            "wsl-exec-without-rc": "under WSL: DISPLAY is set in a start file that was not read",
        },
    ),
    row(
        "DISPLAY {x} invalid; disabling X11 forwarding",
        "Invalid character {x} in DISPLAY",
        ids={"local-display-bad-chars": "ssh takes only letters, digits and :/.-_ in DISPLAY"},
        session=(
            "ssh takes only letters, digits and :/.-_ in DISPLAY, so no window can open; "
            "`x11fwd doctor` helps"
        ),
    ),
    row(
        "Could not parse display number from DISPLAY",
        "Could not find : in DISPLAY",
        ids={
            "local-display-malformed": "DISPLAY has no number where ssh looks for one",
            "local-display-unset": "what DISPLAY holds is no display",
        },
        session="DISPLAY on this machine is no display's name; `x11fwd doctor` helps",
    ),
    row(
        "No xauth data; using fake authentication data",
        along=_WSL,
        ids={
            "wslg-no-cookie": "WSLg has no cookies, so this is harmless there; windows work with -Y",
            "local-xauthority-wrong": "elsewhere: `xauth list` finds no cookie for DISPLAY",
            "local-xauth-missing-trusted": "or there is no xauth on this machine",
        },
        session=(
            "WSLg needs no cookie, so this is harmless where windows open; "
            "else `x11fwd doctor` names the cause"
        ),
    ),
    row(
        "No xauth data; using fake authentication data",
        ids={
            "local-xauthority-wrong": "`xauth list` on this machine finds no cookie for DISPLAY",
            "local-xauth-missing-trusted": "or this machine has no xauth, so ssh cannot ask",
            "xquartz-xauthlocation-lost": "on a Mac after an update: ssh looks for xauth in the wrong place",
            "wslg-no-cookie": "under WSLg it is harmless",
        },
        session=(
            "this machine has no cookie for its own display, so the X server will refuse the windows; "
            "`x11fwd doctor` names the cause"
        ),
    ),
    row(
        "debug1: No xauth program.",
        ids={
            "local-xauth-missing-trusted": "ssh found no xauth on this machine",
            "xquartz-xauthlocation-lost": "on a Mac: ssh looks for it in the wrong place",
        },
        session="ssh finds no xauth on this machine; `x11fwd doctor` names the cause",
    ),
    row(
        "untrusted X11 forwarding setup failed",
        "xauth key data not generated",
        along=_WINDOWS,
        ids={
            "windows-xauth-unix-name": "Windows' xauth does not know the name unix:0 that ssh asks for",
            "untrusted-security-extension": "many X servers for Windows know no untrusted programs",
            "untrusted-no-xauth-data": "xauth could make no cookie, for one of five reasons",
        },
    ),
    row(
        "untrusted X11 forwarding setup failed",
        "xauth key data not generated",
        along=_MACOS,
        ids={
            "xquartz-xauthlocation-lost": "after a macOS update ssh looks for xauth in the wrong place",
            "untrusted-no-xauth-data": "xauth could make no cookie, for one of five reasons",
            "local-display-dead": "XQuartz does not answer",
        },
        session=(
            "xauth could make no cookie on this machine, so no window can open; "
            "`x11fwd doctor` names the cause, `x11fwd ssh -Y …` does without that cookie"
        ),
    ),
    row(
        "untrusted X11 forwarding setup failed",
        "xauth key data not generated",
        ids={
            "untrusted-no-xauth-data": "xauth could make no cookie on this machine, for one of five reasons",
            "xquartz-xauthlocation-lost": "on a Mac, after an update, ssh looks for xauth in the wrong place",
            "xwayland-no-cookie-file": "under Wayland: the compositor gives Xwayland no cookie",
            "untrusted-security-extension": "the X server knows no untrusted programs",
            "local-xauthority-wrong": "this machine's own cookie is wrong",
            "local-display-dead": "the X server does not answer",
            "local-xauth-missing-trusted": "there is no xauth on this machine",
            "windows-xauth-unix-name": "on Windows: xauth does not know the name unix:0",
        },
        session=(
            "xauth could make no cookie on this machine, so no window can open; "
            "`x11fwd doctor` names the cause, `x11fwd ssh -Y …` does without that cookie"
        ),
    ),
    row(
        "xauthfile generate /private/tmp/com.apple.launchd",
        weak=True,
        ids={"xquartz-xauth-hang": "if ssh stops here: xauth waits for an XQuartz that never answers"},
    ),
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
