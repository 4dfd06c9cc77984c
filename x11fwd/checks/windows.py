"""WSL, WSLg and Windows' own ssh, F20 to F26 of the catalogue; for the table alone."""

from __future__ import annotations

import re

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip
from x11fwd.checks.local_words import answered, desktop, line_that_sets, set_display
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import LocalFacts, known
from x11fwd.x11.client import HandshakeStatus
from x11fwd.x11.display import MalformedDisplayError, parse_display

_VERSION = re.compile(r"OpenSSH_for_Windows_(\d+)\.(\d+)")
_ASKPASS_FIXED = (8, 6)  # PowerShell/openssh-portable#506, in V8.6.0.0p1 of May 2021


def _windows(local: LocalFacts) -> bool:
    return local.system.kernel == "Windows"


def wslg_socket_missing(seen: Seen) -> Verdict:
    """F20: /tmp/.X11-unix no longer leads to WSLg's socket."""
    local, wsl, shake = seen.local, desktop(seen.local).wsl, seen.local.handshake
    if wsl is None or not wsl.wslg:
        return skip("this is not WSLg")
    lost = {HandshakeStatus.NO_SOCKET, HandshakeStatus.CONNECTION_REFUSED}
    named = local.display or ":0"
    broken = shake is not None and shake.status in lost and named.startswith((":", "unix:"))
    if not broken and not (shake is None and not wsl.wslg_socket and not local.display):
        return fine("WSLg's socket is where X programs look for it")
    name = f"X{wsl.number}"
    if wsl.wslg_socket:
        what = {"loop": "is a link that leads nowhere", "none": "is missing", "other": "is no socket"}
        state = what.get(wsl.tmp_socket, "does not answer")
        link = f"sudo ln -sf /mnt/wslg/.X11-unix/{name} /tmp/.X11-unix/{name}"
        return bad(
            f"WSLg's socket is there, and /tmp/.X11-unix/{name} does not lead to it",
            f"/mnt/wslg/.X11-unix/{name} is a socket, /tmp/.X11-unix/{name} {state}",
            Fix(link, FixBy.YOU),
        )
    return bad(
        "WSLg's own X server does not run; shut WSL down and open it again",
        f"/mnt/wslg is there, /mnt/wslg/.X11-unix/{name} is not",
        Fix("wsl.exe --shutdown", FixBy.YOU),
    )


def wslg_no_cookie(seen: Seen) -> Verdict:
    """F21: WSLg's X server has no access control and writes no authority file."""
    local, shake = seen.local, seen.local.handshake
    if known(local.server_kind) != "wslg" or shake is None or not shake.ok:
        return skip("this is not WSLg")
    if local.has_cookie is not False:
        return fine("WSLg's display has a cookie")
    return fine(
        "WSLg asks for no cookie; ssh's warning «No xauth data» is harmless", "ssh -Y and x11fwd ssh work"
    )


def points_at_windows(seen: Seen) -> Verdict:
    """F22: a DISPLAY from before WSLg: the address of Windows, where a firewall or nobody answers."""
    local, wsl, shake = seen.local, desktop(seen.local).wsl, seen.local.handshake
    if wsl is None or wsl.version == 1 or not local.display:
        return skip("this is not WSL 2, or DISPLAY is not set")
    try:
        name = parse_display(local.display)
    except MalformedDisplayError:
        return skip("DISPLAY is malformed")
    if name.is_unix or shake is None:
        return fine("DISPLAY does not point at Windows")
    silent = {HandshakeStatus.TIMEOUT, HandshakeStatus.CONNECTION_REFUSED, HandshakeStatus.UNREACHABLE}
    if shake.status not in silent or shake.address is not None:
        return fine(f"the X server at {local.display} answers")
    why = "Windows' firewall swallows it" if shake.status is HandshakeStatus.TIMEOUT else "nobody listens"
    line = line_that_sets(local, "DISPLAY")
    said = f"{answered(shake)}: {why}" + (f"; {line}" if line else "")
    title = f"DISPLAY={local.display} asks for an X server of Windows, as before WSLg, and none answers"
    if wsl.wslg_socket:
        return bad(f"{title}; WSLg's own is :{wsl.number}", said, set_display(local, f":{wsl.number}"))
    return bad(f"{title}; `wsl --update` brings one that needs no such setting", said, _update())


def _update() -> Fix:
    return Fix("wsl.exe --update", FixBy.YOU)


def exec_without_rc(seen: Seen) -> Verdict:
    """F23: `wsl.exe ssh …` reads no start file, and DISPLAY is set in one."""
    local = seen.local
    if desktop(local).wsl is None or local.display:
        return skip("this is not WSL, or DISPLAY is set")
    line = line_that_sets(local, "DISPLAY")
    if line is None or local.environment.get("SSH_CONNECTION"):
        return fine("no start file sets DISPLAY")
    title = "DISPLAY is set in a start file that this program's shell did not read (`wsl.exe command`)"
    fix = Fix("wsl.exe -- bash -ic 'ssh -Y HOST'", FixBy.YOU)
    if local.display_used:
        return odd(f"{title}; x11fwd found {local.display_used} and uses it", line, fix)
    return bad(title, line, fix)


def openssh_askpass(seen: Seen) -> Verdict:
    """F24: an older ssh.exe takes a set DISPLAY for a desktop with an askpass program, and cannot log in."""
    local = seen.local
    if not _windows(local):
        return skip("this is not Windows")
    match = _VERSION.match(known(local.ssh_version) or "")
    if match is None:
        return skip("ssh is not the one of Windows")
    version = (int(match[1]), int(match[2]))
    if version >= _ASKPASS_FIXED or not local.display:
        return fine("ssh asks for passwords although DISPLAY is set", match[0])
    return odd(
        "this ssh.exe cannot ask for a password or a host key while DISPLAY is set",
        f"{match[0]}; 8.6 and later can (`ssh_askpass: posix_spawn: No such file or directory`)",
        Fix("winget install Microsoft.OpenSSH.Beta", FixBy.YOU),
    )


def xauth_unix_name(seen: Seen) -> Verdict:
    """F25: ssh asks xauth for `unix:0` where DISPLAY says localhost, which xauth.exe does not know."""
    local = seen.local
    if not _windows(local) or not local.display:
        return skip("this is not Windows, or DISPLAY is not set")
    location = local.xauth_location or ""
    if " " in location:
        return odd(
            "ssh.exe does not quote the path of xauth.exe, which has a blank",
            f"`ssh -G`: xauthlocation {location}",
            Fix(f'for %I in ("{location}") do @echo XAuthLocation %~sI', FixBy.YOU),
        )
    if not local.display.startswith("localhost:"):
        return fine("ssh asks xauth for the display by its address", local.display)
    better = "127.0.0.1:" + local.display.partition(":")[2]
    return odd(
        f"with DISPLAY={local.display}, `ssh -X` asks xauth.exe for unix:…, which it does not know",
        "clientloop.c rewrites localhost: to unix:; `xauth key data not generated`",
        set_display(local, better),
    )


def unix_socket(seen: Seen) -> Verdict:
    """F26: DISPLAY=:0 asks ssh.exe for a Unix socket; X servers on Windows listen on TCP only."""
    local = seen.local
    if not _windows(local) or not local.display:
        return skip("this is not Windows, or DISPLAY is not set")
    try:
        name = parse_display(local.display)
    except MalformedDisplayError:
        return skip("DISPLAY is malformed")
    if not name.is_unix:
        return fine("DISPLAY names a TCP address, as Windows needs it")
    better = local.display_used or next(iter(local.display_candidates), "127.0.0.1:0.0")
    title = f"DISPLAY={local.display} names a Unix socket, and X servers on Windows listen on TCP only"
    evidence = f"ssh.exe would say: connect /tmp/.X11-unix/X{name.number}: No such file or directory"
    if local.display_used:
        return odd(f"{title}; x11fwd uses {better} instead", evidence, set_display(local, better))
    return bad(title, evidence, set_display(local, better))
