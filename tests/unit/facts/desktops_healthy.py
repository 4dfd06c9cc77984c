"""A healthy desktop of each make, for the tests of its checks; the sources stand beside the captures."""

from __future__ import annotations

from tests.unit.facts.desktops import USER, Desktop, Server
from x11fwd.x11.requests import AccessControl

__all__ = ["HEALTHY", "LAUNCHD"]

LAUNCHD = "/private/tmp/com.apple.launchd.UFeDJu0S1Q/org.xquartz:0"
BY_NAME = AccessControl(enabled=True, hosts=(f"SI:localuser:{USER}",))
OFF = AccessControl(enabled=False)
WAYLAND = {"XDG_SESSION_TYPE": "wayland", "XDG_RUNTIME_DIR": "/run/user/{uid}"}
XWAYLAND = ("XWAYLAND",)
HOME_COOKIE = "{home}/.Xauthority"

HEALTHY: dict[str, Desktop] = {
    "macos-xquartz": Desktop(
        "macos-xquartz/local-healthy.txt",
        platform="darwin",
        environ={"DISPLAY": LAUNCHD, "SHELL": "/bin/zsh"},
        files={"opt/X11/bin/xauth": ""},
        cookies={HOME_COOKIE: 0},
        servers={LAUNCHD: Server()},
    ),
    "gnome-wayland": Desktop(
        "gnome/local-wayland.txt",
        environ={
            **WAYLAND,
            "DISPLAY": ":0",
            "WAYLAND_DISPLAY": "wayland-0",
            "XDG_CURRENT_DESKTOP": "GNOME",
            "XAUTHORITY": "{root}/run/user/{uid}/.mutter-Xwaylandauth.4Q2ZB3",
        },
        sockets=("tmp/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        cookies={"run/user/{uid}/.mutter-Xwaylandauth.4Q2ZB3": 0},
        processes={
            2101: ("gnome-shell", "/usr/bin/gnome-shell"),
            2290: (
                "Xwayland",
                (
                    "/usr/bin/Xwayland :0 -rootless -noreset -accessx -core "
                    "-auth /run/user/{uid}/.mutter-Xwaylandauth.4Q2ZB3 "
                    "-listenfd 4 -listenfd 5 -displayfd 6 -initfd 7"
                ),
            ),
        },
        servers={":0": Server(extensions=XWAYLAND, access=BY_NAME, owner=2101)},
    ),
    "kde-wayland": Desktop(
        "kde/local-wayland.txt",
        environ={
            **WAYLAND,
            "DISPLAY": ":1",
            "WAYLAND_DISPLAY": "wayland-0",
            "XDG_CURRENT_DESKTOP": "KDE",
            "XAUTHORITY": "{root}/run/user/{uid}/xauth_hCqoxl",
        },
        sockets=("tmp/.X11-unix/X1",),
        files={"usr/bin/xauth": ""},
        cookies={"run/user/{uid}/xauth_hCqoxl": 1},
        processes={
            2538: ("kwin_wayland_wr", "/usr/bin/kwin_wayland_wrapper --xwayland"),
            2549: (
                "kwin_wayland",
                (
                    "/usr/bin/kwin_wayland --wayland-fd 7 --socket wayland-0 --xwayland-fd 8 --xwayland-fd 9 "
                    "--xwayland-display :1 --xwayland-xauthority /run/user/{uid}/xauth_hCqoxl --xwayland"
                ),
            ),
            2600: (
                "Xwayland",
                "/usr/bin/Xwayland :1 -rootless -listenfd 55 -listenfd 56 -displayfd 47 -wm 52",
            ),
        },
        servers={":1": Server(extensions=XWAYLAND, owner=2538)},
    ),
    "kde-xorg": Desktop(
        "kde/local-xorg.txt",
        environ={
            "DISPLAY": ":0",
            "XDG_SESSION_TYPE": "x11",
            "XDG_CURRENT_DESKTOP": "KDE",
            "XAUTHORITY": "{root}/tmp/xauth_ppQdJS",
        },
        sockets=("tmp/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        cookies={"tmp/xauth_ppQdJS": 0},
        processes={
            901: (
                "Xorg.bin",
                "/usr/bin/Xorg.bin -nolisten tcp -auth /run/sddm/xauth_wOrgZt -noreset -displayfd 16",
            )
        },
        servers={":0": Server(access=BY_NAME, owner=901)},
    ),
    "sway": Desktop(
        "sway/local-wayland.txt",
        environ={
            **WAYLAND,
            "DISPLAY": ":0",
            "WAYLAND_DISPLAY": "wayland-1",
            "XDG_CURRENT_DESKTOP": "sway",
            "SWAYSOCK": "/run/user/{uid}/sway-ipc.{uid}.1201.sock",
        },
        sockets=("tmp/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        processes={
            1201: ("sway", "sway"),
            1230: (
                "Xwayland",
                "/usr/bin/Xwayland :0 -rootless -core -terminate 10 -listenfd 29 -listenfd 30 -wm 91",
            ),
        },
        servers={":0": Server(extensions=XWAYLAND, cookie=False, access=BY_NAME, owner=1201)},
    ),
    "cosmic": Desktop(
        "cosmic/local-wayland.txt",
        environ={
            **WAYLAND,
            "DISPLAY": ":1",
            "WAYLAND_DISPLAY": "wayland-1",
            "XDG_CURRENT_DESKTOP": "COSMIC",
        },
        sockets=("tmp/.X11-unix/X1",),
        files={"usr/bin/xauth": ""},
        processes={
            780: ("cosmic-comp", "cosmic-comp"),
            797: (
                "Xwayland",
                "Xwayland :1 -verbose -rootless -terminate -wm 67 -displayfd 74 -listenfd 71 -listenfd 72",
            ),
        },
        servers={":1": Server(extensions=XWAYLAND, cookie=False, access=BY_NAME, owner=780)},
    ),
    "niri-with-satellite": Desktop(
        "niri/local-wayland.txt",
        environ={**WAYLAND, "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-1", "XDG_CURRENT_DESKTOP": "niri"},
        sockets=("tmp/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        processes={
            1300: ("xwayland-satell", "xwayland-satellite :0"),
            1310: (
                "Xwayland",
                "Xwayland :0 -rootless -force-xrandr-emulation -wm 12 -displayfd 13 -listenfd 14",
            ),
        },
        servers={":0": Server(extensions=XWAYLAND, cookie=False, access=BY_NAME, owner=1300)},
    ),
    "xorg-lightdm": Desktop(
        "xorg-lightdm/local-desktop.txt",
        environ={
            "DISPLAY": ":0.0",
            "XDG_SESSION_TYPE": "x11",
            "XDG_CURRENT_DESKTOP": "XFCE",
            "XAUTHORITY": HOME_COOKIE,
        },
        sockets=("tmp/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        cookies={HOME_COOKIE: 0},
        processes={
            812: (
                "Xorg",
                "/usr/lib/xorg/Xorg :0 -seat seat0 -auth /var/run/lightdm/root/:0 -nolisten tcp vt7",
            )
        },
        servers={":0.0": Server(access=BY_NAME, owner=812), ":0": Server(access=BY_NAME, owner=812)},
    ),
    "wslg": Desktop(
        "wslg/local-ubuntu.txt",
        environ={"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "WSL_DISTRO_NAME": "Ubuntu-22.04"},
        sockets=("mnt/wslg/.X11-unix/X0",),
        files={"usr/bin/xauth": ""},
        links={"tmp/.X11-unix": "{root}/mnt/wslg/.X11-unix"},
        servers={":0": Server(extensions=XWAYLAND, cookie=False, access=OFF)},
    ),
    "wsl1-vcxsrv": Desktop(
        "wsl1/local-ubuntu.txt",
        environ={"DISPLAY": "localhost:0", "WSL_DISTRO_NAME": "Ubuntu-20.04"},
        files={"usr/bin/xauth": "", "{home}/.bashrc": "export DISPLAY=localhost:0\n"},
        servers={"localhost:0": Server("HC-Consult", cookie=False)},
    ),
    "windows-vcxsrv": Desktop(
        "windows",
        platform="win32",
        environ={"DISPLAY": "127.0.0.1:0.0"},
        servers={"127.0.0.1:0.0": Server("HC-Consult", cookie=False)},
    ),
    "windows-x410": Desktop(
        "windows",
        platform="win32",
        environ={"DISPLAY": "127.0.0.1:0.0"},
        replaced={"xauthlocation C:\\\\PROGRA~1\\\\VcXsrv\\\\xauth.exe\n": ""},
        servers={"127.0.0.1:0.0": Server("Choung Networks", cookie=False, access=OFF)},
    ),
    "chromeos": Desktop(
        "chromeos/local-crostini.txt",
        environ={
            "DISPLAY": ":0",
            "DISPLAY_LOW_DENSITY": ":1",
            "WAYLAND_DISPLAY": "wayland-0",
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "X-Generic",
        },
        sockets=("tmp/.X11-unix/X0",),
        folders=("opt/google/cros-containers/bin",),
        files={"usr/bin/xauth": ""},
        cookies={HOME_COOKIE: 0},
        processes={
            320: (
                "ld-linux-x86-64",
                "/opt/google/cros-containers/bin/../lib/ld-linux-x86-64.so.2 sommelier.elf -X",
            ),
            323: (
                "ld-linux-x86-64",
                (
                    "/opt/google/cros-containers/bin/../lib/ld-linux-x86-64.so.2 --library-path "
                    "/opt/google/cros-containers/bin/../lib --inhibit-rpath  "
                    "/opt/google/cros-containers/bin/Xwayland.elf :0 -nolisten tcp -rootless -wm 24 "
                    "-auth {home}/.Xauthority"
                ),
            ),
        },
        servers={":0": Server(extensions=XWAYLAND, owner=320)},
    ),
}
