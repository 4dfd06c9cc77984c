"""XQuartz on macOS, F09 to F19 of the catalogue; for the table alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip
from x11fwd.checks.install import by_hand
from x11fwd.checks.local_words import (
    access,
    answered,
    authority_name,
    desktop,
    is_frozen,
    line_that_sets,
    set_display,
)
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import known
from x11fwd.x11.client import HandshakeStatus

if TYPE_CHECKING:
    from x11fwd.facts.desktop import MacFacts

_FOLDER = "/tmp/.X11-unix"  # noqa: S108  where every X server puts its socket
_LOG_OUT = "log out of macOS and in again"
_OFF = frozenset({"0", "false", "NO"})
_ON = frozenset({"1", "true", "YES"})


def _mac(seen: Seen) -> MacFacts:
    """XQuartz's facts. Raises Unanswered elsewhere than on a Mac in front of the user."""
    mac = desktop(seen.local).mac
    if mac is None:
        raise Unanswered(skip("this is not macOS"))
    return mac


def _opens(seen: Seen) -> bool:
    return seen.local.handshake is not None and seen.local.handshake.ok


def missing(seen: Seen) -> Verdict:
    """F09: macOS ships no X server."""
    mac = _mac(seen)
    if mac.installed:
        return fine("XQuartz is installed here", "/opt/X11")
    if _opens(seen):
        return skip(f"another X server answers at {seen.local.display_used}")
    evidence = "neither /opt/X11/bin/Xquartz nor /Applications/Utilities/XQuartz.app; then " + _LOG_OUT
    return bad("XQuartz is not installed on this Mac", evidence, by_hand("x-server", seen.local.system))


def no_logout(seen: Seen) -> Verdict:
    """F10: the launchd agent that owns DISPLAY is loaded at login only."""
    mac, local = _mac(seen), seen.local
    if not mac.installed:
        return skip("XQuartz is not installed")
    if local.environment.get("SSH_CONNECTION"):
        return skip("launchd's DISPLAY belongs to the screen, and this is a login by ssh")
    agent = (
        "launchd does not know org.xquartz.startx" if known(mac.agent) is False else "launchd has no DISPLAY"
    )
    if local.display and "org.macosforge.xquartz" in local.display and not mac.display_there:
        return bad(
            "this login still has the DISPLAY of the XQuartz before its upgrade",
            f"DISPLAY={local.display}, which is not there",
            _log_out(),
        )
    if mac.launchd_display and (local.display != mac.launchd_display or mac.display_there is not False):
        return fine("launchd hands out a DISPLAY", mac.launchd_display)
    if mac.launchd_display:
        title, evidence = "the socket that DISPLAY names is gone", f"{local.display}: there is no such socket"
        return bad(f"{title}; {_LOG_OUT}", evidence, _log_out())
    title = f"XQuartz is installed, and nobody has logged in since; {_LOG_OUT}"
    evidence = f"`launchctl getenv DISPLAY` is empty: {agent}"
    if _opens(seen):
        return odd(title, f"{evidence}; {local.display_used} answers, as long as XQuartz runs", _log_out())
    return bad(title, evidence, _log_out())


def _log_out() -> Fix:
    """The menu's own «Log Out», which asks first."""
    return Fix("osascript -e 'tell application \"System Events\" to log out'", FixBy.YOU)


def display_overridden(seen: Seen) -> Verdict:
    """F11: a DISPLAY set by hand defeats launchd, which starts XQuartz when a program asks for it."""
    mac, local = _mac(seen), seen.local
    if not local.display or not mac.launchd_display or local.environment.get("SSH_CONNECTION"):
        return skip("DISPLAY and launchd's are not both set")
    if local.display == mac.launchd_display:
        return fine("DISPLAY is launchd's own")
    if mac.display_there is False and "org.macosforge.xquartz" in local.display:
        return skip("DISPLAY is a left-over")
    line = line_that_sets(local, "DISPLAY", local.display) or line_that_sets(local, "DISPLAY")
    who = line or "no start file of yours says so; a terminal program or its profile may"
    title = f"DISPLAY was set to {local.display} by hand, which is not launchd's"
    evidence = f"{who}; `launchctl getenv DISPLAY` is {mac.launchd_display}"
    fix = set_display(local, mac.launchd_display)
    if _opens(seen):
        return odd(f"{title}: XQuartz will not start by itself", evidence, fix)
    return bad(title, evidence, fix)


def background_item_off(seen: Seen) -> Verdict:
    """F12: the privileged helper that makes /tmp/.X11-unix after boot did not run (macOS 13 and later)."""
    mac = _mac(seen)
    if not mac.installed or _opens(seen):
        return skip("XQuartz answers" if mac.installed else "XQuartz is not installed")
    helper = [label for label in mac.disabled if "privileged_startx" in label]
    if mac.socket_folder and not helper:
        return fine(f"{_FOLDER} is there")
    why = "launchd was told not to start org.xquartz.privileged_startx" if helper else ""
    if not why and known(mac.helper) is False:
        why = "launchd does not know org.xquartz.privileged_startx"
    found = [] if mac.socket_folder else [f"{_FOLDER} is missing"]
    found += [why] if why else []
    found += [f"{mac.log_file}: {mac.complaint}"] if mac.complaint else []
    return bad(
        "XQuartz cannot start: macOS keeps its background item off; allow it under Login Items",
        "; ".join(found),
        Fix("open x-apple.systempreferences:com.apple.LoginItems-Settings.extension", FixBy.YOU),
    )


def start_fails(seen: Seen) -> Verdict:
    """F13: launchd's socket is there, and no server comes to it."""
    mac, local = _mac(seen), seen.local
    shake = local.handshake
    if not mac.installed or shake is None or not mac.launchd_socket or local.display != mac.launchd_display:
        return skip("launchd's own display was not tried")
    states = {HandshakeStatus.CONNECTION_REFUSED, HandshakeStatus.CLOSED}
    if shake.status not in states and not (is_frozen(shake) and not mac.running):
        return fine("XQuartz comes when it is called")
    if not mac.socket_folder:
        return skip(f"{_FOLDER} is missing, which is reason enough")
    log = (
        f"; {mac.log_file}: {mac.complaint}"
        if mac.complaint
        else f"; {mac.log_file or 'no log'} says no more"
    )
    return bad(
        "launchd cannot start XQuartz: a changed login shell or a broken start file is the usual reason",
        answered(shake) + log,
        Fix("dscl . -read ~ UserShell", FixBy.YOU),
    )


def xauth_hang(seen: Seen) -> Verdict:
    """F14: an X server that hangs; `ssh -X` then waits for `xauth generate` for ever (any system)."""
    local, shake = seen.local, seen.local.handshake
    if shake is None:
        return skip("there is no display to try")
    mac = desktop(local).mac
    if not is_frozen(shake) or (mac is not None and not mac.running):
        return fine("the X server answers questions in time")
    fix = Fix("osascript -e 'quit app \"XQuartz\"'", FixBy.YOU) if mac else None
    who = desktop(local).server
    process = f"; process {who.pid} ({who.name}) runs it" if who else ""
    return bad(
        f"the X server at {local.display_used} hangs: it takes connections and never answers; start it anew",
        f"{answered(shake)}{process}; `ssh -X` waits for it without a limit",
        fix or (Fix(f"ps -o pid,stat,wchan,args -p {who.pid}", FixBy.YOU) if who else None),
    )


def cookie_after_wake(seen: Seen) -> Verdict:
    """F16: the server and the authority file disagree after sleep or a change of network."""
    _mac(seen)
    local, shake = seen.local, seen.local.handshake
    own = local.authority is None or not local.authority.from_variable  # else see local-xauthority-wrong
    if shake is None or shake.status is not HandshakeStatus.WRONG_COOKIE or not own:
        return fine("XQuartz knows the cookie") if _opens(seen) else skip("XQuartz did not refuse a cookie")
    return bad(
        "XQuartz no longer knows the cookie that it wrote itself; quit it, and open a window again",
        f"{answered(shake)}; the cookie is in {authority_name(local)}",
        Fix("osascript -e 'quit app \"XQuartz\"'", FixBy.YOU),
    )


def prefs_domain(seen: Seen) -> Verdict:
    """F17: XQuartz 2.8 reads its settings from another domain than most recipes write to."""
    mac = _mac(seen)
    differing = [name for name, value in mac.old_settings.items() if mac.settings.get(name) != value]
    if not mac.old_written_since or not differing:
        return fine("nobody wrote settings that XQuartz does not read")
    name = differing[0]
    value = mac.old_settings[name]
    return odd(
        f"{name} was set in a domain that XQuartz no longer reads",
        f"org.macosforge.xquartz.X11 {name} = {value}; org.xquartz.X11 has {mac.settings.get(name, 'none')}",
        Fix(f"defaults write org.xquartz.X11 {name} {value}", FixBy.YOU),
    )


def indirect_glx(seen: Seen) -> Verdict:
    """F18: indirect GLX is off by default; matplotlib does not use GL."""
    mac = _mac(seen)
    off = "-iglx" in mac.arguments or mac.settings.get("enable_iglx", "0") in _OFF
    if not off:
        return fine("XQuartz offers indirect GLX", "enable_iglx")
    return fine(
        "XQuartz offers no indirect GLX, which plots in 2-D and 3-D of matplotlib do not need", "-iglx"
    )


def network_clients(seen: Seen) -> Verdict:
    """F19: recipes for containers open XQuartz to the network; ssh needs none of it."""
    mac = _mac(seen)
    listed = access(seen.local)
    if mac.settings.get("no_auth") in _ON or (listed is not None and not listed.enabled):
        where = "org.xquartz.X11 no_auth" if mac.settings.get("no_auth") in _ON else "xhost +"
        fix = "defaults write org.xquartz.X11 no_auth -bool false" if "no_auth" in where else "xhost -"
        title = "XQuartz lets every program in, which can then see your windows and keys"
        return odd(title, f"access control is disabled ({where})", Fix(fix, FixBy.YOU))
    if mac.settings.get("nolisten_tcp") in _OFF or "-listen" in mac.arguments:
        return odd(
            "XQuartz listens on the network, which ssh does not need",
            "org.xquartz.X11 nolisten_tcp = 0: port 6000 is open",
            Fix("defaults write org.xquartz.X11 nolisten_tcp -bool true", FixBy.YOU),
        )
    return fine("XQuartz listens on its socket only, with access control")
