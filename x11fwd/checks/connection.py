"""The connection, and what became of the request for X11 on it; checks of the side `link`."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, bad, fine, milliseconds, odd, skip
from x11fwd.checks.report import Fix, FixBy

if TYPE_CHECKING:
    from collections.abc import Sequence

# session.c, session_setup_x11fwd: sent to the client as debug messages; before 7.7 the second one read
# "No xauth program; cannot forward with spoofing."
KEY_OPTIONS = "X11 forwarding disabled by key options"
OLD_KEY_OPTIONS = "X11 forwarding disabled in user configuration file"
NO_XAUTH = "No xauth program"

# What gateways call themselves in their banner: Teleport's and Warpgate's own names; ShellHub and sshportal,
# like all that Go's x/crypto/ssh is under, say "Go" unless told otherwise.
_GATEWAYS = {
    "teleport": "Teleport",
    "warpgate": "Warpgate",
    "shellhub": "ShellHub",
    "sshportal": "sshportal",
    "go": "written in Go, as ShellHub and sshportal are",
}
_GATEWAY = re.compile(r"teleport|warpgate|shellhub|sshportal|^go$", re.IGNORECASE)


def said(seen: Seen, *words: str) -> str | None:
    """The first remark of sshd's or ssh's that holds one of the words."""
    for remark in seen.there.x11.remarks:
        if any(word.lower() in remark.lower() for word in words):
            return remark
    return None


def connected(seen: Seen) -> Verdict:
    """Connected and logged in: everything else about the remote hangs on it."""
    remote = seen.remote
    if remote is None:
        if seen.connected:
            return fine(f"connected to {seen.host}", seen.route)
        if seen.refusal is None:
            return skip(f"nobody has tried to connect to {seen.host}")
        found = re.search(r"`([^`]+)`", seen.refusal_hint)
        fix = Fix(found[1] if found else f"ssh -v {seen.destination}", FixBy.YOU)
        return bad(seen.refusal, seen.refusal_hint, fix)
    if seen.inside:
        whose = remote.place.owner_name if remote.place else ""
        return fine(f"this is a session of {whose or remote.user} on {seen.host}", seen.route)
    trip = f", {milliseconds(remote.round_trip)} round trip" if remote.round_trip is not None else ""
    return fine(f"connected to {seen.host} as {remote.user}{trip}", seen.route)


def unanswered(seen: Seen) -> Verdict:
    """F67, F68, F95: logged in, and something else than our commands runs there."""
    if seen.remote is None and seen.connected:
        return bad(seen.refusal or f"{seen.host} did not answer our questions", seen.refusal_hint)
    seen.there  # noqa: B018  raises Unanswered where there is no connection
    return fine(f"{seen.host} runs our commands")


def key_options(seen: Seen) -> Verdict:
    """F66: `restrict` or `no-X11-forwarding` in authorized_keys, or a certificate without the permission."""
    remark = said(seen, KEY_OPTIONS, OLD_KEY_OPTIONS)
    if remark is None:
        if not seen.there.x11.requested:
            return skip("no X11 was asked for, so the key's options did not matter")
        return fine("the key that logs in may forward X11")
    # auth-options.c names file and line: "…/authorized_keys:1: key options: agent-forwarding pty"
    where = said(seen, "key options:") or ""
    return bad(
        f"the key you log in with may not forward X11 on {seen.host}",
        "; ".join(one.rstrip(".") for one in (where, remark) if one)
        + "; take no-X11-forwarding away, or put X11-forwarding after restrict",
        Fix(f"ssh -t {seen.destination} {quote('${EDITOR:-vi} ' + _key_file(where))}", FixBy.YOU),
    )


def _key_file(remark: str) -> str:
    """The file of `…/authorized_keys:1: key options: …`, the usual one where sshd named none."""
    path, colon, _ = remark.partition(": key options:")
    name, _, line = path.rpartition(":")
    return f"+{line} {quote(name)}" if colon and line.isdigit() else "~/.ssh/authorized_keys"


def gateway(seen: Seen) -> Verdict:
    """F41: bastions that end the ssh session themselves pass X11 on in part or not at all."""
    remote = seen.there
    version = _banner(seen)
    found = _GATEWAY.search(version)
    if found is None:
        return fine(f"{seen.host} is no gateway that ends sessions itself")
    arrived = remote.remote_handshake == "ok"
    if arrived or remote.x11.granted is None:
        return fine(f"{seen.host} is a gateway, and X11 has not failed there", f"banner {version}")
    came = "refused X11" if remote.x11.granted is False else "granted X11 and did not pass it on"
    name = _GATEWAYS[found[0].lower()]
    return bad(
        f"{seen.host} is {name}, a gateway that ends the ssh session itself, and it {came}",
        f"banner {version}; go round it, or through a plain sshd: `ssh -J JUMPHOST -X HOST`",
    )


def second_hop(seen: Seen) -> Verdict:
    """F40: a login from a machine that was itself reached by ssh asks for X11 on its own, or has none."""
    local, client = seen.local, seen.local.client
    if seen.inside or not local.environment.get("SSH_CONNECTION") or not local.display or client is None:
        return fine("this is no second hop")
    if client.forwards:
        return fine(f"X11 goes on from here to {seen.host}", "ForwardX11 yes")
    here = local.system.hostname or "THIS_HOST"
    return odd(
        f"you are on a hop: plain `ssh {seen.destination}` from here has no DISPLAY over there",
        "$SSH_CONNECTION is set, and this machine's ssh does not ask for X11; where the screen is, "
        f"`ssh -J {quote(here)} -X {quote(seen.host)}` goes from end to end, with no X11 on this machine",
        Fix(f"x11fwd ssh {seen.destination}", FixBy.X11FWD),
    )


def not_openssh(seen: Seen) -> Verdict:
    """F70: servers that are not OpenSSH mostly have no X11 forwarding at all."""
    version = _banner(seen)
    if not version or seen.there.x11.granted is not False or "OpenSSH" in version:
        return fine(f"the ssh server of {seen.host} can forward X11")
    return bad(
        f"{seen.host} is not served by OpenSSH but by {version}, which refused X11",
        f"banner {version}; connect to a real sshd there (another port, or through a jump host)",
    )


def _banner(seen: Seen) -> str:
    """What the server calls itself; sshd's own `-V` where nobody heard the banner."""
    version = seen.there.banner or seen.there.sshd.version
    return version if isinstance(version, str) else ""


def refused(seen: Seen) -> Verdict:
    """The request itself: granted or not. The reasons are separate checks, under which this one is folded."""
    x11 = seen.there.x11
    if x11.granted:
        return fine(f"{seen.host} forwards X11", _words(x11.remarks))
    if not x11.requested and seen.inside:
        return skip("nobody knows from here whether this session's X11 was asked for and refused")
    if not x11.requested:
        return skip("X11 was not asked for: this machine has no display to offer")
    if x11.granted is None:
        return skip("nobody asked for X11 on this connection")
    words = _words(x11.remarks) or (
        "sshd gave no reason, as it does for X11Forwarding no, for ::1 missing and for 1000 displays in use"
    )
    return bad(f"{seen.host} refused X11 forwarding", words, seen.setup)


def _words(remarks: Sequence[str]) -> str:
    """Each remark once, in the order in which they came."""
    return "; ".join(dict.fromkeys(remark.rstrip(".") for remark in remarks))
