"""The X server on this machine: is there one, does it let us in; sections A and B of the catalogue."""

from __future__ import annotations

from x11fwd.checks.check import Seen, Verdict, bad, fine, milliseconds, odd, skip
from x11fwd.checks.install import by_hand
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import LocalFacts, known
from x11fwd.x11.client import Handshake, HandshakeStatus
from x11fwd.x11.display import ssh_accepts

_NAMES = {
    "xorg": "Xorg",
    "xwayland": "Xwayland",
    "xquartz": "XQuartz",
    "xvfb": "Xvfb",
    "vcxsrv": "VcXsrv",
    "wslg": "WSLg",
}
_NO_ANSWER = frozenset(
    {
        HandshakeStatus.NO_SOCKET,
        HandshakeStatus.CONNECTION_REFUSED,
        HandshakeStatus.NOT_PERMITTED,
        HandshakeStatus.UNKNOWN_HOST,
        HandshakeStatus.UNREACHABLE,
        HandshakeStatus.TIMEOUT,
        HandshakeStatus.CLOSED,
        HandshakeStatus.NOT_X11,
    }
)
_NOT_LET_IN = frozenset({HandshakeStatus.NO_COOKIE, HandshakeStatus.WRONG_COOKIE, HandshakeStatus.REJECTED})


def unset(seen: Seen) -> Verdict:
    """F01: ssh skips the X11 request without a word where DISPLAY is not set (ssh.c)."""
    local = seen.local
    if local.display:
        return fine(f"DISPLAY is {local.display}", "$DISPLAY")
    if local.display_used:
        return odd(
            f"DISPLAY is not set in this shell; x11fwd found {local.display_used} and uses it",
            "$DISPLAY is empty; plain ssh -X would forward nothing from here",
            Fix(f"export DISPLAY={local.display_used}", FixBy.YOU),
        )
    if local.environment.get("SSH_CONNECTION"):
        return bad(
            "this machine has no display: you are logged in to it by ssh yourself",
            "$DISPLAY is empty and $SSH_CONNECTION is set; run x11fwd where the screen is",
            Fix("exit", FixBy.YOU),
        )
    title = "DISPLAY is not set, and no X server runs on this machine"
    looked = "$DISPLAY is empty; no socket in /tmp/.X11-unix answers"
    if local.system.kernel == "Darwin":
        looked += "; an XQuartz just installed is seen after logging out and in again"
        fix = Fix("open -a XQuartz", FixBy.YOU) if local.xauth.path else by_hand("x-server", local.system)
        return bad(title, looked, fix)
    if local.session == "wayland":
        looked += "; $WAYLAND_DISPLAY is set: this desktop runs without Xwayland"
        return bad(title, looked, by_hand("xwayland", local.system))
    return bad(title, f"{looked}; start the desktop session, or run x11fwd inside it")


def malformed(seen: Seen) -> Verdict:
    """A DISPLAY that libxcb cannot take apart (xcb_util.c)."""
    local = seen.local
    if not local.display or not ssh_accepts(local.display):
        return skip("DISPLAY has no form to judge")
    if local.display_problem is None:
        return fine(f"DISPLAY {local.display} is well formed")
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
    fix = Fix(f"export DISPLAY={better}", FixBy.YOU) if better else None
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
        f"{_seen(shake)}; {socket} is there",
        Fix(f"export DISPLAY={socket}", FixBy.YOU),
    )


def dead(seen: Seen) -> Verdict:
    """F02: a handshake with the server that DISPLAY names; the variable proves nothing."""
    local = seen.local
    shake = local.handshake
    if shake is None:
        return skip("there is no display to try")
    if shake.status in _NO_ANSWER:
        other = next((name for name in local.display_candidates if name != local.display_used), None)
        fix = Fix(f"export DISPLAY={other}", FixBy.YOU) if other else None
        return bad(f"the X server at {local.display_used} does not answer", _seen(shake), fix)
    if not shake.ok:
        return fine(f"something answers at {local.display_used}", _seen(shake))
    kind = known(local.server_kind)
    name = _NAMES.get(kind or "", "X server")
    return fine(
        f"{name} answers at {local.display_used}",
        f"{shake.vendor} {shake.release}, handshake in {milliseconds(shake.seconds)}",
    )


def client_limit(seen: Seen) -> Verdict:
    """F28: the server's table of clients is full (os/connection.c)."""
    shake = seen.local.handshake
    if shake is None:
        return skip("there is no display to try")
    if shake.status is HandshakeStatus.SERVER_FULL:
        return bad(
            f"the X server at {seen.local.display_used} takes no more clients; close some windows",
            _seen(shake),
        )
    return fine("the X server has room for another window")


def xauthority_wrong(seen: Seen) -> Verdict:
    """F05: the server is there and refuses the cookie of our authority file."""
    local = seen.local
    shake = local.handshake
    if shake is None:
        return skip("there is no display to try")
    where = _authority(local)
    if shake.status in _NOT_LET_IN:
        have = "a cookie that the server does not know" if local.has_cookie is True else "no cookie for it"
        return bad(
            f"the X server at {local.display_used} refuses this user: {where} has {have}",
            f"{_seen(shake)}; the desktop session knows the right file",
            Fix("systemctl --user show-environment | grep XAUTHORITY", FixBy.YOU)
            if local.system.kernel == "Linux"
            else None,
        )
    if not shake.ok:
        return skip("the X server did not come to ask for a cookie")
    if local.has_cookie is False:
        return fine("the X server asks for no cookie")
    return fine(f"the cookie in {where} opens the display")


def xauth_missing(seen: Seen) -> Verdict:
    """F31: without xauth ssh sends a made-up cookie, which the X server refuses (clientloop.c)."""
    local = seen.local
    if local.xauth.path:
        version = f" {local.xauth.version}" if isinstance(local.xauth.version, str) else ""
        return fine(f"xauth{version} is installed here", local.xauth.path)
    if local.handshake is not None and local.handshake.ok and local.has_cookie is False:
        return fine("xauth is not installed here, and this X server needs no cookie")
    if local.system.kernel == "Darwin" and local.handshake is None:
        return skip("xauth comes with XQuartz, which does not run here")
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


def _authority(local: LocalFacts) -> str:
    if local.authority is None:
        return "the authority file"
    return f"{local.authority.path} ($XAUTHORITY)" if local.authority.from_variable else local.authority.path


def _seen(shake: Handshake) -> str:
    """The address that answered, or the one whose failure is the verdict's, and the words that came back."""
    failed = [attempt.address for attempt in shake.attempts if attempt.error == shake.reason]
    where = shake.address or next(iter(failed), "no address")
    return f"{where}: {shake.reason or shake.status.value}"
