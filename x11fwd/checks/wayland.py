"""Wayland and Xwayland, F06 to F08 of the catalogue; for the table alone."""

from __future__ import annotations

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.install import by_hand
from x11fwd.checks.local_words import answered, desktop, lets_us_in_by_name, set_variable
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import LocalFacts, Unknown, known
from x11fwd.x11.client import HandshakeStatus

_COOKIE_NAMES = (".mutter-Xwaylandauth.", "/xauth_")
# How Xwayland is switched on (sway(5), niri's wiki on Xwayland, Hyprland's wiki)
_ENABLE = {
    "sway": ("`xwayland enable` in ~/.config/sway/config, and log in again", "swaymsg -t get_version"),
    "niri": ("niri needs xwayland-satellite", "xwayland-satellite"),
    "hyprland": ("`xwayland { enabled = true }` in hyprland.conf, and log in again", "hyprctl reload"),
}


def no_xwayland(seen: Seen) -> Verdict:
    """F06: a Wayland session in which nothing speaks X11."""
    local = seen.local
    if local.session != "wayland":
        return skip("this is no Wayland session")
    if local.display or local.display_used:
        return fine("the Wayland session has an X display", local.display or local.display_used or "")
    program = desktop(local).xwayland
    looked = "$WAYLAND_DISPLAY is set, $DISPLAY is empty, no socket in /tmp/.X11-unix answers"
    title = "this Wayland session runs no Xwayland, so no X11 window can be shown"
    if isinstance(program, Unknown):
        return bad(title, f"{looked}: this desktop runs without Xwayland", by_hand("xwayland", local.system))
    if program is None:
        return bad(
            f"{title}: it is not installed; install it, log out and in again",
            f"{looked}; there is no program Xwayland in PATH",
            by_hand("xwayland", local.system),
        )
    hint, command = _ENABLE.get(desktop(local).name, ("switch it on in the compositor, and log in again", ""))
    fix = Fix(command, FixBy.YOU) if command else None
    return bad(f"{title}: it is installed and switched off; {hint}", f"{looked}; {program} is there", fix)


def no_cookie_file(seen: Seen) -> Verdict:
    """F07: the compositor gives Xwayland no cookie; it lets in whoever has the same user id, or nobody."""
    local, shake = seen.local, seen.local.handshake
    server = desktop(local).server
    is_xwayland = known(local.server_kind) == "xwayland" or (server is not None and server.is_xwayland)
    if shake is None or not is_xwayland:
        return skip("the X server is no Xwayland")
    if local.has_cookie is not False:
        return fine("the compositor gave Xwayland a cookie")
    seen_words = (
        f"{server.name}, process {server.pid}, has no -auth" if server else "no cookie file was found"
    )
    if shake.ok:
        return fine(
            "Xwayland has no cookie and lets this user in; ssh's warning «No xauth data» is harmless",
            seen_words,
        )
    if shake.status is not HandshakeStatus.NO_COOKIE:
        return skip("Xwayland did not ask for a cookie")
    if server is None:
        return unknown(
            "whether the compositor gave Xwayland a cookie",
            "its process cannot be seen from here; look at `ps -C Xwayland -o args`",
        )
    if server.authority is not None:
        return fine("the compositor gave Xwayland a cookie", server.authority)
    return bad(
        "the compositor runs Xwayland without a cookie, and it does not let this user in",
        f"{answered(shake)}; {seen_words}",
        Fix("ps -C Xwayland -o pid,user,args", FixBy.YOU),
    )


def elsewhere(local: LocalFacts) -> str | None:
    """The authority file whose cookie opened the display though plain ssh would not look there, else None."""
    usual = desktop(local).usual_authority
    path = local.authority.path if local.authority else None
    if local.has_cookie is not True or path is None or usual is None or path == usual:
        return None
    if local.handshake is None or not local.handshake.ok or lets_us_in_by_name(local):
        return None
    return path


def of_xwayland(local: LocalFacts, path: str) -> bool:
    """Whether a cookie file is one that GNOME or KDE make for Xwayland."""
    return known(local.server_kind) == "xwayland" or any(name in path for name in _COOKIE_NAMES)


def cookie_not_exported(seen: Seen) -> Verdict:
    """F08: DISPLAY is set and XAUTHORITY is not; the cookie has a random name under /run/user."""
    local = seen.local
    path = elsewhere(local)
    if path is None or not of_xwayland(local, path):
        return skip("Xwayland's cookie, if it has one, is where ssh looks for it")
    given = local.environment.get("XAUTHORITY")
    where = f"XAUTHORITY={given}" if given is not None else "XAUTHORITY is not set"
    return odd(
        f"Xwayland's cookie is in {path}, which this shell does not know; x11fwd uses it",
        f"{where}, and {desktop(local).usual_authority} has none for {local.display_used}: "
        "plain ssh would send a made-up cookie",
        set_variable(local, "XAUTHORITY", path),
    )
