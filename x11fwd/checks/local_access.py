"""Who may use the X server on this machine: cookies, xauth and access control; for the table alone."""

from __future__ import annotations

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip
from x11fwd.checks.local_words import (
    NOT_LET_IN,
    access,
    answered,
    authority_name,
    desktop,
    line_that_sets,
    set_variable,
)
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.wayland import elsewhere, of_xwayland
from x11fwd.facts.model import known
from x11fwd.x11.display import AddressKind


def xauthority_wrong(seen: Seen) -> Verdict:
    """F05: the server is there and refuses the cookie of our authority file."""
    local = seen.local
    shake = local.handshake
    if shake is None:
        return skip("there is no display to try")
    where = authority_name(local)
    if shake.status in NOT_LET_IN:
        have = "a cookie that the server does not know" if local.has_cookie is True else "no cookie for it"
        server = desktop(local).server
        started = (
            f"; {server.name} was started with -auth {server.authority}"
            if server and server.authority
            else ""
        )
        return bad(
            f"the X server at {local.display_used} refuses this user: {where} has {have}",
            f"{answered(shake)}{started or '; the desktop session knows the right file'}",
            Fix("systemctl --user show-environment | grep XAUTHORITY", FixBy.YOU)
            if local.system.kernel == "Linux"
            else None,
        )
    if not shake.ok:
        return skip("the X server did not come to ask for a cookie")
    if local.has_cookie is False:
        return fine("the X server asks for no cookie")
    path = elsewhere(local)
    if path is not None and not of_xwayland(local, path):
        given = local.environment.get("XAUTHORITY")
        return odd(
            f"the display's cookie is in {path}, which this shell does not know; x11fwd uses it",
            f"{f'XAUTHORITY={given}' if given is not None else 'XAUTHORITY is not set'}, and "
            f"{desktop(local).usual_authority} has none that opens it: plain ssh would make one up",
            set_variable(local, "XAUTHORITY", path),
        )
    return fine(f"the cookie in {where} opens the display")


def access_control_off(seen: Seen) -> Verdict:
    """`xhost +` or -ac: every program that reaches the X server is let in (Xsecurity(7), ListHosts)."""
    local, shake = seen.local, seen.local.handshake
    found = access(local)
    if found is None or shake is None or not shake.ok:
        return skip("the X server did not say whom it lets in")
    kind = known(local.server_kind)
    if found.enabled:
        return fine("the X server has access control", ", ".join(found.hosts))
    if kind in {"wslg", "xquartz"}:
        return skip("see wslg-no-cookie" if kind == "wslg" else "see xquartz-network-clients")
    if local.environment.get("SSH_CONNECTION") and shake.address and shake.address.kind is AddressKind.TCP:
        return skip("the display is another machine's")
    if kind == "x410":
        return fine("X410 has no access control of X11's own", "its «Allow Public Access» stays off for ssh")
    reach = (
        "who reaches its port"
        if shake.address and shake.address.kind is AddressKind.TCP
        else "on this machine"
    )
    server = desktop(local).server
    line = line_that_sets(local, "xhost")
    who = line or "`xhost +`, or started with -ac"
    if server is not None and server.open:
        who = f"process {server.pid}, {server.name}, was started with -ac"
    return odd(
        f"the X server at {local.display_used} has its access control off",
        f"every program {reach} may see your windows and your keys: {who}",
        Fix("xhost -", FixBy.YOU),
    )


def readable_by_others(seen: Seen) -> Verdict:
    """A cookie that others can read is theirs: with it they see all windows and keys."""
    local = seen.local
    file = local.authority
    if file is None or not file.exists or local.has_cookie is not True:
        return skip("no cookie is in use")
    if known(desktop(local).exposed) is not True:
        return fine(f"only you can read {file.path}")
    return odd(
        f"other accounts of this machine can read your display's cookie in {file.path}",
        f"its mode is {file.mode:03o}",
        Fix(f"chmod go= {file.path}", FixBy.YOU),
    )


def xauth_location(seen: Seen) -> Verdict:
    """F15: ssh looks for xauth in a place that has none, as after an update of macOS (any system)."""
    local = seen.local
    named, found = local.xauth_location, known(desktop(local).xauth_location_found)
    if named is None or found is None:
        return skip("ssh was not asked for its XAuthLocation")
    if found:
        return fine("ssh's XAuthLocation is there", named)
    if local.xauth.path is None:
        return skip("there is no xauth on this machine")
    line = local.client.decides("xauthlocation") if local.client else None
    who = f"{line} says XAuthLocation {named}" if line else f"`ssh -G`: xauthlocation {named}"
    evidence = f"{who}, which is not there; {local.xauth.path} is"
    if local.handshake is not None and local.handshake.ok and local.has_cookie is False:
        return fine("ssh looks for xauth in the wrong place, and this X server needs no cookie", evidence)
    wanted = local.client is not None and local.client.forwards  # by the user's own ssh, not only by x11fwd's
    return (bad if wanted else odd)(
        f"ssh looks for xauth at {named}, where there is none; x11fwd ssh tells it {local.xauth.path}",
        f"{evidence}; plain ssh would send a made-up cookie",
        _first_in_config(f"XAuthLocation {local.xauth.path}"),
    )


def _first_in_config(line: str) -> Fix:
    """ssh keeps the first value that it reads, so the line goes before any Host (ssh_config(5))."""
    new = f"printf '{line}\\n' | cat - ~/.ssh/config > ~/.ssh/config.new"
    return Fix(f"touch ~/.ssh/config && {new} && mv ~/.ssh/config.new ~/.ssh/config", FixBy.YOU)
