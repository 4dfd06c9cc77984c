"""Every make of desktop, from its answers to the finding: a healthy one is clean, a broken one is named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.unit.facts.desktops import CAPTURES, Desktop, Server, facts_of
from tests.unit.facts.desktops_healthy import BY_NAME, HEALTHY, LAUNCHD, OFF, XWAYLAND
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.check import Seen
from x11fwd.checks.report import Side, Status
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.checks.report import Finding

FROZEN = Server(status=HandshakeStatus.TIMEOUT, reason="it took the connection and did not answer within 3 s")
SILENT = Server(status=HandshakeStatus.TIMEOUT, reason="no connection within 3 s")
REFUSED = Server(status=HandshakeStatus.CONNECTION_REFUSED, reason="Connection refused")
WRONG = Server(status=HandshakeStatus.WRONG_COOKIE, reason="Invalid MIT-MAGIC-COOKIE-1 key")
MAC = HEALTHY["macos-xquartz"]
GNOME = HEALTHY["gnome-wayland"]
KDE = HEALTHY["kde-wayland"]
WSLG = HEALTHY["wslg"]
WSL1 = HEALTHY["wsl1-vcxsrv"]
WINDOWS = HEALTHY["windows-vcxsrv"]
LIGHTDM = HEALTHY["xorg-lightdm"]
OLD = "/private/tmp/com.apple.launchd.ZvyC3RLZmH/org.macosforge.xquartz:0"


def without(desktop: Desktop, *names: str, **changes: object) -> Desktop:
    """A desktop without some variables."""
    kept = {name: value for name, value in desktop.environ.items() if name not in names}
    return Desktop(**{**desktop.__dict__, "environ": kept}).but(**changes)


@dataclass(frozen=True)
class Case:
    """A desktop, the finding that has to be the cause, its status, and words of it."""

    desktop: Desktop
    id: str
    status: Status
    says: str = ""


FAIL, WARN = Status.FAIL, Status.WARN
BROKEN: dict[str, Case] = {
    # macOS
    "F09 no XQuartz": Case(
        without(MAC, "DISPLAY", capture="macos-xquartz/local-missing.txt", servers={LAUNCHD: REFUSED}),
        "xquartz-missing",
        FAIL,
        "brew install --cask xquartz",
    ),
    "F10 installed and not logged out": Case(
        without(MAC, "DISPLAY", capture="macos-xquartz/local-no-logout.txt"),
        "xquartz-no-logout",
        FAIL,
        "launchctl getenv DISPLAY. is empty: launchd does not know org.xquartz.startx",
    ),
    "F10 XQuartz opened by hand meanwhile": Case(
        without(
            MAC,
            "DISPLAY",
            capture="macos-xquartz/local-no-logout.txt",
            sockets=("tmp/.X11-unix/X0",),
            servers={":0": Server()},
        ),
        "xquartz-no-logout",
        WARN,
        ":0 answers",
    ),
    "F10 DISPLAY of the version before": Case(
        MAC.but(capture="macos-xquartz/local-after-upgrade.txt", environ={"DISPLAY": OLD}),
        "xquartz-no-logout",
        FAIL,
        "org.macosforge.xquartz:0, which is not there",
    ),
    "F10 launchd's socket is gone": Case(
        MAC.but(
            replaced={
                "=display.socket\tyes": "=display.socket\tno",
                "=launchd.socket\tyes": "=launchd.socket\tno",
            },
            servers={LAUNCHD: REFUSED},
        ),
        "xquartz-no-logout",
        FAIL,
        "there is no such socket",
    ),
    "F11 DISPLAY=:0 in .zprofile, XQuartz not running": Case(
        MAC.but(environ={"DISPLAY": ":0"}, files={"{home}/.zprofile": "# MacPorts\nexport DISPLAY=:0\n"}),
        "xquartz-display-overridden",
        FAIL,
        r"/\.zprofile:2: DISPLAY=:0; `launchctl getenv DISPLAY` is /private/tmp",
    ),
    "F11 DISPLAY=:0 by hand, XQuartz running": Case(
        MAC.but(environ={"DISPLAY": ":0"}, servers={":0": Server()}),
        "xquartz-display-overridden",
        WARN,
        "will not start by itself",
    ),
    "F12 background item off": Case(
        MAC.but(capture="macos-xquartz/local-helper-off.txt", servers={LAUNCHD: FROZEN}),
        "xquartz-background-item-off",
        FAIL,
        r"/tmp/.X11-unix is missing; .*told not to start.*euid != 0,directory",
    ),
    "F13 launchd cannot start it": Case(
        MAC.but(capture="macos-xquartz/local-start-fails.txt", servers={LAUNCHD: REFUSED}),
        "xquartz-start-fails-other",
        FAIL,
        "Connection refused; .*org.xquartz.log: Unable to locate waiting server",
    ),
    "F13 launchd's hand-over hangs": Case(
        MAC.but(capture="macos-xquartz/local-start-fails.txt", servers={LAUNCHD: FROZEN}),
        "xquartz-start-fails-other",
        FAIL,
        "did not answer",
    ),
    "F14 XQuartz hangs": Case(
        MAC.but(servers={LAUNCHD: FROZEN}), "xquartz-xauth-hang", FAIL, "waits for it without a limit"
    ),
    "F14 any X server hangs": Case(LIGHTDM.but(servers={":0.0": FROZEN}), "xquartz-xauth-hang", FAIL),
    "F15 Apple's ssh_config is back": Case(
        MAC.but(capture="macos-xquartz/local-xauth-location.txt"),
        "xquartz-xauthlocation-lost",
        WARN,
        "xauthlocation /usr/X11R6/bin/xauth, which is not there; /opt/X11/bin/xauth is",
    ),
    "F16 cookie after sleep": Case(
        MAC.but(servers={LAUNCHD: WRONG}), "xquartz-cookie-after-wake", FAIL, "Invalid MIT-MAGIC"
    ),
    "F05 XAUTHORITY leads to an old cookie": Case(
        MAC.but(
            environ={"XAUTHORITY": "{home}/old"},
            cookies={"{home}/old": 0},
            servers={LAUNCHD: WRONG},
        ),
        "local-xauthority-wrong",
        FAIL,
        "/old",
    ),
    "F19 no_auth": Case(
        MAC.but(replaced={'"no_auth" = 0': '"no_auth" = 1'}),
        "xquartz-network-clients",
        WARN,
        "defaults write org.xquartz.X11 no_auth -bool false",
    ),
    "F17 old domain": Case(
        MAC.but(capture="macos-xquartz/local-old-domain.txt"),
        "xquartz-prefs-domain",
        WARN,
        "org.macosforge.xquartz.X11 enable_iglx = 1; org.xquartz.X11 has 0",
    ),
    "F19 network clients": Case(
        MAC.but(capture="macos-xquartz/local-network-clients.txt"),
        "xquartz-network-clients",
        WARN,
        "nolisten_tcp = 0",
    ),
    "F19 xhost +": Case(
        MAC.but(servers={LAUNCHD: Server(access=OFF)}), "xquartz-network-clients", WARN, "xhost -"
    ),
    # Linux
    "F01 no display at all": Case(
        Desktop(
            "xorg-lightdm/local-desktop.txt",
            replaced={"=session.environment\tDISPLAY=:0\n": ""},
            files={"usr/bin/xauth": ""},
        ),
        "local-display-unset",
        FAIL,
        "no X server runs",
    ),
    "F01 a text console": Case(
        Desktop(
            "xorg-lightdm/local-desktop.txt",
            environ={"XDG_SESSION_TYPE": "tty"},
            files={"usr/bin/xauth": ""},
            replaced={"=session.environment\tDISPLAY=:0\n": ""},
        ),
        "local-display-unset",
        FAIL,
        "text console",
    ),
    "F01 by ssh into a desktop": Case(
        without(LIGHTDM, "DISPLAY", environ={"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}),
        "local-display-unset",
        FAIL,
        ":0 of this machine's own screen",
    ),
    "F01 a shell that lost it": Case(
        without(LIGHTDM, "DISPLAY"), "local-display-unset", WARN, "x11fwd found :0"
    ),
    "F03 TCP": Case(
        LIGHTDM.but(environ={"DISPLAY": "localhost:0"}),
        "local-display-tcp-not-listening",
        FAIL,
        "export DISPLAY=:0",
    ),
    "F05 GDM's file is not in XAUTHORITY": Case(
        without(
            LIGHTDM, "XAUTHORITY", cookies={"run/user/{uid}/gdm/Xauthority": 0}, servers={":0.0": Server()}
        ),
        "local-xauthority-wrong",
        WARN,
        "export XAUTHORITY=.*/gdm/Xauthority",
    ),
    "F05 nowhere a cookie": Case(
        LIGHTDM.but(cookies={}, servers={":0.0": Server(owner=812)}),
        "local-xauthority-wrong",
        FAIL,
        "started with -auth /var/run/lightdm/root/:0",
    ),
    "F06 Xwayland is not installed": Case(
        without(
            HEALTHY["sway"],
            "DISPLAY",
            sockets=(),
            replaced={"=xwayland.path\t/usr/bin/Xwayland\n": "", "=session.environment\tDISPLAY=:0\n": ""},
        ),
        "wayland-no-xwayland",
        FAIL,
        "sudo dnf install xorg-x11-server-Xwayland",
    ),
    "F06 Xwayland is switched off": Case(
        without(
            HEALTHY["sway"],
            "DISPLAY",
            sockets=(),
            replaced={"=session.environment\tDISPLAY=:0\n": ""},
        ),
        "wayland-no-xwayland",
        FAIL,
        "xwayland enable",
    ),
    "F06 niri without satellite": Case(
        without(HEALTHY["niri-with-satellite"], "DISPLAY", sockets=()),
        "wayland-no-xwayland",
        FAIL,
        "xwayland-satellite",
    ),
    "F07 COSMIC lets nobody in": Case(
        HEALTHY["cosmic"].but(servers={":1": Server(extensions=XWAYLAND, owner=780)}),
        "xwayland-no-cookie-file",
        FAIL,
        "Authorization required.*Xwayland, process 797, has no -auth",
    ),
    "F08 GNOME's cookie is not known here": Case(
        without(GNOME, "XAUTHORITY", servers={":0": Server(extensions=XWAYLAND)}),
        "xwayland-cookie-not-exported",
        WARN,
        r"export XAUTHORITY=.*/\.mutter-Xwaylandauth\.4Q2ZB3",
    ),
    "F08 KDE's cookie is not known here": Case(
        without(KDE, "XAUTHORITY"), "xwayland-cookie-not-exported", WARN, "xauth_hCqoxl"
    ),
    "F08 a file that only the command line names": Case(
        without(
            KDE,
            "XAUTHORITY",
            cookies={"var/lib/odd/xauth": 1},
            processes={
                7: (
                    "kwin_wayland",
                    "kwin_wayland --xwayland-display :1 --xwayland-xauthority /var/lib/odd/xauth",
                )
            },
        ),
        "xwayland-cookie-not-exported",
        WARN,
        "var/lib/odd/xauth",
    ),
    "access control off": Case(
        LIGHTDM.but(servers={":0.0": Server(access=OFF)}), "local-access-control-off", WARN, "xhost -"
    ),
    "access control off by a start file": Case(
        LIGHTDM.but(servers={":0.0": Server(access=OFF)}, files={"{home}/.xprofile": "xhost +\n"}),
        "local-access-control-off",
        WARN,
        r"/\.xprofile:1: xhost \+",
    ),
    "access control off under Wayland": Case(
        GNOME.but(servers={":0": Server(extensions=XWAYLAND, access=OFF)}), "local-access-control-off", WARN
    ),
    "access control of VcXsrv off": Case(
        WINDOWS.but(servers={"127.0.0.1:0.0": Server("HC-Consult", cookie=False, access=OFF)}),
        "local-access-control-off",
        WARN,
        "who reaches its port",
    ),
    # WSL
    "F20 /tmp/.X11-unix is empty": Case(
        WSLG.but(links={}, folders=("tmp/.X11-unix",), servers={":0": REFUSED}),
        "wslg-socket-missing",
        FAIL,
        "sudo ln -sf /mnt/wslg/.X11-unix/X0",
    ),
    "F20 /tmp/.X11-unix is a link to nowhere": Case(
        Desktop(**{**WSLG.__dict__, "links": {"tmp/.X11-unix": "{root}/nowhere"}, "servers": {}}),
        "wslg-socket-missing",
        FAIL,
        "a link that leads nowhere",
    ),
    "F20 WSLg itself is gone": Case(
        Desktop(**{**WSLG.__dict__, "sockets": (), "folders": ("mnt/wslg/.X11-unix",), "servers": {}}),
        "wslg-socket-missing",
        FAIL,
        "wsl.exe --shutdown",
    ),
    "F22 the address of Windows, firewall": Case(
        WSLG.but(
            environ={"DISPLAY": "172.30.96.1:0.0"},
            files={"{home}/.bashrc": "export DISPLAY=$(ip route | awk '/default/ {print $3}'):0.0\n"},
            servers={"172.30.96.1:0.0": SILENT},
        ),
        "wsl2-display-points-at-windows",
        FAIL,
        r"firewall swallows it; .*/\.bashrc:1: DISPLAY=\$\(ip route",
    ),
    "F22 the address of Windows, nobody there": Case(
        Desktop(**{**WSLG.__dict__, "links": {}, "sockets": (), "servers": {}}).but(
            environ={"DISPLAY": "172.30.96.1:0.0"}
        ),
        "wsl2-display-points-at-windows",
        FAIL,
        "wsl.exe --update",
    ),
    "F23 wsl.exe ssh": Case(
        without(WSL1, "DISPLAY"), "wsl-exec-without-rc", FAIL, r"/\.bashrc:1: DISPLAY=localhost:0"
    ),
    "F01 WSL 2 without WSLg": Case(
        Desktop(
            "wslg/local-ubuntu.txt", environ={"WSL_DISTRO_NAME": "Ubuntu-22.04"}, files={"usr/bin/xauth": ""}
        ),
        "local-display-unset",
        FAIL,
        "wsl.exe --update",
    ),
    "F01 ChromeOS, sommelier has ended": Case(
        Desktop(
            "chromeos/local-crostini.txt",
            folders=("opt/google/cros-containers/bin",),
            files={"usr/bin/xauth": ""},
            replaced={"=session.environment\tDISPLAY=:0\n": ""},
        ),
        "local-display-unset",
        FAIL,
        "restart sommelier-x@0",
    ),
    "F02 libxcb reaches it, ssh does not": Case(
        WSL1.but(environ={"DISPLAY": ":0"}, servers={":0": Server("HC-Consult", cookie=False, tcp=True)}),
        "local-display-dead",
        FAIL,
        "export DISPLAY=localhost:0",
    ),
    # Windows
    "F01 Windows, nothing runs": Case(
        Desktop("windows", platform="win32"), "local-display-unset", FAIL, "start VcXsrv or X410"
    ),
    "F01 Windows, not set": Case(
        without(WINDOWS, "DISPLAY"), "local-display-unset", WARN, r"setx DISPLAY 127\.0\.0\.1:0\.0"
    ),
    "F24 an old ssh.exe": Case(
        WINDOWS.but(replaced={"9.5p1, LibreSSL 3.8.2": "8.1p1, LibreSSL 3.0.2"}),
        "windows-openssh-askpass",
        WARN,
        "OpenSSH_for_Windows_8.1",
    ),
    "F25 localhost": Case(
        WINDOWS.but(
            environ={"DISPLAY": "localhost:0.0"},
            servers={"localhost:0.0": Server("HC-Consult", cookie=False)},
        ),
        "windows-xauth-unix-name",
        WARN,
        r"setx DISPLAY 127\.0\.0\.1:0\.0",
    ),
    "F25 a path with a blank": Case(
        WINDOWS.but(replaced={"C:\\\\PROGRA~1\\\\VcXsrv": "C:\\\\Program Files\\\\VcXsrv"}),
        "windows-xauth-unix-name",
        WARN,
        "which has a blank",
    ),
    "F26 DISPLAY=:0, VcXsrv runs": Case(
        WINDOWS.but(environ={"DISPLAY": ":0"}), "windows-unix-socket", WARN, "x11fwd uses 127.0.0.1:0.0"
    ),
    "F26 DISPLAY=:0": Case(
        Desktop("windows", platform="win32", environ={"DISPLAY": ":0"}),
        "windows-unix-socket",
        FAIL,
        "No such file or directory",
    ),
}
NOTES = {
    "F07 sway": ("sway", "xwayland-no-cookie-file", "harmless"),
    "F18 indirect GLX": ("macos-xquartz", "xquartz-indirect-glx", "no indirect GLX"),
    "F21 WSLg": ("wslg", "wslg-no-cookie", "asks for no cookie"),
}


def found_on(desktop: Desktop, base: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    return diagnose(Seen(facts_of(desktop, base, monkeypatch)))


def severe(findings: tuple[Finding, ...]) -> list[str]:
    return [
        f"{one.status.value} {one.id}: {one.title} | {one.evidence}"
        for one in findings
        if one.status in {FAIL, WARN} and one.cause is None
    ]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_desktop_has_no_warning(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = found_on(HEALTHY[name], tmp_path, monkeypatch)
    assert severe(findings) == []
    crashed = [one.evidence for one in findings if "itself failed" in one.title]
    assert crashed == []
    assert [one.id for one in findings if one.status is Status.UNKNOWN and one.side is Side.LOCAL] == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_desktop_has_just_its_cause(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = BROKEN[name]
    findings = found_on(case.desktop, tmp_path, monkeypatch)
    assert root_cause(findings) == case.id, severe(findings)
    assert len(severe(findings)) == 1, severe(findings)
    one = next(finding for finding in findings if finding.id == case.id)
    assert one.status is case.status
    text = "\n".join((one.title, one.evidence, one.fix.command if one.fix else ""))
    assert re.search(case.says, text), text


@pytest.mark.parametrize("name", NOTES)
def test_what_is_harmless_is_said_and_does_not_warn(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop, check, words = NOTES[name]
    findings = found_on(HEALTHY[desktop], tmp_path, monkeypatch)
    one = next(finding for finding in findings if finding.id == check)
    assert one.status is Status.PASS
    assert words in one.title


def test_no_advice_opens_the_x_server_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, case in enumerate(BROKEN.values()):
        base = tmp_path / str(number)
        base.mkdir()
        for one in found_on(case.desktop, base, monkeypatch):
            command = one.fix.command if one.fix else ""
            assert not re.search(r"xhost \+|chmod 777|X11UseLocalhost no|ForwardX11 yes", command), one


def test_a_mac_whose_probe_failed_is_not_said_to_lack_xquartz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = without(MAC, "DISPLAY", replaced={".NONCE": "cut"}, servers={LAUNCHD: REFUSED})
    findings = found_on(desktop, tmp_path, monkeypatch)
    assert not [one.id for one in findings if one.id.startswith("xquartz-") and one.status is FAIL]


def test_every_folder_of_captures_names_its_source() -> None:
    used = {one.capture.partition("/")[0] for one in HEALTHY.values()}
    for folder in used:
        assert (CAPTURES / folder / "SOURCE.md").read_text(encoding="utf-8").strip(), folder


def test_a_name_in_the_servers_list_needs_no_cookie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = without(GNOME, "XAUTHORITY", servers={":0": Server(extensions=XWAYLAND, access=BY_NAME)})
    assert severe(found_on(desktop, tmp_path, monkeypatch)) == []
