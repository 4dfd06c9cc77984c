"""What ssh says of X11 before the remote program starts; imported by the table and, late, by `x11fwd ssh`.

Texts are those of ssh.c and clientloop.c, and of session.c as `debug1: Remote: …`, OpenSSH 7.4 to 10.5. The
one line that `x11fwd ssh` puts under such a message stands here too, so that it is written once.
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
    "`x11fwd doctor {target}` names the cause, `x11fwd setup {target}` cures it, "
    "`x11fwd ssh --via bridge {target}` goes without"
)
_NO_XAUTH = "there is no xauth on the server, so no window can open; `x11fwd setup {target}` installs it"
_KEY = "your key may not forward X11 on that server, so no window can open; see `x11fwd explain key-no-x11`"

MESSAGES = (
    # reasons that the server sends (`debug1: Remote: …`), the surest there are
    row(
        "Remote: X11 forwarding disabled by key options.",
        "Remote: X11 forwarding disabled in user configuration file.",
        ids={"key-no-x11": "the server says so itself: this key or certificate may not forward X11"},
        opening=True,
        session=_KEY,
    ),
    row(
        "Remote: No xauth program; cannot forward X11.",
        "Remote: No xauth program; cannot forward with spoofing.",
        ids={
            "remote-xauth-missing": "sshd has looked for xauth and found none",
            "sshd-xauthlocation": "or xauth is there, and sshd looks in another place",
        },
        opening=True,
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
        opening=True,
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=("remote software version {w}",),
        without=("remote software version openssh",),
        ids={"server-not-openssh": "the banner is not OpenSSH's, and such servers seldom know X11"},
        opening=True,
        session=_REQUEST_FAILED,
    ),
    row(
        *_REFUSED,
        along=_TOOLS,
        ids={"forwardx11-for-all-hosts": "a tool that needs no window asked for X11: `Host *` says so"},
        opening=True,
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
        opening=True,
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
        opening=True,
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
            "x11-request-refused": "doctor's own words for this line where no reason is found",
        },
        opening=True,
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
            "xquartz-missing": "on a Mac: there is no XQuartz",
        },
    ),
    row(
        "DISPLAY {x} invalid; disabling X11 forwarding",
        "Invalid character {x} in DISPLAY",
        "invalid, falling back to fake xauth data",
        ids={"local-display-bad-chars": "ssh takes only letters, digits and :/.-_ in DISPLAY"},
        opening=True,
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
        opening=True,
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
        opening=True,
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
        opening=True,
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
        opening=True,
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
        opening=True,
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
        opening=True,
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
    row(
        "key options:",
        without=("x11-forwarding", "X11 forwarding request failed", "key options: command"),
        weak=True,
        ids={"key-no-x11": "`x11-forwarding` is not among what this key may do"},
    ),
)
