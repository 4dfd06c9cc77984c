"""Rows of the truth table about the X server on the desktop."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Desk, Fault, Stage
from tests.lab.runs import current_run
from tests.lab.screen import FAMILY_WILD, authority_entry, free_numbers

if TYPE_CHECKING:
    from typing import TextIO

    from tests.hosts.truth.rig import Scene

NOWHERE = ":77"  # no test's Xvfb gets that far
METHOD = b"MIT-MAGIC-COOKIE-1"
WSL = {"WSL_DISTRO_NAME": "Ubuntu-22.04"}


def number(scene: Scene) -> str:
    assert scene.screen
    return scene.screen.display[1:]


# --- the X server itself


def freeze(scene: Scene) -> None:
    assert scene.screen
    scene.screen.freeze()


def thaw(scene: Scene) -> None:
    assert scene.screen
    scene.screen.thaw()


class Program:
    """A connection to an X server, spoken by hand (X protocol, chapters 8 and 9)."""

    def __init__(self, display: str, cookie: bytes = b"") -> None:
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(90)
        self.link.connect(f"/tmp/.X11-unix/X{display.removeprefix(':')}")
        name = METHOD if cookie else b""
        head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
        self.link.sendall(head + name + b"\0" * (-len(name) % 4) + cookie)
        self.accepted = self.link.recv(8)[:1] == b"\1"

    def send(self, opcode: int, detail: int = 0, body: bytes = b"") -> None:
        """A request that has no reply, and GetInputFocus to see it done."""
        self.link.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)
        self.link.sendall(struct.pack("<BBH", 43, 0, 1))
        data = b""
        while len(data) < 32 or data[-32:-31] != b"\1":
            data += self.link.recv(65536)

    def close(self) -> None:
        self.link.close()


def set_access_control(scene: Scene, *, on: bool) -> None:
    """What `xhost -` and `xhost +` do: SetAccessControl."""
    assert scene.screen
    program = Program(scene.screen.display, bytes.fromhex(scene.screen.cookie))
    program.send(111, int(on))
    program.close()


def open_access(scene: Scene) -> None:
    set_access_control(scene, on=False)


def close_access(scene: Scene) -> None:
    set_access_control(scene, on=True)


def fill(scene: Scene) -> None:
    """Programs until the X server takes no more."""
    assert scene.screen
    for _ in range(300):
        program = Program(scene.screen.display, bytes.fromhex(scene.screen.cookie))
        if not program.accepted:
            program.close()
            return
        scene.keeping.callback(program.close)
    raise AssertionError("the X server takes any number of programs")


def empty(scene: Scene) -> None:
    scene.keeping.pop_all().close()


def xwayland(scene: Scene, *options: str) -> str:
    """A second X server without a cookie, of the name Xwayland: what wlroots, COSMIC and WSLg run."""
    folder = current_run().claim("xwayland")
    (folder / "Xwayland").symlink_to(str(shutil.which("Xvfb")))
    for number, lock in free_numbers():
        reading, writing = os.pipe()
        words = [str(folder / "Xwayland"), f":{number}", "-displayfd", str(writing), "-noreset"]
        process = subprocess.Popen(
            [*words, "-nolisten", "tcp", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            start_new_session=True,
        )
        current_run().record(process.pid)
        os.close(writing)

        def stop(process: subprocess.Popen[bytes] = process, lock: TextIO = lock) -> None:
            process.terminate()
            process.wait(timeout=90)
            lock.close()

        with os.fdopen(reading, "rb") as pipe:
            if pipe.readline():
                scene.keeping.callback(stop)
                return f":{number}"
        stop()  # somebody else's screen has the number
    raise AssertionError("no display number is free")


def xwayland_without_cookie(scene: Scene) -> None:
    scene.env["DISPLAY"] = xwayland(scene)


def started_open(scene: Scene) -> None:
    scene.env["DISPLAY"] = xwayland(scene, "-ac")


def xwayland_that_lets_nobody_in(scene: Scene) -> None:
    display = xwayland(scene)
    program = Program(display)
    program.send(109, 1, struct.pack("<BxH", 252, 0))  # ChangeHosts, delete, FamilyLocalHost: xhost -local:
    program.close()
    scene.env["DISPLAY"] = display


# --- DISPLAY


def display_lost(scene: Scene) -> None:
    scene.env["DISPLAY"] = ""


def nobody_lets_us_in(scene: Scene) -> None:
    """No X server of this machine is to be seen. None is killed: its number would be another's."""
    scene.person.lab.see_no_screens()
    scene.person.remove(".Xauthority")
    scene.env["DISPLAY"] = ""


def no_xwayland(scene: Scene) -> None:
    nobody_lets_us_in(scene)
    scene.env.update({"WAYLAND_DISPLAY": "wayland-1", "XDG_CURRENT_DESKTOP": "sway"})


def dead(scene: Scene) -> None:
    scene.env["DISPLAY"] = NOWHERE


def dead_by_start_file(scene: Scene) -> None:
    dead(scene)
    scene.person.write(".profile", f"# for the container\nexport DISPLAY={NOWHERE}\n")


def left_over(scene: Scene) -> None:
    """The socket of a server that was killed: nobody listens on it."""
    path = Path(f"/tmp/.X11-unix/X9{number(scene)}{os.getpid() % 1000:03}")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    path.chmod(0o777)
    scene.keeping.callback(path.unlink)
    scene.env["DISPLAY"] = f":{path.name[1:]}"


def over_tcp(scene: Scene) -> None:
    scene.env["DISPLAY"] = f"localhost:{number(scene)}"


def bad_characters(scene: Scene) -> None:
    scene.env["DISPLAY"] = f"[::1]:{number(scene)}"


# --- cookies


def no_authority(scene: Scene) -> None:
    scene.env["XAUTHORITY"] = "/nonexistent"


def stale_cookie(scene: Scene) -> None:
    entry = authority_entry(FAMILY_WILD, b"", number(scene), METHOD, bytes(16))
    scene.person.write(".Xauthority", entry)


def hide_cookie(scene: Scene, name: str) -> None:
    """The cookie lies in the session's own folder, as desktops keep it, and nobody says so."""
    uid = scene.person.lab.uid
    folder = Path(f"/run/user/{uid}")
    made = folder.parent if not folder.parent.exists() else folder
    folder.mkdir(parents=True)
    scene.keeping.callback(shutil.rmtree, made, ignore_errors=True)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(scene.person.path(".Xauthority").read_bytes())
    path.chmod(0o600)
    for one in {folder, path.parent, path}:
        os.chown(one, uid, uid)
    folder.chmod(0o700)
    scene.person.remove(".Xauthority")


def cookie_of_mutter(scene: Scene) -> None:
    hide_cookie(scene, ".mutter-Xwaylandauth.4Q2ZB3")


def cookie_of_gdm(scene: Scene) -> None:
    hide_cookie(scene, "gdm/Xauthority")


def cookie_of_mutter_and_an_old_one(scene: Scene) -> None:
    """~/.Xauthority has the cookie of yesterday's session on Xorg, of the same number."""
    cookie_of_mutter(scene)
    stale_cookie(scene)


def bring_cookie_back(scene: Scene) -> None:
    with contextlib.suppress(FileNotFoundError):
        scene.keeping.pop_all().close()
    scene.restore()


def readable(scene: Scene) -> None:
    """The recipe `chmod a+r ~/.Xauthority` for containers, and a home that others may enter."""
    for name in ("", ".Xauthority"):
        path = scene.person.path(name)
        path.chmod(path.stat().st_mode | (0o011 if path.is_dir() else 0o044))


def private(scene: Scene) -> None:
    scene.person.path(".Xauthority").chmod(0o600)
    scene.person.path("").chmod(0o700)


# --- ssh's own


def xauth_location_lost(scene: Scene) -> None:
    scene.person.config("XAuthLocation /usr/X11R6/bin/xauth")


def xauth_location_lost_for_plain_ssh(scene: Scene) -> None:
    scene.person.config("XAuthLocation /usr/X11R6/bin/xauth\nForwardX11 yes\nForwardX11Trusted yes")


# --- WSL, played


def wslg_is_gone(scene: Scene) -> None:
    scene.person.lab.show("/mnt/wslg/.X11-unix", folder=True)
    scene.env.update({**WSL, "DISPLAY": NOWHERE})


def wslg_link_is_lost(scene: Scene) -> None:
    place = f"/mnt/wslg/.X11-unix/X{NOWHERE[1:]}"
    scene.person.lab.show(place)
    scene.person.lab.bind(Path(f"/tmp/.X11-unix/X{number(scene)}"), place)
    scene.env.update({**WSL, "DISPLAY": NOWHERE})


def wslg(scene: Scene) -> None:
    scene.person.lab.show("/mnt/wslg/.X11-unix", folder=True)
    scene.env.update({**WSL, "DISPLAY": xwayland(scene, "-ac")})


def address_of_windows(scene: Scene) -> None:
    scene.person.write(".bashrc", "# before WSLg\nexport DISPLAY=127.0.0.53:77\n")
    scene.env.update({**WSL, "DISPLAY": "127.0.0.53:77"})


def no_start_file_read(scene: Scene) -> None:
    scene.person.write(".bashrc", f"export DISPLAY=:{number(scene)}\n")
    scene.env.update({**WSL, "DISPLAY": ""})


FAULTS: tuple[Fault, ...] = (
    Fault("local-display-unset", "F01", display_lost, status="warn", says=r"x11fwd found :\d+"),
    Fault(
        "local-display-unset",
        "F01",
        nobody_lets_us_in,
        case="none-of-ours",
        status="fail",
        says="no X server runs on this machine",
    ),
    Fault(
        "local-display-dead", "F02", dead, status="fail", says="/tmp/.X11-unix/X77: No such file", pairs=True
    ),
    Fault("local-display-dead", "F02", left_over, case="left-over", status="fail", says="Connection refused"),
    Fault(
        "local-display-dead",
        "F02",
        dead_by_start_file,
        case="start-file",
        status="fail",
        says=r"No such file or directory; .*/\.profile:2: DISPLAY=:77",
    ),
    Fault(
        "local-display-tcp-not-listening",
        "F03",
        over_tcp,
        status="fail",
        says=r"localhost port 60\d+: Connection refused; :\d+ is there",
        pairs=True,
    ),
    Fault("local-display-bad-chars", "F04", bad_characters, status="warn", says=r"DISPLAY=\[::1\]:\d+"),
    Fault(
        "local-xauthority-wrong",
        "F05",
        no_authority,
        status="fail",
        says=r"/nonexistent \(\$XAUTHORITY\) has no cookie(.|\n)*Authorization required",
        pairs=True,
    ),
    Fault(
        "local-xauthority-wrong",
        "F05",
        stale_cookie,
        case="stale",
        status="fail",
        says="does not know(.|\n)*Invalid MIT-MAGIC-COOKIE-1 key",
    ),
    Fault(
        "local-xauthority-wrong",
        "F05",
        cookie_of_gdm,
        bring_cookie_back,
        case="elsewhere",
        status="warn",
        says=r"export XAUTHORITY=/run/user/\d+/gdm/Xauthority",
    ),
    Fault("wayland-no-xwayland", "F06", no_xwayland, status="fail", says="WAYLAND_DISPLAY is set"),
    Fault(
        "xwayland-no-cookie-file",
        "F07",
        xwayland_without_cookie,
        kind="note",
        case="lets-us-in",
        says=r"Xwayland, process \d+, has no -auth",
    ),
    Fault(
        "xwayland-no-cookie-file",
        "F07",
        xwayland_that_lets_nobody_in,
        status="fail",
        says=r"Authorization required.*Xwayland, process \d+, has no -auth",
    ),
    Fault(
        "xwayland-cookie-not-exported",
        "F08",
        cookie_of_mutter,
        bring_cookie_back,
        status="warn",
        says=r"export XAUTHORITY=/run/user/\d+/\.mutter-Xwaylandauth\.4Q2ZB3",
    ),
    Fault(
        "xwayland-cookie-not-exported",
        "F08",
        cookie_of_mutter_and_an_old_one,
        bring_cookie_back,
        case="old-cookie",
        status="warn",
        says=r"\.mutter-Xwaylandauth\.4Q2ZB3",
    ),
    Fault(
        "xquartz-xauth-hang",
        "F14",
        freeze,
        thaw,
        status="fail",
        says=r"took the connection.*process \d+ \(Xvfb\)",
    ),
    Fault(
        "xquartz-xauthlocation-lost",
        "F15",
        xauth_location_lost,
        status="warn",
        says=r"/\.ssh/config:\d+ says XAuthLocation /usr/X11R6/bin/xauth, which is not there; /usr/bin",
    ),
    Fault(
        "xquartz-xauthlocation-lost",
        "F15",
        xauth_location_lost_for_plain_ssh,
        case="wanted",
        status="fail",
        says="which is not there; /usr/bin/xauth is",
    ),
    Fault(
        "wslg-socket-missing",
        "F20",
        wslg_link_is_lost,
        status="fail",
        says=r"sudo ln -sf /mnt/wslg/\.X11-unix/X77 /tmp/\.X11-unix/X77",
    ),
    Fault(
        "wslg-socket-missing",
        "F20",
        wslg_is_gone,
        case="server-gone",
        status="fail",
        says="wsl.exe --shutdown",
    ),
    Fault("wslg-no-cookie", "F21", wslg, kind="note", says="WSLg asks for no cookie"),
    Fault(
        "wsl2-display-points-at-windows",
        "F22",
        address_of_windows,
        status="fail",
        says=r"nobody listens; .*/\.bashrc:2: DISPLAY=127\.0\.0\.53:77",
    ),
    Fault("wsl-exec-without-rc", "F23", no_start_file_read, status="warn", says=r"/\.bashrc:1: DISPLAY=:\d+"),
    Fault(
        "x-server-client-limit",
        "F28",
        fill,
        empty,
        stage=Stage(desk=Desk(options=("-maxclients", "64"))),
        status="fail",
        says="Maximum number of clients reached",
    ),
    Fault("local-access-control-off", "", open_access, close_access, status="warn", says="xhost -"),
    Fault(
        "local-access-control-off",
        "",
        started_open,
        case="ac",
        status="warn",
        says=r"process \d+, Xwayland, was started with -ac",
    ),
    Fault("xauthority-readable-by-others", "", readable, private, status="warn", says=r"mode is 644"),
)
