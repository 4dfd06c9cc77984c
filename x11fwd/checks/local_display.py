"""DISPLAY and the X server that it names, F01 to F04 and F28 of the catalogue; for the table alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, milliseconds, odd, skip
from x11fwd.checks.install import by_hand
from x11fwd.checks.local_words import NO_ANSWER, answered, desktop, line_that_sets, server_name, set_display
from x11fwd.checks.report import Fix, FixBy
from x11fwd.x11.client import HandshakeStatus
from x11fwd.x11.display import MalformedDisplayError, parse_display, ssh_accepts, ssh_addresses

if TYPE_CHECKING:
    from x11fwd.facts.model import LocalFacts


def unset(seen: Seen) -> Verdict:
    """F01: ssh skips the X11 request without a word where DISPLAY is not set (ssh.c)."""
    local = seen.local
    if local.display:
        return fine(f"DISPLAY is {local.display}", "$DISPLAY")
    if local.display_used:
        if desktop(local).wsl is not None and line_that_sets(local, "DISPLAY"):
            return skip("see wsl-exec-without-rc")
        if (mac := desktop(local).mac) is not None and not mac.launchd_display:
            return skip("see xquartz-no-logout")
        return odd(
            f"DISPLAY is not set in this shell; x11fwd found {local.display_used} and uses it",
            "$DISPLAY is empty; plain ssh -X would forward nothing from here",
            set_display(local, local.display_used),
        )
    if local.environment.get("SSH_CONNECTION"):
        there = f"; {', '.join(local.display_candidates)} of this machine's own screen is not in front of you"
        return bad(
            "this machine has no display: you are logged in to it by ssh yourself",
            "$DISPLAY is empty and $SSH_CONNECTION is set; run x11fwd where the screen is"
            + (there if local.display_candidates else ""),
            Fix("exit", FixBy.YOU),
        )
    title = "DISPLAY is not set, and no X server runs on this machine"
    if local.system.kernel == "Windows":
        looked = "%DISPLAY% is empty, and nothing answers at 127.0.0.1 port 6000; start VcXsrv or X410 first"
        return bad(title, looked, by_hand("x-server", local.system) or set_display(local, "127.0.0.1:0.0"))
    if local.display_candidates:
        title = "DISPLAY is not set, and no X server of this machine lets this user in"
    looked = "$DISPLAY is empty; no socket in /tmp/.X11-unix answers"
    if local.system.kernel == "Darwin":
        looked += "; an XQuartz just installed is seen after logging out and in again"
        fix = Fix("open -a XQuartz", FixBy.YOU) if local.xauth.path else by_hand("x-server", local.system)
        return bad(title, looked, fix)
    if desktop(local).wsl is not None:
        said = f"{looked}; WSLg, which `wsl --update` brings, has one; after that, `wsl --shutdown`"
        return bad(title, said, Fix("wsl.exe --update", FixBy.YOU))
    if desktop(local).name == "chromeos":
        said = f"{looked}; ChromeOS shows windows through sommelier"
        return bad(title, said, Fix("systemctl --user restart sommelier-x@0", FixBy.YOU))
    if local.session == "tty":
        return bad(title, f"{looked}, and this is a text console; log in on the desktop, or run startx")
    return bad(title, f"{looked}; start the desktop session, or run x11fwd inside it")


def malformed(seen: Seen) -> Verdict:
    """A DISPLAY that libxcb cannot take apart (xcb_util.c)."""
    local = seen.local
    if not local.display or not ssh_accepts(local.display):
        return skip("DISPLAY has no form to judge")
    if local.display_problem is None:
        return fine(f"DISPLAY {local.display} is well formed")
    if local.system.kernel == "Windows" and local.display.startswith((":", "unix:")):
        return skip("see windows-unix-socket")
    return _value_verdict(local, f"DISPLAY={local.display} cannot be meant", local.display_problem)


def bad_chars(seen: Seen) -> Verdict:
    """F04: ssh's client takes letters, digits and `:/.-_` only (clientloop.c, client_x11_display_valid)."""
    local = seen.local
    if not local.display:
        return skip("DISPLAY is not set")
    if ssh_accepts(local.display):
        return fine("ssh accepts every character of DISPLAY")
    reason = local.display_problem or "ssh takes letters, digits and :/.-_ only and would disable forwarding"
    return _value_verdict(local, f"DISPLAY={local.display} holds a character that ssh refuses", reason)


def _value_verdict(local: LocalFacts, title: str, evidence: str) -> Verdict:
    others = (local.display_used, *local.display_candidates)
    better = next((name for name in others if name and name != local.display), None)
    fix = set_display(local, better) if better else None
    if local.display_used and local.display_used != local.display:
        return odd(f"{title}; x11fwd uses {local.display_used} instead", evidence, fix)
    return bad(title, evidence, fix)


def tcp_not_listening(seen: Seen) -> Verdict:
    """F03: `localhost:0` asks for TCP, which X servers on Linux and macOS do not offer by default."""
    local = seen.local
    shake = local.handshake
    name = local.display_used
    if shake is None or not name or name.startswith((":", "/", "unix:")):
        return skip("DISPLAY names a socket of this machine")
    socket = next((one for one in local.display_candidates if one.startswith((":", "/"))), None)
    if shake.status is not HandshakeStatus.CONNECTION_REFUSED or socket is None:
        return fine(f"{name} is not refused over TCP")
    return bad(
        f"DISPLAY={name} asks for TCP, but the X server here listens on its socket only",
        f"{answered(shake)}; {socket} is there",
        set_display(local, socket),
    )


def dead(seen: Seen) -> Verdict:
    """F02: a handshake with the server that DISPLAY names; the variable proves nothing."""
    local = seen.local
    shake = local.handshake
    if shake is None:
        return skip("there is no display to try")
    if shake.status in NO_ANSWER:
        other = next((name for name in local.display_candidates if not _same(name, local.display_used)), None)
        fix = set_display(local, other) if other else None
        line = line_that_sets(local, "DISPLAY", local.display)
        said = answered(shake) + (f"; {line}" if line else "")
        return bad(f"the X server at {local.display_used} does not answer", said, fix)
    if not shake.ok:
        return fine(f"something answers at {local.display_used}", answered(shake))
    problem = _ssh_goes_elsewhere(local)
    if problem is not None:
        return problem
    return fine(
        f"{server_name(local)} answers at {local.display_used}",
        f"{shake.vendor} {shake.release}, handshake in {milliseconds(shake.seconds)}",
    )


def _same(one: str, other: str | None) -> bool:
    """Whether two values of DISPLAY lead to one server: `:0` and `:0.0` do."""
    try:
        first, second = parse_display(one), parse_display(other or "")
    except MalformedDisplayError:
        return False
    return (first.host, first.number, first.socket_path) == (second.host, second.number, second.socket_path)


def _ssh_goes_elsewhere(local: LocalFacts) -> Verdict | None:
    """libxcb tries TCP after a socket that is not there, ssh does not (x11_connect_display in channels.c)."""
    shake = local.handshake
    try:
        name = parse_display(local.display_used or "")
    except MalformedDisplayError:
        return None
    mac = local.system.kernel == "Darwin"
    if shake is None or shake.address is None or shake.address in ssh_addresses(name, launchd=mac):
        return None
    if name.is_unix and not name.socket_path:
        better = f"localhost:{name.number}"
        return bad(
            f"X programs reach {name} by TCP, and ssh tries its socket only",
            f"{shake.address} answers, /tmp/.X11-unix/X{name.number} is not there",
            set_display(local, better),
        )
    return bad(f"ssh does not know the way to {name}", f"{shake.address} answers; ssh would not go there")


def client_limit(seen: Seen) -> Verdict:
    """F28: the server's table of clients is full (os/connection.c)."""
    shake = seen.local.handshake
    if shake is None:
        return skip("there is no display to try")
    if shake.status is HandshakeStatus.SERVER_FULL:
        return bad(
            f"the X server at {seen.local.display_used} takes no more clients; close some windows",
            answered(shake),
        )
    return fine("the X server has room for another window")


def xauth_missing(seen: Seen) -> Verdict:
    """F31: without xauth ssh sends a made-up cookie, which the X server refuses (clientloop.c)."""
    local = seen.local
    if local.xauth.path:
        version = f" {local.xauth.version}" if isinstance(local.xauth.version, str) else ""
        return fine(f"xauth{version} is installed here", local.xauth.path)
    if local.handshake is not None and local.handshake.ok and local.has_cookie is False:
        return fine("xauth is not installed here, and this X server needs no cookie")
    if local.system.kernel in {"Darwin", "Windows"} and local.handshake is None:
        return skip("xauth comes with the X server, which does not run here")
    return bad(
        "xauth is missing on this machine",
        "not in PATH nor in the usual places; ssh reads the display's cookie with it",
        by_hand("xauth", local.system),
    )


def ssh_missing(seen: Seen) -> Verdict:
    """The system's ssh: x11fwd asks it what ssh_config means, and `x11fwd ssh` is it."""
    local = seen.local
    if local.ssh_path:
        # "OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19 27 Jan 2026"
        name = local.ssh_version.partition(",")[0] if isinstance(local.ssh_version, str) else "ssh"
        return fine(f"{name} is installed here", local.ssh_path)
    return bad("ssh is missing on this machine", "not in PATH", by_hand("ssh", local.system))
