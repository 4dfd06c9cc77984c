"""How checks of this machine name its X server, its files and its commands; for the local checks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.desktop import DesktopFacts
from x11fwd.facts.model import Unknown, known
from x11fwd.x11.client import Handshake, HandshakeStatus

if TYPE_CHECKING:
    from x11fwd.facts.model import LocalFacts
    from x11fwd.x11.requests import AccessControl

__all__ = [
    "NOT_LET_IN",
    "NO_ANSWER",
    "access",
    "answered",
    "authority_name",
    "desktop",
    "is_frozen",
    "lets_us_in_by_name",
    "line_that_sets",
    "server_name",
    "set_display",
    "set_variable",
]

_NAMES = {
    "xorg": "Xorg",
    "xwayland": "Xwayland",
    "xquartz": "XQuartz",
    "xvfb": "Xvfb",
    "vcxsrv": "VcXsrv",
    "xming": "Xming",
    "x410": "X410",
    "wslg": "WSLg",
}
NO_ANSWER = frozenset(
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
NOT_LET_IN = frozenset({HandshakeStatus.NO_COOKIE, HandshakeStatus.WRONG_COOKIE, HandshakeStatus.REJECTED})


def desktop(local: LocalFacts) -> DesktopFacts:
    """What was seen of the desktop; nothing at all where nobody looked."""
    return local.desktop or DesktopFacts()


def access(local: LocalFacts) -> AccessControl | None:
    """Who is let in without a cookie, None where the X server did not say."""
    return known(desktop(local).access)


def lets_us_in_by_name(local: LocalFacts) -> bool:
    """True where the X server needs no cookie of this account (`xhost +si:localuser:NAME`, or anybody)."""
    found, user = access(local), desktop(local).user
    if found is None:
        return False
    return (
        not found.enabled or "LOCAL:" in found.hosts or (bool(user) and f"SI:localuser:{user}" in found.hosts)
    )


def is_frozen(shake: Handshake | None) -> bool:
    """True where the X server took the connection and never answered."""
    return shake is not None and shake.status is HandshakeStatus.TIMEOUT and shake.address is not None


def server_name(local: LocalFacts) -> str:
    """`Xorg`, `XQuartz`, …; `X server` where it does not say."""
    return _NAMES.get(known(local.server_kind) or "", "X server")


def authority_name(local: LocalFacts) -> str:
    """The authority file for a sentence."""
    if local.authority is None:
        return "the authority file"
    return f"{local.authority.path} ($XAUTHORITY)" if local.authority.from_variable else local.authority.path


def answered(shake: Handshake) -> str:
    """The address that answered, or the one whose failure is the verdict's, and the words that came back."""
    failed = [attempt.address for attempt in shake.attempts if attempt.error == shake.reason]
    where = shake.address or next(iter(failed), "no address")
    return f"{where}: {shake.reason or shake.status.value}"


def set_variable(local: LocalFacts, name: str, value: str) -> Fix:
    """Set a variable of this shell; on Windows for programs started from now on (setx)."""
    windows = local.system.kernel == "Windows"
    return Fix(f"setx {name} {value}" if windows else f"export {name}={value}", FixBy.YOU)


def set_display(local: LocalFacts, value: str) -> Fix:
    """Set DISPLAY."""
    return set_variable(local, "DISPLAY", value)


def line_that_sets(local: LocalFacts, name: str, value: str | None = None) -> str | None:
    """`file:line: NAME=value` of the first start file that sets a variable (to that value), None without."""
    for line in desktop(local).start_lines:
        if line.name == name and (value is None or line.value == value):
            return str(line)
    return None


def reason_of(answer: object) -> str:
    """Why nobody could look, for evidence."""
    return answer.reason if isinstance(answer, Unknown) else ""
