"""What X servers and X programs on the desktop say; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

MESSAGES = (
    row(
        "Invalid MIT-MAGIC-COOKIE-1 key",
        along=("xvfb",),
        ids={
            "rig-xvfb-regeneration": "an Xvfb without -noreset forgets its cookies with its last client",
            "local-xauthority-wrong": "the cookie on this machine is not the X server's",
        },
    ),
    row(
        "xauth: (argv):{n}: unable to open display",
        ids={
            "local-display-dead": "xauth does not reach the X server of this machine",
            "untrusted-no-xauth-data": "so untrusted forwarding gets no cookie",
        },
    ),
    row(
        "couldn't query Security extension on display",
        ids={"untrusted-security-extension": "the X server knows no untrusted programs"},
    ),
    row(
        "Invalid MIT-MAGIC-COOKIE-1 key",
        ids={
            "local-xauthority-wrong": "the cookie on this machine is not the X server's",
            "xquartz-cookie-after-wake": "on a Mac after sleep: XQuartz and its file disagree",
            "local-xauth-missing-trusted": "ssh had no xauth and made a cookie up",
            "rig-xvfb-regeneration": "under test: Xvfb without -noreset",
        },
    ),
    row(
        "Authorization required, but no authorization protocol specified",
        "No protocol specified",
        ids={
            "xwayland-cookie-not-exported": "DISPLAY is set by hand and XAUTHORITY is not",
            "xwayland-no-cookie-file": "or the compositor wrote no cookie at all",
            "sendenv-display": "inside ssh: DISPLAY was sent along and is not the forwarded one",
            "local-xauthority-wrong": "XAUTHORITY names no file with a cookie for this display",
        },
    ),
    row(
        "_XSERVTransmkdir: ERROR: euid != 0",
        "Cannot establish any listening sockets",
        ids={"xquartz-background-item-off": "the helper that makes /tmp/.X11-unix is switched off"},
    ),
    row(
        "defaults write org.macosforge.xquartz",
        weak=True,
        ids={"xquartz-prefs-domain": "since 2.8 the settings are in org.xquartz.X11"},
    ),
    row(
        "org.macosforge.xquartz:",
        weak=True,
        ids={
            "xquartz-no-logout": "DISPLAY is that of an XQuartz before 2.8: log out and in",
            "xquartz-prefs-domain": "or a recipe for the old name",
        },
    ),
    row(
        "access control disabled",
        "xhost +",
        weak=True,
        ids={
            "local-access-control-off": "anybody who reaches this X server may use it",
            "xquartz-network-clients": "on a Mac: recipes for containers say so; ssh does not need it",
        },
    ),
    row(
        "No matching fbConfigs or visuals found",
        "failed to load driver: swrast",
        "(X_GLXCreateContext)",
        "failed request: {n} (GLX)",
        "GLXBadContext",
        "couldn't find RGB GLX visual",
        ids={
            "xquartz-indirect-glx": "indirect GL is off in today's X servers; matplotlib does not need it",
            "opengl-3d-forwarded": "3-D programs do not travel well through ssh",
        },
    ),
    row(
        "CreateProcessW failed error:2",
        "ssh_askpass: posix_spawn",
        ids={"windows-openssh-askpass": "an old OpenSSH of Windows looks for a graphical password prompt"},
    ),
    row(
        "MoTTY X11 proxy:",
        "PuTTY X11 proxy:",
        ids={
            "putty-proxy-auth": "PuTTY and MobaXterm check the cookie themselves: none or another one came",
            "sudo-loses-cookie": "mostly because of sudo",
            "container-cookie": "or a container",
        },
    ),
    row(
        "Maximum number of clients reached",
        ids={"x-server-client-limit": "the X server has as many programs as it takes"},
    ),
    row(
        "(MIT-SHM)",
        "BadShmSeg",
        "X_ShmAttach",
        ids={"mit-shm-in-container": "the program believes that it shares memory with the X server"},
    ),
    row(
        "BadAccess (attempt to access private resource denied)",
        "unable to get image at",
        "(X_ChangeProperty)",
        ids={
            "untrusted-app-denied": "an untrusted program may not touch clipboard, screen or other windows",
            "mit-shm-in-container": "in a container: shared memory that is not shared",
            "trust-modes": "what an untrusted program may do, and what a trusted one",
        },
    ),
    row(
        "RenderAddGlyphs",
        "BadLength (poly request too large",
        ids={"tk-emoji-crash": "Tk 8.6 dies of a colour emoji"},
    ),
    row(
        "broken (explicit kill or server shutdown)",
        "XIO: fatal IO error",
        "The X11 connection broke",
        ids={
            "laptop-sleep": "the ssh connection under the window went away",
            "x-server-died": "or the X server did",
        },
    ),
    row(
        "client_loop: send disconnect: Broken pipe",
        "packet_write_wait: Connection to {x}: Broken pipe",
        "Timeout, server {x} not responding",
        ids={"laptop-sleep": "the network went away under the connection"},
    ),
)
